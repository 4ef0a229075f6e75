"""Is the right text among the candidates, and does the judge find it?

What the engine gets right is coverage times selection: how often some proposer comes up with the
truth, and how often the judge then puts it first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dgemma_engine.types import Origin
from dgemma_ls.evaluation.cases import Case
from dgemma_ls.evaluation.summary import ALL, Figure, Metric, mean_figure, ratio_figure
from dgemma_ls.evaluation.systems import fill_case

if TYPE_CHECKING:
    from dgemma_engine import Engine

METRICS = {
    "coverage": Metric(title="truth among the candidates"),
    "selection": Metric(title="  and then put first"),
    "exact_match": Metric(title="truth put first"),
    "n_candidates": Metric(title="candidates", is_share=False),
}

ORIGIN_METRICS = {
    "proposed": Metric(title="truth comes from here"),
    "won": Metric(title="put first"),
    "right": Metric(title="  and then right"),
}
"""A text that several propose counts for the one whose proposal scores best."""

ORIGINS = {origin.value: origin.value for origin in Origin}

_MANY = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of one case.

    Attributes:
        n_candidates: distinct texts that were judged.
        truth_from: who proposed the truth; ``None`` where nobody did.
        first_from: who proposed the text put first; ``None`` for no candidate at all.
        first_is_right: whether that text is the truth.
    """

    n_candidates: int
    truth_from: Origin | None
    first_from: Origin | None
    first_is_right: bool


def measure_judge(engine: "Engine", case: Case, *, n_steps: int) -> Judged:
    """Ask for all candidates of a case, its length unknown."""
    engine.prefixes.clear()  # so that no case depends on those before it, not even by rounding
    result = fill_case(engine, case, n_steps=n_steps, length_known=False, n_candidates=_MANY)
    candidates = result.candidates
    right = next((one for one in candidates if one.text == case.truth), None)
    return Judged(
        n_candidates=len(candidates),
        truth_from=None if right is None else right.origin,
        first_from=candidates[0].origin if candidates else None,
        first_is_right=bool(candidates) and candidates[0].text == case.truth,
    )


def sum_up(cases: Sequence[Case], outcomes: Sequence[Judged], *, seed: int) -> list[Figure]:
    """Give the figures by bucket and over all, then by origin."""
    figures: list[Figure] = []
    for group in dict.fromkeys([*(case.bucket for case in cases), ALL]):
        chosen = [
            (case.document.path, outcome)
            for case, outcome in zip(cases, outcomes, strict=True)
            if group in (case.bucket, ALL)
        ]
        files = [path for path, _ in chosen]
        covered = [float(o.truth_from is not None) for _, o in chosen]
        right = [float(o.first_is_right) for _, o in chosen]
        numbers = [float(o.n_candidates) for _, o in chosen]
        figures += mean_figure(group, "coverage", covered, files, seed=seed)
        figures += ratio_figure(group, "selection", right, covered, files, seed=seed)
        figures += mean_figure(group, "exact_match", right, files, seed=seed)
        figures += mean_figure(group, "n_candidates", numbers, files, seed=seed)
    files = [case.document.path for case in cases]
    for origin in Origin:
        proposed = [float(o.truth_from is origin) for o in outcomes]
        won = [float(o.first_from is origin) for o in outcomes]
        right = [float(o.first_from is origin and o.first_is_right) for o in outcomes]
        figures += mean_figure(origin.value, "proposed", proposed, files, seed=seed)
        figures += mean_figure(origin.value, "won", won, files, seed=seed)
        figures += ratio_figure(origin.value, "right", right, won, files, seed=seed)
    return figures
