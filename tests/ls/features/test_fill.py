"""The two halves around the engine. ║ is a cursor, ├ ┤ stand around a selection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.types import Candidate, InfillResult, Span, StopReason
from dgemma_ls.features.fill import FillRequest, finish, judge, lengths_around, prepare
from dgemma_ls.types import Refusal, RefusalReason, Snapshot
from tests.marks import unmarked


def document(marked: str) -> tuple[Snapshot, Span]:
    text, span = unmarked(marked)
    return Snapshot(uri="a", version=3, language_id="python", text=text), span


def answer(*texts: str, stop: StopReason = StopReason.STABLE) -> InfillResult:
    candidates = tuple(
        Candidate(text=text, score=-float(n), forwards=4, n_tokens=2)
        for n, text in enumerate(texts)
    )
    return InfillResult(candidates=candidates, stop=stop, forwards=4, milliseconds=20.0)


def check(marked: str, result: InfillResult, expect: list[str] | RefusalReason) -> None:
    snapshot, span = document(marked)
    outcome = finish(snapshot, span, result)
    if isinstance(expect, RefusalReason):
        assert outcome == Refusal(reason=expect)
    else:
        assert not isinstance(outcome, Refusal)
        assert [edit.new_text for edit in outcome] == expect
        assert {(edit.uri, edit.version, edit.span) for edit in outcome} == {("a", 3, span)}


def test_a_cursor_asks_for_one_line_of_any_length() -> None:
    assert prepare(*document("f(║)\ng()\n")) == FillRequest(
        prefix="f(", suffix=")\ng()\n", multiline=False, lengths=None
    )


def test_the_old_text_of_a_selection_is_neither_prefix_nor_suffix() -> None:
    assert prepare(*document("f(├a, b┤)\n"), lengths=[3, 4]) == FillRequest(
        prefix="f(", suffix=")\n", multiline=False, lengths=(3, 4)
    )


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_selection_of_several_lines_may_become_several_lines(line_end: str) -> None:
    assert prepare(*document(f"├a{line_end}b┤")).multiline


def test_a_span_past_the_end_is_our_bug_and_raises() -> None:
    snapshot, _ = document("║ab")
    with pytest.raises(ValueError, match="ends after the text"):
        prepare(snapshot, Span(start=0, end=4))


@given(st.integers(1, 256), st.integers(1, 256))
def test_the_selections_own_length_is_always_tried(n_tokens: int, most: int) -> None:
    if n_tokens > most:
        with pytest.raises(ValueError, match="must be 1"):
            lengths_around(n_tokens, most)
    else:
        lengths = lengths_around(n_tokens, most)
        assert n_tokens in lengths
        assert list(lengths) == sorted(set(lengths))
        assert 1 <= lengths[0] <= n_tokens <= lengths[-1] <= most


def test_candidates_keep_the_engines_order() -> None:
    check("f(║)\n", answer("b", "a", "c"), ["b", "a", "c"])


def test_candidates_that_break_the_parse_are_left_out() -> None:
    check("f(║)\n", answer("(", "a", "1 2"), ["a"])


def test_candidates_that_become_the_same_are_shown_once() -> None:
    check("f(║, b)\n", answer("a", "a, b)\n"), ["a"])


def test_an_overlap_is_cut_where_the_rest_parses() -> None:
    check("f(║, b)\n", answer("a, b)"), ["a"])


def test_an_overlap_stays_where_it_belongs_to_both_sides() -> None:
    check("f(g(║))\n", answer("h(k(1))"), ["h(k(1))"])


def test_a_bracket_too_many_is_cut() -> None:
    check("f(║)\n", answer("a, b)"), ["a, b"])
    check("f(║)\n", answer("g(a)"), ["g(a)"])


def test_new_lines_end_as_the_documents_do() -> None:
    check("x = 1\r\n║", answer("y = 2\nz = 3\n"), ["y = 2\r\nz = 3\r\n"])


def test_scores_stay_with_their_texts() -> None:
    proposals = judge(*document("f(║)\n"), answer("(", "a", "b"))

    assert not isinstance(proposals, Refusal)
    assert [(p.edit.new_text, p.score) for p in proposals] == [("a", -1.0), ("b", -2.0)]


def test_when_nothing_passes_the_best_candidates_reason_is_given() -> None:
    check("f(║)\n", answer("(", ""), RefusalReason.BREAKS_PARSE)
    check("f(║)\n", answer("", "("), RefusalReason.EMPTY)
    check("f()\n║g()\nh()\n", answer("g()\n", "("), RefusalReason.REPEATS_SUFFIX)


def test_without_candidates_the_stop_reason_says_why() -> None:
    check("f(║)\n", answer(), RefusalReason.NO_CANDIDATE)
    check("f(║)\n", answer(stop=StopReason.DEADLINE), RefusalReason.DEADLINE)


def test_what_was_there_at_the_deadline_is_shown() -> None:
    check("f(║)\n", answer("a", stop=StopReason.DEADLINE), ["a"])


def test_a_cancelled_request_shows_nothing_even_if_there_is_something() -> None:
    check("f(║)\n", answer("a", stop=StopReason.CANCELLED), RefusalReason.CANCELLED)


@pytest.mark.parametrize("text", [" ", "\t", "\n    "])
def test_white_space_alone_is_no_suggestion(text: str) -> None:
    check("x = ║\n", answer(text), RefusalReason.EMPTY)


def test_no_more_edits_are_given_than_wanted_and_the_best_come_first() -> None:
    snapshot, span = document("x = f(║)\n")
    edits = finish(snapshot, span, answer("(", "a", "b", "c"), limit=2)

    assert not isinstance(edits, Refusal)
    assert [edit.new_text for edit in edits] == ["a", "b"]
