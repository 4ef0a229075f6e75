"""The denoising loop with clamps, against a naive loop that computes everything for everyone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import DiffusionGemmaForBlockDiffusion

from dgemma_engine.config import GenerationConfig
from dgemma_engine.infill.denoise import Step
from dgemma_engine.infill.fill import Filled, fill_rows
from dgemma_engine.infill.planner import CanvasPlan, plan_canvases
from dgemma_engine.infill.settings import InfillSettings
from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.types import CancelToken, StopReason
from tests.engine.conftest import Pair
from tests.engine.oracle import TRAINING_TEXT

PREFIX, SUFFIX = TRAINING_TEXT.split("path).split", 1)
PREFIX += "\n"  # nothing is begun before the gap
NEVER_DONE = GenerationConfig(stability_threshold=1000)


def plan_of(
    pair: Pair,
    prefix: str = PREFIX,
    suffix: str = SUFFIX,
    lengths: Sequence[int] = (1, 2, 4),
    settings: InfillSettings | None = None,
) -> CanvasPlan:
    return plan_canvases(
        prefix,
        suffix,
        lengths,
        pair.engine.tokenizer,
        settings or pair.engine.infill_settings,
        bos_id=2,
        eos_id=1,
        canvas_length=64,
    )


def rules_of(pair: Pair) -> TokenRules:
    engine = pair.engine
    return TokenRules(engine.tokenizer, engine.config.vocab_size, torch.device("cpu"))


def fill(pair: Pair, plan: CanvasPlan, **changes: Any) -> Filled:
    arguments: dict[str, Any] = {
        "single_line": True,
        "n_steps": 3,
        "seed": 0,
        "config": NEVER_DONE,
        "settings": pair.engine.infill_settings,
        "cancel": CancelToken(),
    } | changes
    kv = pair.engine.encode(plan.context_ids).kv
    return fill_rows(pair.engine.model, kv, plan, rules_of(pair), **arguments)


def naive_fill(
    pair: Pair,
    plan: CanvasPlan,
    *,
    n_steps: int,
    seed: int,
    known_at_once: bool,
    allowed: Callable[[int, bool, bool, int], bool],
    clamps_as: str = "token",
) -> list[tuple[int, ...]]:
    """Denoise with whole canvases and the reference model; clamps are written back every step.

    ``allowed(n_tokens, is_first, is_last, token)`` says which tokens may stand where.
    """
    model: DiffusionGemmaForBlockDiffusion = pair.reference
    vocab_size = pair.engine.config.vocab_size
    generator = torch.Generator().manual_seed(seed)
    known = torch.tensor([row.ids for row in plan.rows])
    is_free = torch.zeros_like(known, dtype=torch.bool)
    for idx, row in enumerate(plan.rows):
        is_free[idx, row.start : row.start + row.n_tokens] = True
    spots = is_free.nonzero().tolist()
    noise = torch.randint(vocab_size, known.shape, generator=generator)
    canvas = torch.where(is_free, noise, known)
    # One-hot logits: the soft embedding of a clamped position is its token's embedding.
    certain = torch.full((*known.shape, vocab_size), -torch.inf).scatter(2, known[:, :, None], 0.0)
    believed: Tensor | None = None
    beliefs = known.clone()
    prompts = torch.tensor([plan.context_ids] * len(plan.rows))
    for remaining in range(n_steps, 0, -1):
        conditioning = None
        if believed is not None:
            conditioning = torch.where(is_free[:, :, None], believed, certain)
            if clamps_as == "own":
                conditioning = believed
        with torch.no_grad():
            if conditioning is None and known_at_once:
                logits = logits_conditioned_at(model, prompts, canvas, certain, ~is_free)
            elif conditioning is not None and clamps_as == "nothing":
                logits = logits_conditioned_at(model, prompts, canvas, conditioning, is_free)
            else:
                logits = model(
                    input_ids=prompts,
                    decoder_input_ids=canvas,
                    self_conditioning_logits=conditioning,
                ).logits
        for b, c in spots:
            row = plan.rows[b]
            place = c - row.start
            first, last = place == 0, place == row.n_tokens - 1
            for token in range(vocab_size):
                if not allowed(row.n_tokens, first, last, token):
                    logits[b, c, token] = -torch.inf
        scaled = logits / (0.4 + 0.4 * remaining / n_steps)
        probabilities = torch.stack([scaled[b, c].softmax(-1) for b, c in spots])
        drawn = torch.multinomial(probabilities, 1, generator=generator).squeeze(1)
        noise = torch.randint(vocab_size, known.shape, generator=generator)
        entropies = [
            torch.distributions.Categorical(logits=scaled[b, c]).entropy().item() for b, c in spots
        ]
        for b in range(len(plan.rows)):
            ranked = sorted(
                (entropies[k], k) for k, (row_idx, _) in enumerate(spots) if row_idx == b
            )
            total = 0.0
            for entropy, k in ranked:
                c = spots[k][1]
                canvas[b, c] = drawn[k] if total <= 0.1 else noise[b, c]
                beliefs[b, c] = scaled[b, c].argmax()
                total += entropy
        believed = scaled
    return [
        tuple(beliefs[idx, row.start : row.start + row.n_tokens].tolist())
        for idx, row in enumerate(plan.rows)
    ]


def logits_conditioned_at(
    model: DiffusionGemmaForBlockDiffusion,
    prompts: Tensor,
    canvas: Tensor,
    conditioning: Tensor,
    places: Tensor,
) -> Tensor:
    """Logits where only some places are self-conditioned, and the others on nothing."""
    decoder = model.model.decoder
    original = decoder.self_conditioning.forward

    def forward(embeddings: Tensor, soft: Tensor) -> Tensor:
        result: Tensor = original(embeddings, soft * places[:, :, None])
        return result

    decoder.self_conditioning.forward = forward
    try:
        logits: Tensor = model(
            input_ids=prompts, decoder_input_ids=canvas, self_conditioning_logits=conditioning
        ).logits
        return logits
    finally:
        decoder.self_conditioning.forward = original


def text_only(pair: Pair, *, line_ends: bool) -> Callable[[int, bool, bool, int], bool]:
    table = pair.engine.tokenizer.token_bytes

    def allowed(_n_tokens: int, _first: bool, _last: bool, token: int) -> bool:
        raw = table[token] if token < len(table) else b""
        return raw != b"" and (line_ends or not set(raw) & set(b"\r\n"))

    return allowed


@pytest.mark.parametrize("known_at_once", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_spans_equal_those_of_a_naive_loop_over_the_reference_model(
    textual: Pair, seed: int, known_at_once: bool
) -> None:
    plan = plan_of(textual)
    assert plan.context_ids
    assert not plan.head
    settings = replace(textual.engine.infill_settings, clamps_known_at_once=known_at_once)

    ours = fill(textual, plan, n_steps=2, seed=seed, settings=settings)

    assert [row.ids for row in ours.rows] == naive_fill(
        textual,
        plan,
        n_steps=2,
        seed=seed,
        known_at_once=known_at_once,
        allowed=text_only(textual, line_ends=False),
    )
    assert [row.row for row in ours.rows] == list(plan.rows)
    assert ours.stop is StopReason.MAX_STEPS
    assert ours.forwards == 2
    assert [row.forwards for row in ours.rows] == [2, 2, 2]


@pytest.mark.parametrize("clamps_as", ["own", "nothing"])
def test_clamps_conditioned_otherwise_equal_a_naive_loop_as_well(
    textual: Pair, clamps_as: str
) -> None:
    plan = plan_of(textual)
    settings = replace(textual.engine.infill_settings, clamps_as=clamps_as)

    ours = fill(textual, plan, n_steps=3, seed=1, settings=settings)

    assert [row.ids for row in ours.rows] == naive_fill(
        textual,
        plan,
        n_steps=3,
        seed=1,
        known_at_once=False,  # before the first step the model has said nothing of its own
        allowed=text_only(textual, line_ends=False),
        clamps_as=clamps_as,
    )
    assert ours.rows != fill(textual, plan, n_steps=3, seed=1).rows


def test_clamped_ids_are_in_every_canvas_that_the_model_sees(
    textual: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []
    original = Transformer.decode

    def record(self: Transformer, canvas: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        seen.append(canvas.clone())
        return original(self, canvas, *args, **kwargs)

    monkeypatch.setattr(Transformer, "decode", record)
    plan = plan_of(textual)
    fill(textual, plan, n_steps=4)

    assert len(seen) == 4
    known = torch.tensor([row.ids for row in plan.rows])
    for canvas in seen:
        for idx, row in enumerate(plan.rows):
            span = slice(row.start, row.start + row.n_tokens)
            assert torch.equal(canvas[idx, : row.start], known[idx, : row.start])
            assert torch.equal(canvas[idx, span.stop :], known[idx, span.stop :])
    spans = {tuple(canvas[2, row.start : row.start + 4].tolist()) for canvas in seen}
    assert len(spans) == 4  # while the span is noised again and again


def all_bytes(pair: Pair, filled: Filled) -> list[bytes]:
    return [pair.engine.tokenizer.decode_bytes(row.ids) for row in filled.rows]


def test_a_single_line_span_holds_no_line_break(textual: Pair) -> None:
    plan = plan_of(textual, lengths=(4, 8, 16))
    with_breaks = 0
    for seed in range(4):
        for raw in all_bytes(textual, fill(textual, plan, seed=seed, n_steps=2)):
            assert not set(raw) & set(b"\r\n")
        free = fill(textual, plan, seed=seed, n_steps=2, single_line=False)
        with_breaks += sum(b"\n" in raw for raw in all_bytes(textual, free))
    assert with_breaks  # the model likes them where they are allowed


def test_tokens_that_are_no_text_never_come_out(textual: Pair) -> None:
    """The checkpoint likes special tokens and ids that the tokenizer does not know."""
    tokenizer = textual.engine.tokenizer
    plan = plan_of(textual, lengths=(8, 16))
    for seed in range(4):
        filled = fill(textual, plan, seed=seed, n_steps=2, single_line=False)
        for row in filled.rows:
            assert all(tokenizer.token_bytes[token] for token in row.ids)
    reports: list[Any] = []
    textual.engine.generate([2], max_new_tokens=64, steps=2, on_step=reports.append)
    liked = set(reports[-1].token_ids)
    assert liked & (set(tokenizer.special_ids) | set(range(tokenizer.vocab_size, 999)))


def test_a_begun_word_begins_the_first_token(textual: Pair) -> None:
    tokenizer = textual.engine.tokenizer
    word = max((raw for raw in tokenizer.token_bytes if raw.isalpha()), key=len).decode()
    plan = plan_of(textual, f"x = ({word[:2]}", "\n", (1, 3))
    assert plan.head == word[:2]
    assert any(row.given for row in plan.rows)
    assert any(row.must_start for row in plan.rows)
    for seed in range(4):
        for filled in fill(textual, plan, seed=seed).rows:
            assert tokenizer.decode_bytes(filled.ids).startswith(word[:2].encode())
            if not filled.row.given:
                assert tokenizer.token_bytes[filled.ids[0]].startswith(word[:2].encode())


def test_one_seed_gives_one_result_and_leaves_the_global_random_state_alone(
    textual: Pair,
) -> None:
    plan = plan_of(textual, lengths=(4, 8))
    before = torch.get_rng_state()
    first = fill(textual, plan, seed=7)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(5)
    assert fill(textual, plan, seed=7) == first
    assert any(fill(textual, plan, seed=seed).rows != first.rows for seed in (8, 9, 10))


def test_rows_that_are_done_leave_the_batch_and_keep_their_result(
    textual: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    original = Transformer.decode

    def record(self: Transformer, canvas: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        sizes.append(len(canvas))
        return original(self, canvas, *args, **kwargs)

    monkeypatch.setattr(Transformer, "decode", record)
    plan = plan_of(textual, lengths=(1, 2, 4, 8))
    # Only certainty is asked for: at once where the first step is certain enough.
    one_step = fill(textual, plan, n_steps=1)
    certainties = sorted(-row.confidence for row in one_step.rows)
    # Twelve steps begin at the temperature of one step; rows below the middle are done then.
    threshold = (certainties[1] + certainties[2]) / 2
    config = GenerationConfig(stability_threshold=0, confidence_threshold=threshold)
    sizes.clear()

    filled = fill(textual, plan, n_steps=12, config=config)

    assert sizes[:2] == [4, 2]
    assert sizes == sorted(sizes, reverse=True)
    assert filled.forwards == len(sizes)
    assert filled.token_forwards == sum(sizes) * len(plan.rows[0].ids)
    for before, after in zip(one_step.rows, filled.rows, strict=True):
        if -before.confidence < threshold:
            assert after == before
        else:
            assert after.forwards > 1


def test_everything_done_is_a_stable_stop(textual: Pair) -> None:
    config = GenerationConfig(stability_threshold=0, confidence_threshold=100.0)
    filled = fill(textual, plan_of(textual), n_steps=9, config=config)
    assert filled.stop is StopReason.STABLE
    assert filled.forwards == 1


def test_cancelling_stops_at_the_next_step_and_returns_nothing(textual: Pair) -> None:
    for cancelled_at in (0, 1, 3):
        cancel = CancelToken()
        if not cancelled_at:
            cancel.cancel()
        steps: list[int] = []

        def on_step(
            step: Step,
            steps: list[int] = steps,
            cancel: CancelToken = cancel,
            cancelled_at: int = cancelled_at,
        ) -> None:
            steps.append(step.number)
            if step.number == cancelled_at:
                cancel.cancel()

        plan = plan_of(textual)
        filled = fill(textual, plan, n_steps=9, cancel=cancel, on_step=on_step)

        assert filled == Filled(
            rows=(),
            stop=StopReason.CANCELLED,
            forwards=cancelled_at,
            token_forwards=cancelled_at * sum(len(row.ids) for row in plan.rows),
        )
        assert steps == list(range(1, cancelled_at + 1))


def test_at_the_deadline_what_is_there_is_returned(textual: Pair) -> None:
    now = 0.0

    def tick(_step: Step) -> None:
        nonlocal now
        now += 1.0

    plan = plan_of(textual)
    cancel = CancelToken(deadline=2.0, clock=lambda: now)
    filled = fill(textual, plan, n_steps=9, cancel=cancel, on_step=tick)

    assert filled.stop is StopReason.DEADLINE
    assert filled.forwards == 2
    assert [row.forwards for row in filled.rows] == [2, 2, 2]

    late = fill(textual, plan, n_steps=9, cancel=CancelToken(deadline=0.0, clock=lambda: now))
    assert late == Filled(rows=(), stop=StopReason.DEADLINE, forwards=0)
