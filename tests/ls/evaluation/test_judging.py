"""The truth among candidates, first or not."""

from typing import Any, cast

import pytest

from dgemma_engine.types import Origin
from dgemma_ls.evaluation.judging import Judged, measure_judge, sum_up
from tests.ls.evaluation.fakes import FakeEngine, WordTokenizer, case

ASKED = case("def add(first, second):\n    return ├first + second┤\n")
TRUTH = ASKED.truth


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            [("x", Origin.COPIED), (TRUTH, Origin.DENOISED)],
            Judged(
                n_candidates=2,
                truth_from=Origin.DENOISED,
                first_from=Origin.COPIED,
                first_is_right=False,
            ),
        ),
        (
            [(TRUTH, Origin.CONTINUED)],
            Judged(
                n_candidates=1,
                truth_from=Origin.CONTINUED,
                first_from=Origin.CONTINUED,
                first_is_right=True,
            ),
        ),
        ([], Judged(n_candidates=0, truth_from=None, first_from=None, first_is_right=False)),
    ],
)
def test_a_case_says_where_the_truth_and_the_winner_come_from(
    answers: list[tuple[str, Origin]], expected: Judged
) -> None:
    engine = FakeEngine(WordTokenizer(ASKED.document.text), lambda *asked: answers)
    assert measure_judge(cast("Any", engine), ASKED, n_steps=2) == expected
    (asked,) = engine.asked
    assert asked["lengths"] is None
    assert asked["n_candidates"] > 1000


def test_selection_is_of_what_is_covered_and_origins_of_all() -> None:
    def judged(truth: Origin | None, first: Origin | None, *, right: bool) -> Judged:
        return Judged(n_candidates=4, truth_from=truth, first_from=first, first_is_right=right)

    cases = [case("├a┤", bucket=bucket) for bucket in ("1", "1", "rest", "rest")]
    outcomes = [
        judged(Origin.COPIED, Origin.COPIED, right=True),
        judged(Origin.DENOISED, Origin.COPIED, right=False),
        judged(None, Origin.DENOISED, right=False),
        judged(None, None, right=False),
    ]
    figures = {(f.group, f.metric): f.interval.mean for f in sum_up(cases, outcomes, seed=0)}

    assert (figures["all", "coverage"], figures["all", "selection"]) == (0.5, 0.5)
    assert (figures["1", "coverage"], figures["1", "exact_match"]) == (1.0, 0.5)
    assert ("rest", "selection") not in figures
    assert (figures["copied", "won"], figures["copied", "right"]) == (0.5, 0.5)
    assert (figures["denoised", "proposed"], figures["denoised", "won"]) == (0.25, 0.25)
    assert figures["denoised", "right"] == 0.0
    assert figures["continued", "won"] == 0.0
    assert ("continued", "right") not in figures
