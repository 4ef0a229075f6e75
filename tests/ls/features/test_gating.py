"""The gate as the engine's check: verdicts are found once, and faults have places."""

import pytest

from dgemma_engine.types import Candidate, InfillResult, Span, StopReason
from dgemma_ls import gate
from dgemma_ls.features import fill
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.types import Edit, Refusal, RefusalReason
from tests.ls.features.test_fill import document


def test_a_good_text_has_no_bad_span_and_becomes_the_edit() -> None:
    snapshot, span = document("f(║)\n")
    check = GateCheck(snapshot, span)
    assert check.bad_spans("a, b") == ()
    assert check.verdict("a, b") == Edit(uri="a", version=3, span=span, new_text="a, b")
    assert check.first_refusal is None


def test_the_place_of_a_fault_is_told() -> None:
    snapshot, span = document("x = ║\ny = 2\n")
    (bad,) = GateCheck(snapshot, span).bad_spans("alpha + beta ) ")
    assert ")" in "alpha + beta ) "[bad.start : bad.end]
    assert bad.start > 0  # not all of it


@pytest.mark.parametrize(
    ("marked", "text", "reason"),
    [
        ("x = ║\n", "   ", RefusalReason.EMPTY),
        ("x = ║return y\n", "return y\n", RefusalReason.REPEATS_SUFFIX),
    ],
)
def test_what_no_repair_can_mend_is_bad_as_a_whole(
    marked: str, text: str, reason: RefusalReason
) -> None:
    check = GateCheck(*document(marked))
    assert check.bad_spans(text) == (Span(start=0, end=len(text)),)
    assert check.first_refusal == Refusal(reason=reason)


def test_what_was_asked_before_is_not_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    check = GateCheck(*document("f(║)\n"))
    assert check.bad_spans("a") == ()
    monkeypatch.setattr(gate, "check", None)
    assert isinstance(check.verdict("a"), Edit)


def test_if_the_engine_was_left_with_nothing_the_reason_is_the_gates() -> None:
    snapshot, span = document("f(║)\n")
    check = GateCheck(snapshot, span)
    check.bad_spans("((")
    nothing = InfillResult(
        candidates=(), stop=StopReason.STABLE, forwards=3, milliseconds=1.0, n_refused=1
    )
    refusal = fill.finish(snapshot, span, nothing, check=check)
    assert refusal == Refusal(reason=RefusalReason.BREAKS_PARSE)


def test_the_scores_of_the_engine_are_kept() -> None:
    snapshot, span = document("f(║)\n")
    candidates = tuple(
        Candidate(text=text, score=score, forwards=1, n_tokens=1)
        for text, score in (("a", -1.0), ("b", -2.0))
    )
    result = InfillResult(
        candidates=candidates, stop=StopReason.STABLE, forwards=3, milliseconds=1.0
    )
    proposals = fill.judge(snapshot, span, result, check=GateCheck(snapshot, span))
    assert not isinstance(proposals, Refusal)
    assert [(p.edit.new_text, p.score) for p in proposals] == [("a", -1.0), ("b", -2.0)]
