"""How well the engine guesses a span's length when nobody tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dgemma_ls.evaluation.cases import Case
from dgemma_ls.evaluation.summary import ALL, Figure, Metric, mean_figure, ratio_figure
from dgemma_ls.evaluation.systems import fill_case

if TYPE_CHECKING:
    from dgemma_engine import Engine

METRICS = {
    "within_0": Metric(title="as long as the truth"),
    "within_1": Metric(title="within 1 token"),
    "within_2": Metric(title="within 2 tokens"),
    "off_by": Metric(title="off by, tokens, of answers", is_share=False),
    "answered": Metric(title="answered"),
    "exact_told": Metric(title="exact match, told the length"),
    "exact_unknown": Metric(title="exact match, any length"),
    "exact_kept": Metric(title="any length / told the length"),
}

_TOLERANCES = {"within_0": 0, "within_1": 1, "within_2": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthOutcome:
    """One case asked twice.

    Attributes:
        true_length: tokens of the truth, as the engine counts spans.
        length: those of the answer without a length told; ``None`` for no answer.
        exact_unknown: whether that answer is the truth.
        exact_told: whether the answer is the truth when the length is told.
    """

    true_length: int
    length: int | None
    exact_unknown: bool
    exact_told: bool


def measure_length(engine: "Engine", case: Case, *, n_steps: int) -> LengthOutcome:
    """Ask for a case without its length and with it."""
    engine.prefixes.clear()  # so that no case depends on those before it, not even by rounding
    unknown = fill_case(engine, case, n_steps=n_steps, length_known=False).candidates
    told = fill_case(engine, case, n_steps=n_steps).candidates
    # Not the candidate's own count: the same text may have been put together of other tokens.
    length = None
    if unknown:
        length = engine.span_tokens(case.prefix, unknown[0].text)
    return LengthOutcome(
        true_length=engine.span_tokens(case.prefix, case.truth),
        length=length,
        exact_unknown=bool(unknown) and unknown[0].text == case.truth,
        exact_told=bool(told) and told[0].text == case.truth,
    )


def sum_up(cases: Sequence[Case], outcomes: Sequence[LengthOutcome], *, seed: int) -> list[Figure]:
    """Give the figures by bucket and over all. No answer is never as long as the truth."""
    figures: list[Figure] = []
    for group in dict.fromkeys([*(case.bucket for case in cases), ALL]):
        chosen = [
            (case, outcome)
            for case, outcome in zip(cases, outcomes, strict=True)
            if group in (case.bucket, ALL)
        ]
        files = [case.document.path for case, _ in chosen]
        figures += _figures(group, [outcome for _, outcome in chosen], files, seed)
    return figures


def _figures(
    group: str, outcomes: Sequence[LengthOutcome], files: Sequence[str], seed: int
) -> list[Figure]:
    off = [None if o.length is None else abs(o.length - o.true_length) for o in outcomes]
    answered = [float(n is not None) for n in off]
    unknown = [float(o.exact_unknown) for o in outcomes]
    told = [float(o.exact_told) for o in outcomes]
    means = {
        **{
            name: [float(n is not None and n <= most) for n in off]
            for name, most in _TOLERANCES.items()
        },
        "answered": answered,
        "exact_told": told,
        "exact_unknown": unknown,
    }
    figures: list[Figure] = []
    for name, values in means.items():
        figures += mean_figure(group, name, values, files, seed=seed)
    off_by = [float(n or 0) for n in off]
    figures += ratio_figure(group, "off_by", off_by, answered, files, seed=seed)
    figures += ratio_figure(group, "exact_kept", unknown, told, files, seed=seed)
    return figures
