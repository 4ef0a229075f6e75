"""Where ghost text goes and what it is made of: text before ║ and after it, items as they come."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.types import Candidate, InfillResult, Origin, Span, StopReason
from dgemma_ls.features.inline import Answer, PlaceCheck, finish, prepare
from dgemma_ls.features.inline_place import Place, Selected, place_at
from dgemma_ls.types import Refusal, RefusalReason, Snapshot
from tests.marks import unmarked


def snapshot_of(text: str) -> tuple[Snapshot, int]:
    whole, span = unmarked(text)
    return Snapshot(uri="a.py", version=1, language_id="python", text=whole), span.start


def result_of(candidates: Sequence[str], stop: StopReason = StopReason.STABLE) -> InfillResult:
    return InfillResult(
        candidates=tuple(
            Candidate(text=text, score=0.0, forwards=1, n_tokens=1, origin=Origin.COPIED)
            for text in candidates
        ),
        stop=stop,
        forwards=1,
        milliseconds=0.0,
    )


def suggest(
    text: str, *candidates: str, selected: Selected | None = None, limit: int | None = None
) -> list[str] | RefusalReason:
    """Give the documents that the suggestions lead to."""
    snapshot, offset = snapshot_of(text)
    place = place_at(snapshot, offset, selected)
    assert isinstance(place, Place)
    answer = finish(snapshot, place, result_of(candidates), limit=limit)
    if isinstance(answer, Refusal):
        return answer.reason
    assert all(one.edit.span == place.span for one in answer.suggestions)
    assert all(one.origin is Origin.COPIED for one in answer.suggestions)
    return [one.edit.apply(snapshot) for one in answer.suggestions]


def test_a_candidate_that_leaves_the_closing_to_the_editor_keeps_its_brackets() -> None:
    assert suggest("f(║)\n", "a, b") == ["f(a, b)\n"]
    assert suggest('f("║")\n', "a") == ['f("a")\n']


def test_a_candidate_that_closes_the_bracket_itself_does_not_double_it() -> None:
    assert suggest("f(║)\n", "a, b)") == ["f(a, b)\n"]
    assert suggest('f("║")\n', 'a")') == ['f("a")\n']


def test_a_candidate_that_closes_some_of_the_brackets_gets_the_others() -> None:
    assert suggest("f(g(║))\n", "a)") == ["f(g(a))\n"]
    assert suggest("f([║ ])\n", "a ], b") == ["f([a ], b)\n"]


@given(
    st.text('a()[]" ,', min_size=1, max_size=8), st.sampled_from(["f(║)", "[f([║ ])]", 'x = "║"'])
)
def test_no_candidate_takes_a_closer_away(candidate: str, text: str) -> None:
    """No editor shows a deletion as ghost text."""
    snapshot, offset = snapshot_of(text)
    place = place_at(snapshot, offset)
    assert isinstance(place, Place)
    answer = finish(snapshot, place, result_of([candidate]))

    if isinstance(answer, Answer):
        left = iter(answer.suggestions[0].edit.new_text)
        assert all(closer in left for closer in place.tail.replace(" ", ""))


def test_a_candidate_may_go_on_behind_the_brackets() -> None:
    assert suggest("f(║)\n", "a).g()") == ["f(a).g()\n"]


def test_what_only_closes_changes_nothing_and_is_refused() -> None:
    assert suggest("f(║)\n", ")") is RefusalReason.EMPTY


def test_candidates_that_come_to_the_same_are_suggested_once() -> None:
    assert suggest("f(║)\n", "a", "a)", "b") == ["f(a)\n", "f(b)\n"]


def test_no_more_than_the_limit() -> None:
    assert suggest("x = ║\n", "1", "2", "3", limit=2) == ["x = 1\n", "x = 2\n"]


def test_each_item_begins_with_what_is_chosen_in_the_popup() -> None:
    selected = Selected(span=Span(start=4, end=6), text="print")

    assert suggest("x = pr║\n", "(1)", "", selected=selected) == ["x = print(1)\n"]
    snapshot, offset = snapshot_of("x = pr║\n")
    place = place_at(snapshot, offset, selected)
    assert isinstance(place, Place)
    assert place.span == selected.span
    assert prepare(snapshot, place).prefix == "x = print"
    assert prepare(snapshot, place).suffix == "\n"


def test_what_leaves_nothing_but_the_chosen_item_is_refused() -> None:
    selected = Selected(span=Span(start=4, end=6), text="print")

    refused = suggest("x = pr║ + 1\n", " + 1", selected=selected)
    assert refused is RefusalReason.REPEATS_SUFFIX


def test_closers_in_another_order_are_no_closers() -> None:
    """In broken text without a grammar the brackets are as many as before."""
    snapshot = Snapshot(uri="a", version=1, language_id="plaintext", text="])")
    place = place_at(snapshot, 0)
    assert isinstance(place, Place)

    assert finish(snapshot, place, result_of([")]"])) == Refusal(reason=RefusalReason.BREAKS_PARSE)


def test_what_breaks_is_named_within_what_the_engine_has_written() -> None:
    snapshot, offset = snapshot_of("x = pr║\ny = 1\n")
    place = place_at(snapshot, offset, Selected(span=Span(start=4, end=6), text="print"))
    assert isinstance(place, Place)
    text = "(a b, c)"

    bad = PlaceCheck(snapshot, place).bad_spans(text)
    assert [text[span.start : span.end] for span in bad] == ["b"]


def test_what_the_deadline_left_is_suggested_and_marked_as_a_draft() -> None:
    snapshot, offset = snapshot_of("x = ║\n")
    place = place_at(snapshot, offset)
    assert isinstance(place, Place)

    answers = [
        finish(snapshot, place, result_of(["1"], stop))
        for stop in (StopReason.STABLE, StopReason.DEADLINE)
    ]
    assert all(isinstance(answer, Answer) for answer in answers)
    assert [answer.complete for answer in answers if isinstance(answer, Answer)] == [True, False]


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        (StopReason.DEADLINE, RefusalReason.DEADLINE),
        (StopReason.CANCELLED, RefusalReason.CANCELLED),
        (StopReason.STABLE, RefusalReason.NO_CANDIDATE),
    ],
)
def test_nothing_from_the_engine_is_refused_with_its_reason(
    stop: StopReason, reason: RefusalReason
) -> None:
    snapshot, offset = snapshot_of("x = ║\n")
    place = place_at(snapshot, offset)
    assert isinstance(place, Place)

    assert finish(snapshot, place, result_of([], stop)) == Refusal(reason=reason)


def test_what_does_not_parse_either_way_is_refused() -> None:
    assert suggest("f(║)\n", "a((") is RefusalReason.BREAKS_PARSE
    assert suggest("x = ║\n", "(") is RefusalReason.BREAKS_PARSE
