from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.types import Span
from dgemma_ls.context.edits import RecentEdit, RecentEdits
from dgemma_ls.types import Edit, Snapshot
from tests.strategies import edit_scripts


def snapshot(text: str, uri: str = "a") -> Snapshot:
    return Snapshot(uri=uri, version=1, language_id="python", text=text)


def edited(edits: RecentEdits, text: str, old: str, new: str, uri: str = "a") -> str:
    """Replace the only ``old`` in the text, record that, and give the new text."""
    assert text.count(old) == 1
    start = text.index(old)
    span = Span(start=start, end=start + len(old))
    edits.record(snapshot(text, uri), Edit(uri=uri, version=1, span=span, new_text=new))
    return text.replace(old, new)


def elsewhere(edits: RecentEdits) -> None:
    edited(edits, "zzz\n", "zzz", "yyy", uri="elsewhere")


FAR = "".join(f"line {idx}\n" for idx in range(200))


def test_keystrokes_in_one_place_are_one_edit_once_the_user_goes_on() -> None:
    edits = RecentEdits()
    text = "def f(a):\n    return a\n"
    for old, new in (("(a)", "(a,)"), (",)", ", )"), (", )", ", b)"), ("return a", "return a + b")):
        text = edited(edits, text, old, new)
        assert edits.settled() == ()
    elsewhere(edits)
    (edit,) = edits.settled()
    assert edit.diff() == (
        "-def f(a):",
        "-    return a",
        "+def f(a, b):",
        "+    return a + b",
    )


def test_an_edit_far_away_in_the_same_document_settles_the_one_before() -> None:
    edits = RecentEdits()
    text = edited(edits, FAR, "line 3\n", "three\n")
    text = edited(edits, text, "line 150\n", "150\n")
    assert [edit.diff() for edit in edits.settled()] == [("-line 3", "+three", " line 4")]


def test_what_was_undone_or_only_indented_is_no_edit() -> None:
    edits = RecentEdits()
    text = edited(edits, "a = 1\n", "1", "2")
    edited(edits, text, "2", "1")
    elsewhere(edits)
    edited(edits, "b = 1\n", "b", "    b", uri="b")
    edited(edits, "c = 1\n", "c", "d", uri="c")
    assert [edit.uri for edit in edits.settled()] == ["elsewhere"]


def test_a_large_paste_is_no_hint() -> None:
    edits = RecentEdits()
    edited(edits, "a = 1\n", "1", FAR * 2)
    elsewhere(edits)
    assert edits.settled() == ()


def test_only_the_newest_are_kept_oldest_first() -> None:
    edits = RecentEdits(max_edits=2)
    for uri in ("a", "b", "c", "d"):
        edited(edits, "x = 1\n", "1", "2", uri=uri)
    assert [edit.uri for edit in edits.settled()] == ["b", "c"]


def test_a_forgotten_document_leaves_no_text() -> None:
    edits = RecentEdits()
    for uri in ("a", "b", "a"):
        edited(edits, "x = 1\n", "1", "2", uri=uri)
    edits.forget("a")
    elsewhere(edits)
    assert [edit.uri for edit in edits.settled()] == ["b"]


@given(edit_scripts(), st.booleans())
def test_a_settled_edit_turns_the_old_document_into_the_new_one(
    script: tuple[str, list[tuple[int, int, str]]], padded: bool
) -> None:
    text, steps = script
    around = "x\n" if padded else ""
    before = text = around + text + around
    edits = RecentEdits()
    for start, end, new in steps:
        span = Span(start=start + len(around), end=end + len(around))
        edits.record(snapshot(text), Edit(uri="a", version=1, span=span, new_text=new))
        text = text[: span.start] + new + text[span.end :]
    elsewhere(edits)

    settled = edits.settled()
    if before.split() == text.split():
        assert all(turns(edit, before, text) for edit in settled)
    else:
        assert len(settled) == 1
        assert turns(settled[0], before, text)


def turns(edit: RecentEdit, before: str, after: str) -> bool:
    places = (idx for idx in range(len(before) + 1) if before.startswith(edit.old, idx))
    return any(before[:idx] + edit.new + before[idx + len(edit.old) :] == after for idx in places)
