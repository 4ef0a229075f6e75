"""Rewriting a selection: what the engine is asked, and how small the edits are."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.errors import RequestError
from dgemma_engine.types import Candidate, InfillResult, Span, StopReason
from dgemma_ls.documents import Change, DocumentStore
from dgemma_ls.edits import differences
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.features.rewrite import Wish, ask, finish, prepare, smallest_edits
from dgemma_ls.positions import LineIndex, PositionEncoding
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot
from tests.marks import unmarked
from tests.strategies import python_texts, spans, texts


def document(marked: str) -> tuple[Snapshot, Span]:
    text, span = unmarked(marked)
    return Snapshot(uri="a", version=3, language_id="python", text=text), span


def answer(*found: str) -> InfillResult:
    candidates = tuple(
        Candidate(text=text, score=-float(n), forwards=4, n_tokens=2)
        for n, text in enumerate(found)
    )
    return InfillResult(candidates=candidates, stop=StopReason.STABLE, forwards=4, milliseconds=2.0)


class FakeEngine:
    """Notes what it is asked; a token is a character."""

    max_span_tokens = 12

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    @property
    def tokenizer(self) -> "FakeEngine":
        return self

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def infill(self, prefix: str, suffix: str, **options: Any) -> InfillResult:
        self.asked.append(("infill", {"prefix": prefix, "suffix": suffix, **options}))
        return answer("new")

    def infill_jointly(self, text: str, spans: Sequence[Span], **options: Any) -> Any:
        raise AssertionError("one selection is no case for several gaps")

    def rewrite(self, prefix: str, text: str, suffix: str, **options: Any) -> InfillResult:
        asked = {"prefix": prefix, "text": text, "suffix": suffix, **options}
        self.asked.append(("rewrite", asked))
        return answer("new")


def asked_for(marked: str, wish: Wish) -> tuple[str, dict[str, Any]]:
    snapshot, span = document(marked)
    engine = FakeEngine()
    request = prepare(snapshot, span, wish)
    ask(engine, request, check=GateCheck(snapshot, request.span), n_candidates=1)
    return engine.asked[0]


def test_white_space_at_the_ends_is_layout_and_stays() -> None:
    snapshot, span = document("if x:\n├    f(a)\n┤g()\n")
    request = prepare(snapshot, span, Wish())
    assert (request.prefix, request.text, request.suffix) == ("if x:\n    ", "f(a)", "\ng()\n")


@pytest.mark.parametrize("selected", ["", " ", "\n  \t\n"])
def test_a_selection_without_text_is_refused_in_words(selected: str) -> None:
    snapshot, span = document(f"f├{selected}┤g")
    with pytest.raises(RequestError, match="no text to rewrite"):
        prepare(snapshot, span, Wish())


def test_below_full_strength_the_old_text_is_noised() -> None:
    wish = Wish(strength=0.4, instruction="shorter", max_changed=2)
    method, options = asked_for("x = ├a + b┤\n", wish)
    assert method == "rewrite"
    assert options["text"] == "a + b"
    assert (options["strength"], options["instruction"], options["max_changed"]) == (
        *(0.4, "shorter", 2),
    )


@pytest.mark.parametrize("strength", [0.4, 1.0])
def test_cells_above_are_read_as_the_document_and_other_files_are_told_apart(
    strength: float,
) -> None:
    snapshot, span = document("x = ├a + b┤\n")
    engine = FakeEngine()
    request = prepare(snapshot, span, Wish(strength=strength))
    check = GateCheck(snapshot, request.span)
    ask(engine, request, check=check, n_candidates=1, before="cell\n", context="# other\n")
    ((_, options),) = engine.asked
    assert (options["prefix"], options["context"]) == ("cell\nx = ", "# other\n")


def test_at_full_strength_the_number_of_tokens_may_change() -> None:
    method, options = asked_for("x = ├a + b┤\n", Wish(strength=1.0))
    assert method == "infill"
    assert options["lengths"] == (3, 5, 8)
    assert not options["multiline"]


@pytest.mark.parametrize(
    "wish", [Wish(strength=1.0, max_changed=3), Wish(strength=1.0, instruction="in French")]
)
def test_what_an_infill_cannot_heed_is_never_dropped(wish: Wish) -> None:
    method, _ = asked_for("x = ├a + b┤\n", wish)
    assert method == "rewrite"


def test_a_selection_longer_than_a_canvas_is_refused_with_the_limit() -> None:
    with pytest.raises(RequestError, match="13 tokens, one canvas holds 12"):
        asked_for(f"x = ├{'a' * 13}┤\n", Wish())


def test_what_breaks_the_parse_is_refused() -> None:
    snapshot, span = document("x = ├f(a)┤\n")
    request = prepare(snapshot, span, Wish())
    refused = finish(snapshot, request, answer("f(a"))
    assert refused == Refusal(reason=RefusalReason.BREAKS_PARSE)


def test_a_word_in_the_middle_is_the_only_one_that_is_touched() -> None:
    snapshot, span = document("def f():\n├    total = count + recieved\n    return count┤\n")
    new = "    total = count + received\n    return total"
    edit = Edit(uri="a", version=3, span=span, new_text=new)
    small = smallest_edits(snapshot, edit)
    assert [snapshot.text[one.span.start : one.span.end] for one in small] == ["ie", "count"]
    assert [one.new_text for one in small] == ["ei", "total"]


@pytest.mark.parametrize(
    ("before", "after"),
    [("a\r\nb", "a\rb"), ("a\r\nb", "a\nb"), ("\r\n", "\r\r"), ("\r\n", "\n\n")],
)
def test_no_edit_ends_between_the_two_halves_of_a_line_end(before: str, after: str) -> None:
    (found,) = differences(before, after)
    assert found.old_text == "\r\n"
    assert before.replace(found.old_text, found.new_text) == after


@given(texts(), texts())
def test_small_edits_make_the_new_text_and_touch_nothing_twice(before: str, after: str) -> None:
    result, last_end = before, None
    found = differences(before, after)
    for each in reversed(found):
        start, end = each.old_span.start, each.old_span.end
        assert before[start:end] == each.old_text
        assert each.old_text != each.new_text
        assert last_end is None or end < last_end
        for place in (start, end):
            assert before[max(place - 1, 0) : place + 1] != "\r\n"
        result = result[:start] + each.new_text + result[end:]
        last_end = start
    assert result == after


@given(
    st.data(),
    st.one_of(texts(), python_texts()).filter(lambda text: not _has_surrogates(text)),
    st.sampled_from(PositionEncoding),
)
def test_an_editor_that_applies_small_edits_has_exactly_the_gated_text(
    data: st.DataObject, text: str, encoding: PositionEncoding
) -> None:
    # An editor's selection never ends between \r and \n.
    start, end = data.draw(
        spans(text).filter(lambda ends: all(text[max(n - 1, 0) : n + 1] != "\r\n" for n in ends))
    )
    new = data.draw(texts(max_size=12).filter(lambda it: not _has_surrogates(it)))
    # What begins with \n behind a \r would make one line end of two.
    if (text[:start] + new)[max(start - 1, 0) : start + 1] == "\r\n" or new[-1:] == "\r":
        return
    snapshot = Snapshot(uri="a", version=1, language_id="python", text=text)
    edit = Edit(uri="a", version=1, span=Span(start=start, end=end), new_text=new)
    lines = LineIndex(text)
    store = DocumentStore()
    store.open("a", 1, "python", text)

    for one in reversed(smallest_edits(snapshot, edit)):
        ends = tuple(lines.position_at(n, encoding) for n in (one.span.start, one.span.end))
        store.change("a", 2, [Change(one.new_text, (ends[0], ends[1]))], encoding)

    after = store.get("a")
    assert after is not None
    assert after.text == edit.apply(snapshot)


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
