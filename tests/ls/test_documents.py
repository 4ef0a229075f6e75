"""The store against plain string slicing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.documents import (
    LOGGED_CHANGES,
    LOGGED_CHARACTERS,
    Change,
    DocumentStore,
    UnknownDocumentError,
)
from dgemma_ls.positions import LineIndex, Position, PositionEncoding
from tests.strategies import edit_scripts

UTF16 = PositionEncoding.UTF16
URI = "file:///a.py"


def opened(text: str) -> DocumentStore:
    store = DocumentStore()
    store.open(URI, 1, "python", text)
    return store


def at(line: int, character: int, end_line: int, end_character: int, text: str) -> Change:
    return Change(text, (Position(line, character), Position(end_line, end_character)))


def splits_line_end(text: str, offset: int) -> bool:
    return text[max(offset - 1, 0) : offset + 1] == "\r\n"


def same_lines(ours: LineIndex, fresh: LineIndex, encoding: PositionEncoding) -> None:
    assert ours.text == fresh.text
    assert [ours.line_span(n) for n in range(ours.n_lines)] == [
        fresh.line_span(n) for n in range(fresh.n_lines)
    ]
    for offset in range(len(fresh.text) + 1):
        assert ours.position_at(offset, encoding) == fresh.position_at(offset, encoding)


@given(edit_scripts(), st.sampled_from(PositionEncoding))
def test_ranged_changes_are_what_slicing_says(
    script: tuple[str, list[tuple[int, int, str]]], encoding: PositionEncoding
) -> None:
    text, edits = script
    store = opened(text)
    for version, (start, end, new) in enumerate(edits, start=2):
        # No position names the place between \r and \n; the protocol's answer is before both.
        # Thereby the text may have become shorter than the script assumes.
        start, end = (min(n, len(text)) for n in (start, end))
        start, end = (n - 1 if splits_line_end(text, n) else n for n in (start, end))
        lines = LineIndex(text)
        span = (lines.position_at(start, encoding), lines.position_at(end, encoding))
        store.change(URI, version, [Change(new, span)], encoding)
        text = text[:start] + new + text[end:]

        snapshot = store.get(URI)
        assert snapshot is not None
        assert (snapshot.text, snapshot.version) == (text, version)
        same_lines(store.line_index(URI), LineIndex(text), encoding)


@given(edit_scripts(), st.integers(0, 5))
def test_the_log_leads_from_any_version_to_the_newest(
    script: tuple[str, list[tuple[int, int, str]]], since: int
) -> None:
    text, edits = script
    store = opened(text)
    history = [text]
    for version, (_, _, new) in enumerate(edits, start=2):
        # The whole text, as some editors send it; the log holds only what differs.
        text = new + text[len(new) // 2 :]
        store.change(URI, version, [Change(text)], UTF16)
        history.append(text)
    changes = store.changes_since(URI, 1 + since)

    if since >= len(history):
        assert changes is None
        return
    assert changes is not None
    replayed = history[since]
    for each in changes:
        old = each.old_span
        assert replayed[old.start : old.end] == each.old_text
        replayed = replayed[: old.start] + each.new_text + replayed[old.end :]
    assert replayed == history[-1]


def test_the_log_forgets_what_is_too_old_and_knows_that_it_did() -> None:
    store = opened("")
    for version in range(2, LOGGED_CHANGES + 5):
        store.change(URI, version, [at(0, 0, 0, 0, "x")], UTF16)

    assert store.changes_since(URI, 3) is None
    changes = store.changes_since(URI, 4)
    assert changes is not None
    assert len(changes) == LOGGED_CHANGES


def test_the_log_holds_no_more_text_than_its_budget() -> None:
    store = opened("")
    store.change(URI, 2, [Change("x" * (LOGGED_CHARACTERS + 1))], UTF16)

    assert store.changes_since(URI, 1) is None
    assert store.changes_since(URI, 2) == ()


def test_opening_again_or_counting_anew_starts_a_new_log() -> None:
    store = opened("a")
    store.open(URI, 4, "python", "b")
    assert store.changes_since(URI, 1) is None
    store.change(URI, 2, [Change("c")], UTF16)
    assert store.changes_since(URI, 4) is None
    assert store.changes_since(URI, 2) == ()
    store.close(URI)
    assert store.changes_since(URI, 2) is None


def test_each_change_of_a_batch_sees_the_one_before_it() -> None:
    snapshot = opened("ab\ncd").change(
        URI, 2, [at(0, 2, 1, 0, ""), at(0, 2, 0, 2, "X"), at(0, 4, 0, 4, "Y")], UTF16
    )

    assert snapshot.text == "abXcYd"


def test_a_change_without_range_replaces_the_whole_text() -> None:
    assert opened("old").change(URI, 2, [Change("new\r\n")], UTF16).text == "new\r\n"


def test_a_backward_range_means_the_same_as_a_forward_one() -> None:
    assert opened("abcd").change(URI, 2, [at(0, 3, 0, 1, "-")], UTF16).text == "a-d"


def test_a_snapshot_stays_as_it_was_when_the_document_moves_on() -> None:
    store = opened("old")
    before = store.get(URI)
    store.change(URI, 2, [Change("new")], UTF16)

    assert before is not None
    assert (before.version, before.text) == (1, "old")


def test_a_change_keeps_the_language() -> None:
    assert opened("x").change(URI, 2, [Change("y")], UTF16).language_id == "python"


def test_opening_again_replaces_the_document() -> None:
    store = opened("old")
    store.open(URI, 7, "markdown", "new")
    snapshot = store.get(URI)

    assert snapshot is not None
    assert (snapshot.version, snapshot.language_id, snapshot.text) == (7, "markdown", "new")


def test_a_document_that_is_not_open_cannot_change() -> None:
    # pygls raises a bare KeyError here and shows the user a popup.
    store = opened("x")
    store.close(URI)
    store.close(URI)

    assert store.get(URI) is None
    with pytest.raises(UnknownDocumentError, match=r"file:///a\.py is not open") as caught:
        store.change(URI, 2, [Change("y")], UTF16)
    assert caught.value.uri == URI
    with pytest.raises(UnknownDocumentError):
        store.line_index(URI)
