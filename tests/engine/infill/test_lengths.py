"""The signals of span lengths, against a naive computation with whole logits."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from dgemma_engine.infill.lengths import length_signals, rank_lengths
from dgemma_engine.infill.planner import CanvasPlan
from tests.engine.conftest import Pair
from tests.engine.infill.test_repair import PREFIX, SUFFIX, parts_of


def naive_signals(
    pair: Pair, plan: CanvasPlan, *, n_draws: int, seed: int
) -> tuple[list[float], list[float]]:
    """Margins and mean entropies, one canvas and one position at a time."""
    engine, rules = pair.engine, parts_of(pair).rules
    generator = torch.Generator().manual_seed(seed)
    n_canvas = len(plan.rows[0].ids)
    noise = torch.randint(
        engine.config.vocab_size, (n_draws * len(plan.rows), n_canvas), generator=generator
    )
    cache = engine.encode(plan.context_ids)
    margins = [0.0] * len(plan.rows)
    entropies = [0.0] * len(plan.rows)
    for place, drawn in enumerate(noise):
        idx = place % len(plan.rows)
        row = plan.rows[idx]
        end = row.start + row.n_tokens
        ids = torch.tensor(row.ids)
        ids[row.span] = drawn[row.span]
        soft = None
        if engine.infill_settings.clamps_known_at_once:
            soft = engine.model.embed(ids[None]).clone()
            soft[0, row.span] = 0
        logits = engine.model.decode(
            ids[None], cache.kv.n_tokens, cache.kv.visible(), soft_embeddings=soft
        )[0]
        neighbours = [*range(row.start - 3, row.start), *range(end, end + min(6, row.n_right))]
        for position in neighbours:
            others = [v for t, v in enumerate(logits[position].tolist()) if t != ids[position]]
            own = logits[position, ids[position]].item()
            margins[idx] += (own - max(others)) / len(neighbours) / n_draws
        for position in range(row.start, end):
            allowed = logits[position][~rules.forbidden(single_line=True)]
            p = allowed.softmax(0)
            entropies[idx] -= (p * p.log()).sum().item() / row.n_tokens / n_draws
    return margins, entropies


@pytest.mark.parametrize("suffix", [SUFFIX, ")", ""])
def test_signals_are_those_of_the_definition(textual: Pair, suffix: str) -> None:
    parts = parts_of(textual)
    plan = parts.plan(PREFIX + "\n", suffix, (1, 2, 5))
    kv = parts.prefixes.encode(plan.context_ids).kv
    signals = length_signals(
        parts.model,
        kv,
        plan,
        parts.rules,
        single_line=True,
        n_draws=2,
        seed=3,
        settings=parts.settings,
    )
    margins, entropies = naive_signals(textual, plan, n_draws=2, seed=3)

    assert [s.margin for s in signals] == pytest.approx(margins, abs=1e-3)
    # What length explains is taken off: a line over its logarithm.
    logs = [math.log(row.n_tokens) for row in plan.rows]
    mean = sum(logs) / len(logs)
    slope = sum((x - mean) * -h for x, h in zip(logs, entropies, strict=True)) / sum(
        (x - mean) ** 2 for x in logs
    )
    expected = [-h - slope * (x - mean) for x, h in zip(logs, entropies, strict=True)]
    assert [s.certainty for s in signals] == pytest.approx(expected, abs=1e-3)


def test_one_length_alone_has_a_rank(textual: Pair) -> None:
    parts = parts_of(textual)
    plan = parts.plan(PREFIX + "\n", SUFFIX, (3,))
    kv = parts.prefixes.encode(plan.context_ids).kv
    scores = rank_lengths(
        parts.model,
        kv,
        plan,
        parts.rules,
        single_line=True,
        n_draws=1,
        seed=0,
        settings=parts.settings,
    )
    assert len(scores) == 1
    assert math.isfinite(scores[0])


def test_without_drafts_three_lengths_of_the_models_choice_are_denoised(textual: Pair) -> None:
    engine = textual.engine.with_infill_settings(refine_radius=0)
    result = engine.infill(PREFIX + "\n", SUFFIX, n_candidates=50, steps=2)
    lengths = {candidate.n_tokens for candidate in result.candidates}
    assert 1 <= len(lengths) <= 3
    assert result.forwards == 3  # one for the lengths


@pytest.mark.parametrize("signal", ["margin", "certainty", "both"])
def test_a_length_is_ranked_by_the_signals_that_the_settings_name(
    textual: Pair, signal: str
) -> None:
    parts = parts_of(textual)
    plan = parts.plan(PREFIX + "\n", SUFFIX, (1, 2, 5))
    kv = parts.prefixes.encode(plan.context_ids).kv
    settings = replace(parts.settings, length_signals=signal)
    options: dict[str, Any] = {"single_line": True, "n_draws": 2, "seed": 3, "settings": settings}
    signals = length_signals(parts.model, kv, plan, parts.rules, **options)

    assert rank_lengths(parts.model, kv, plan, parts.rules, **options) == [
        (signal != "certainty") * one.margin + (signal != "margin") * one.certainty
        for one in signals
    ]
