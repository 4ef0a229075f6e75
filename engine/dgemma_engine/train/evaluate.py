"""How well a checkpoint fills spans of held-out code when it is told their length.

Cases are spans of real tokens cut out of documents that training never saw. Exact match is the
share of spans that come back byte for byte; token accuracy compares token by token.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dgemma_engine.engine import Engine
from dgemma_engine.infill.planner import heal
from dgemma_engine.tokenizer import Tokenizer

BUCKETS = {"1": (1, 1), "2-4": (2, 4), "5-8": (5, 8), "9-16": (9, 16), "rest of line": (1, 24)}
"""Span lengths in tokens."""

_MIN_TOKENS_BEFORE = 100
_MAX_TRIES = 50

System = Callable[["Case"], str]
"""Fills a case; gives the text for the span."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One span to fill: ``prefix + truth + suffix`` is the document."""

    bucket: str
    prefix: str
    truth: str
    suffix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One system on one bucket; shares of 1."""

    system: str
    bucket: str
    n_cases: int
    exact_match: float
    token_accuracy: float


def draw_cases(
    documents: Sequence[str], tokenizer: Tokenizer, n_per_bucket: int, seed: int
) -> list[Case]:
    """Draw spans at random places of random documents, every bucket equally often."""
    rng = random.Random(seed)  # noqa: S311  (an experiment, not a secret)
    token_ids = [tokenizer.encode(text) for text in documents]
    cases = []
    for bucket in BUCKETS:
        for _ in range(n_per_bucket):
            for _ in range(_MAX_TRIES):
                case = _draw(rng.choice(token_ids), tokenizer, bucket, rng)
                if case is not None:
                    cases.append(case)
                    break
    return cases


def systems(engine: Engine, n_steps: int) -> dict[str, System]:
    """The ways to fill a case that are compared."""

    def denoiser(steps: int) -> System:
        return lambda case: _fill(engine, case, steps, _oracle_length(engine.tokenizer, case))

    return {
        "denoiser, 1 step": denoiser(1),
        f"denoiser, {n_steps} steps": denoiser(n_steps),
        "length unknown, judged": lambda case: _fill(engine, case, n_steps, None),
    }


def evaluate(
    cases: Sequence[Case],
    ways: dict[str, System],
    tokenizer: Tokenizer,
    report: Callable[[str], None],
) -> list[Score]:
    """Fill every case in every way."""
    scores = []
    for name, fill in ways.items():
        for bucket in BUCKETS:
            chosen = [case for case in cases if case.bucket == bucket]
            if not chosen:
                continue
            filled = [fill(case) for case in chosen]
            pairs = list(zip(chosen, filled, strict=True))
            score = Score(
                system=name,
                bucket=bucket,
                n_cases=len(chosen),
                exact_match=_mean(text == case.truth for case, text in pairs),
                token_accuracy=_mean(
                    _token_accuracy(tokenizer, case.truth, text) for case, text in pairs
                ),
            )
            report(table_row(score))
            scores.append(score)
    return scores


def table_row(score: Score) -> str:
    """Give one line of the table."""
    return (
        f"{score.system:<24} {score.bucket:>12}  n={score.n_cases:<5}"
        f" exact {100 * score.exact_match:5.1f} %  tokens {100 * score.token_accuracy:5.1f} %"
    )


def _draw(ids: Sequence[int], tokenizer: Tokenizer, bucket: str, rng: random.Random) -> Case | None:
    """Try one place; ``None`` where the bucket does not fit or bytes do not align."""
    if len(ids) < _MIN_TOKENS_BEFORE + 40:
        return None
    start = rng.randrange(_MIN_TOKENS_BEFORE, len(ids) - 32)
    shortest, longest = BUCKETS[bucket]
    n_tokens = rng.randint(shortest, longest)
    if bucket == "rest of line":
        line_end = next(
            (n for n in range(longest + 1) if b"\n" in tokenizer.token_bytes[ids[start + n]]), 0
        )
        n_tokens = line_end
    if not n_tokens:
        return None
    pieces = (ids[:start], ids[start : start + n_tokens], ids[start + n_tokens :])
    try:
        prefix, truth, suffix = (tokenizer.decode_bytes(piece).decode() for piece in pieces)
    except UnicodeDecodeError:
        return None
    if not truth.strip():
        return None
    return Case(bucket=bucket, prefix=prefix, truth=truth, suffix=suffix)


def _oracle_length(tokenizer: Tokenizer, case: Case) -> tuple[int, ...]:
    """Tokens of the true span together with the cut words that healing adds to it."""
    _, head, tail, _ = heal(case.prefix, case.suffix)
    return (len(tokenizer.encode(head + case.truth + tail)),)


def _fill(engine: Engine, case: Case, steps: int, lengths: tuple[int, ...] | None) -> str:
    result = engine.infill(
        case.prefix,
        case.suffix,
        lengths=lengths,
        multiline="\n" in case.truth,
        n_candidates=1,
        steps=steps,
    )
    return result.candidates[0].text if result.candidates else ""


def _token_accuracy(tokenizer: Tokenizer, truth: str, text: str) -> float:
    """Share of the true tokens that stand at their place."""
    true_ids, ids = tokenizer.encode(truth), tokenizer.encode(text)
    return sum(a == b for a, b in zip(true_ids, ids, strict=False)) / len(true_ids)


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values)
