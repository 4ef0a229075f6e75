"""Lengths of answers against the truth's."""

from typing import Any, cast

import pytest

from dgemma_engine.types import Origin
from dgemma_ls.evaluation.cases import Case
from dgemma_ls.evaluation.lengths import LengthOutcome, measure_length, sum_up
from tests.ls.evaluation.fakes import FakeEngine, WordTokenizer, case

ASKED = case("def add(first, second):\n    return ├first + second┤\n")


def measure(unknown: str, told: str) -> tuple[LengthOutcome, FakeEngine]:
    def answer(prefix: str, suffix: str, options: dict[str, Any]) -> list[tuple[str, Origin]]:
        text = unknown if options["lengths"] is None else told
        return [(text, Origin.DENOISED), ("other", Origin.COPIED)] if text else []

    engine = FakeEngine(WordTokenizer(ASKED.document.text), answer)
    return measure_length(cast("Any", engine), ASKED, n_steps=2), engine


def test_a_case_is_asked_with_its_length_and_without() -> None:
    outcome, engine = measure("first", "first + second")
    assert outcome == LengthOutcome(true_length=4, length=1, exact_unknown=False, exact_told=True)
    assert [asked["lengths"] for asked in engine.asked] == [None, (4,)]
    assert {asked["steps"] for asked in engine.asked} == {2}


def test_no_answer_has_no_length() -> None:
    outcome, _ = measure("", "")
    assert outcome == LengthOutcome(
        true_length=4, length=None, exact_unknown=False, exact_told=False
    )


def test_figures_are_by_bucket_and_over_all() -> None:
    cases: list[Case] = [case("├a┤", bucket=bucket) for bucket in ("1", "1", "rest", "rest")]
    outcomes = [
        LengthOutcome(true_length=1, length=1, exact_unknown=True, exact_told=True),
        LengthOutcome(true_length=1, length=None, exact_unknown=False, exact_told=True),
        LengthOutcome(true_length=4, length=6, exact_unknown=False, exact_told=False),
        LengthOutcome(true_length=4, length=3, exact_unknown=False, exact_told=False),
    ]
    figures = {(f.group, f.metric): f.interval.mean for f in sum_up(cases, outcomes, seed=0)}

    assert [figures["all", f"within_{n}"] for n in (0, 1, 2)] == [0.25, 0.5, 0.75]
    assert figures["1", "within_2"] == 0.5
    assert figures["all", "off_by"] == 1.0
    assert figures["rest", "off_by"] == 1.5
    assert figures["all", "answered"] == 0.75
    assert (figures["1", "exact_told"], figures["1", "exact_unknown"]) == (1.0, 0.5)
    assert figures["1", "exact_kept"] == 0.5
    assert ("rest", "exact_kept") not in figures
    assert figures["all", "exact_kept"] == pytest.approx(0.5)
