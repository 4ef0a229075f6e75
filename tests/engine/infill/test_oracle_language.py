"""Infilling algorithms under a model that knows everything: what fails is the algorithm's fault."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch

from dgemma_engine.config import GenerationConfig
from dgemma_engine.infill.fill import fill_rows
from dgemma_engine.infill.lengths import length_signals, rank_lengths
from dgemma_engine.infill.parts import Parts
from dgemma_engine.infill.planner import CanvasPlan
from dgemma_engine.infill.repair import repair
from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.types import CancelToken, Span
from tests.engine.infill.oracle_language import (
    BETWEEN,
    SETTINGS,
    STATES,
    TEXT_TOKENS,
    TOKENIZER,
    VOCAB_SIZE,
    Gap,
    OracleCache,
    OracleModel,
    State,
    argument_gaps,
    choices,
    class_of,
    is_valid,
    random_gaps,
    read,
)

RULES = TokenRules(TOKENIZER, VOCAB_SIZE, torch.device("cpu"))  # type: ignore[arg-type]
LENGTHS = tuple(range(1, 14))
FEW, MANY = 10, 60


def wilson(n_right: int, n_all: int) -> tuple[float, float]:
    """The 95 % interval of a rate."""
    z, p = 1.96, n_right / n_all
    middle = (p + z * z / (2 * n_all)) / (1 + z * z / n_all)
    half = z * math.sqrt(p * (1 - p) / n_all + z * z / (4 * n_all**2)) / (1 + z * z / n_all)
    return middle - half, middle + half


def report(what: str, n_right: int, n_all: int) -> float:
    low, high = wilson(n_right, n_all)
    print(f"{what}: {n_right}/{n_all} = {n_right / n_all:.3f} (95 %: {low:.3f}-{high:.3f})")
    return n_right / n_all


def language(state: State, n_tokens: int) -> Iterator[tuple[tuple[int, ...], float]]:
    """Every token sequence of a length, with its probability."""
    if not n_tokens:
        yield (), 1.0
        return
    for token in range(VOCAB_SIZE):
        name = class_of(token)
        if name is not None and name in choices(state):
            probability, following = choices(state)[name]
            for rest, p_rest in language(following, n_tokens - 1):
                yield (token, *rest), probability * p_rest / (50 if name == "name" else 1)


@pytest.mark.parametrize("start", [("item", 2), ("after item", 5), ("call", 1), (";", 0)])
@pytest.mark.parametrize("rates", [(0.7,), (0.3, 0.9)])
def test_the_posteriors_are_those_of_bayes_rule(start: State, rates: tuple[float, ...]) -> None:
    generator = torch.Generator().manual_seed(STATES.index(start))
    canvas = torch.randint(VOCAB_SIZE, (2, 3), generator=generator)
    canvas[1] = torch.tensor(next(language(start, 3))[0])
    expected = torch.zeros(2, 3, VOCAB_SIZE, dtype=torch.float64)
    for tokens, prior in language(start, 3):
        for row, seen in enumerate(canvas.tolist()):
            weight = prior * sum(
                math.prod(
                    rate * (a == b) + (1 - rate) / VOCAB_SIZE
                    for a, b in zip(tokens, seen, strict=True)
                )
                for rate in rates
            )
            for place, token in enumerate(tokens):
                expected[row, place, token] += weight
    expected /= expected.sum(dim=-1, keepdim=True)

    torch.testing.assert_close(OracleModel(rates).posteriors(canvas, start), expected)


def test_gaps_are_of_the_language_and_their_truth_is_read_as_valid() -> None:
    for gap in [*argument_gaps(20, 0, is_call=True), *random_gaps(20, 1)]:
        assert is_valid(gap.prefix + gap.truth + gap.suffix)
        assert not is_valid(gap.prefix + gap.truth + "=" + gap.suffix)
    assert read(TOKENIZER.encode("a=2(b,c);"), ("statement", 0)) is not None
    assert read(TOKENIZER.encode("a=3(b,c);"), ("statement", 0)) is None
    assert read(TOKENIZER.encode("a=(b,c)1;"), ("statement", 0)) is None


def fill(model: OracleModel, gap: Gap, plan: CanvasPlan, seed: int) -> list[str]:
    """The whole document with each filled row of a plan."""
    cache: OracleCache = model.encode_context(plan.context_ids)
    filled = fill_rows(
        model,  # type: ignore[arg-type]
        cache,  # type: ignore[arg-type]
        plan,
        RULES,
        single_line=True,
        n_steps=SETTINGS.n_steps,
        seed=seed,
        config=GenerationConfig(),
        settings=SETTINGS,
        cancel=CancelToken(),
    )
    texts = [TOKENIZER.decode(row.ids) for row in filled.rows]
    assert all(text.startswith(plan.head) for text in texts)
    return [gap.prefix + text[len(plan.head) :] + gap.suffix for text in texts]


GAPS = {
    "arguments of a call": lambda n: argument_gaps(n, 10, is_call=True),
    "items before their count": lambda n: argument_gaps(n, 11, is_call=False),
    "anything": lambda n: random_gaps(n, 12),
}


@pytest.mark.parametrize("n_gaps", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", GAPS)
def test_at_the_right_length_at_least_95_percent_of_fills_are_valid(kind: str, n_gaps: int) -> None:
    model = OracleModel()
    n_valid = n_rows = 0
    for seed, gap in enumerate(GAPS[kind](n_gaps)):
        for text in fill(model, gap, gap.plan([len(gap.truth)]), seed):
            n_valid += is_valid(text)
            n_rows += 1
    assert n_rows >= n_gaps
    assert report(f"valid, {kind}", n_valid, n_rows) >= 0.95


def test_at_a_wrong_length_next_to_no_fill_is_valid() -> None:
    """So the language does punish a wrong length, and the test above says something."""
    model = OracleModel()
    gaps = list(argument_gaps(FEW, 13, is_call=True))
    n_valid = sum(
        is_valid(text)
        for seed, gap in enumerate(gaps)
        for text in fill(model, gap, gap.plan([len(gap.truth) + 2]), seed)
    )
    assert n_valid == 0


@pytest.mark.parametrize("n_gaps", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["arguments of a call", "items before their count"])
@pytest.mark.parametrize("n_draws", [1, 4])
def test_the_context_margin_finds_the_length_in_at_least_85_percent(
    kind: str, n_draws: int, n_gaps: int
) -> None:
    model = OracleModel()
    n_right = n_all = 0
    for seed, gap in enumerate(GAPS[kind](n_gaps)):
        plan = gap.plan(LENGTHS)
        signals = length_signals(
            model,  # type: ignore[arg-type]
            model.encode_context(plan.context_ids),  # type: ignore[arg-type]
            plan,
            RULES,
            single_line=True,
            n_draws=n_draws,
            seed=seed,
            settings=SETTINGS,
        )
        margins = [signal.margin for signal in signals]
        n_right += plan.rows[margins.index(max(margins))].n_tokens == len(gap.truth)
        n_all += 1
    assert report(f"length, {kind}, R = {n_draws}", n_right, n_all) >= 0.85


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["arguments of a call", "items before their count"])
def test_the_ranking_finds_the_length_in_at_least_85_percent(kind: str) -> None:
    model = OracleModel()
    n_right = n_in_three = n_all = 0
    for seed, gap in enumerate(GAPS[kind](60)):
        plan = gap.plan(LENGTHS)
        scores = rank_lengths(
            model,  # type: ignore[arg-type]
            model.encode_context(plan.context_ids),  # type: ignore[arg-type]
            plan,
            RULES,
            single_line=True,
            n_draws=4,
            seed=seed,
            settings=SETTINGS,
        )
        of_truth = scores[LENGTHS.index(len(gap.truth))]
        n_better = sum(score > of_truth for score in scores)
        n_right += not n_better
        n_in_three += n_better < 3
        n_all += 1
    report(f"among the best three, {kind}", n_in_three, n_all)
    assert report(f"ranked first, {kind}", n_right, n_all) >= 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class GrammarCheck:
    """Finds the first token that no document goes on with; like a parser, it knows no more."""

    gap: Gap

    def bad_spans(self, text: str) -> tuple[Span, ...]:
        if is_valid(self.gap.prefix + text + self.gap.suffix):
            return ()
        state = read(TOKENIZER.encode(self.gap.prefix), BETWEEN)
        for place, token in enumerate(TOKENIZER.encode(text)):
            if state is None or (state := read([token], state)) is None:
                return (Span(start=place, end=place + 1),)
        return (Span(start=max(0, len(text) - 1), end=len(text)),)  # it shows only after the gap


def with_errors(gap: Gap, rng: random.Random) -> str:
    """The truth with one to three tokens changed so that it is none."""
    text = gap.truth
    while is_valid(gap.prefix + text + gap.suffix):
        chars = list(gap.truth)
        for place in rng.sample(range(len(chars)), min(len(chars), rng.randint(1, 3))):
            chars[place] = rng.choice(TEXT_TOKENS)
        text = "".join(chars)
    return text


@pytest.mark.parametrize("n_gaps", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", GAPS)
def test_the_repair_loop_mends_at_least_95_percent_of_injected_errors(
    kind: str, n_gaps: int
) -> None:
    model = OracleModel()
    parts = Parts(
        model=model,  # type: ignore[arg-type]
        prefixes=None,  # type: ignore[arg-type]
        tokenizer=TOKENIZER,  # type: ignore[arg-type]
        rules=RULES,
        config=GenerationConfig(),
        settings=SETTINGS,
    )
    rng = random.Random(14)
    n_mended = n_all = n_forwards = 0
    for seed, gap in enumerate(GAPS[kind](n_gaps)):
        plan = gap.plan([len(gap.truth)])
        broken = with_errors(gap, rng)
        mended = repair(
            parts,
            model.encode_context(plan.context_ids),  # type: ignore[arg-type]
            plan,
            TOKENIZER.encode(plan.head + broken),
            GrammarCheck(gap=gap),
            around=(gap.prefix, gap.suffix),
            single_line=True,
            seed=seed,
            cancel=CancelToken(),
        )
        n_all += 1
        n_forwards += mended.forwards
        if mended.ids is not None:
            text = TOKENIZER.decode(mended.ids)
            assert text.startswith(plan.head)
            assert is_valid(gap.prefix + text[len(plan.head) :] + gap.suffix)
            n_mended += 1
    print(f"{n_forwards / n_all:.1f} forwards per repair")
    assert report(f"mended, {kind}", n_mended, n_all) >= 0.95
