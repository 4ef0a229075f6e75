"""What is typed along a suggestion is suggested on, without asking anybody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.types import Origin, Span
from dgemma_ls.features.inline import Suggestion
from dgemma_ls.shown import Shown
from dgemma_ls.types import Edit, Snapshot
from tests.strategies import texts

URI = "file:///a.py"


def snapshot_of(text: str, version: int = 1, uri: str = URI) -> tuple[Snapshot, int]:
    before, _, after = text.partition("║")
    snapshot = Snapshot(uri=uri, version=version, language_id="python", text=before + after)
    return snapshot, len(before)


def remember(
    shown: Shown, text: str, *items: str, closers: int = 0, complete: bool = True, uri: str = URI
) -> list[str]:
    """Offer items at ║ in place of so many characters, and give their ids."""
    snapshot, offset = snapshot_of(text, uri=uri)
    span = Span(start=offset, end=offset + closers)
    suggestions = [
        Suggestion(
            edit=Edit(uri=snapshot.uri, version=1, span=span, new_text=item), origin=Origin.DENOISED
        )
        for item in items
    ]
    return [item.id for item in shown.remember(snapshot, suggestions, complete=complete)]


def rest(shown: Shown, text: str, *, drafts: bool = True) -> list[tuple[str, str]]:
    """Give what is left: each text, and the document that it leads to."""
    snapshot, offset = snapshot_of(text, version=2)
    items = shown.rest(snapshot, offset, drafts=drafts)
    return [(item.edit.new_text, item.edit.apply(snapshot)) for item in items]


def test_typing_along_leaves_the_rest_of_what_still_fits() -> None:
    shown = Shown()
    remember(shown, "x = ║\n", "value", "variable", "other")

    assert rest(shown, "x = va║\n") == [("lue", "x = value\n"), ("riable", "x = variable\n")]
    assert rest(shown, "x = val║\n") == [("lue"[1:], "x = value\n")]


def test_the_rest_keeps_its_id_and_what_was_offered_can_be_found() -> None:
    shown = Shown()
    ids = remember(shown, "x = ║\n", "value", "other")
    snapshot, offset = snapshot_of("x = o║\n", version=2)

    assert [item.id for item in shown.rest(snapshot, offset)] == ids[1:]
    found = shown.find(ids[0])
    assert found is not None
    assert (found.before, found.after) == ("x = ", "x = value")
    assert shown.find("s99") is None


def test_at_the_same_place_all_is_offered_again() -> None:
    shown = Shown()
    remember(shown, "x = ║\n", "value", "other")

    assert [text for text, _ in rest(shown, "x = ║\n")] == ["value", "other"]


def test_nothing_is_left_of_what_is_typed_out_or_typed_otherwise() -> None:
    shown = Shown()
    remember(shown, "x = ║\n", "value")

    assert rest(shown, "x = value║\n") == []
    assert rest(shown, "x = w║\n") == []


def test_a_change_elsewhere_ends_it() -> None:
    shown = Shown()
    remember(shown, "x = ║\ny = 1\n", "value")

    assert rest(shown, "x = va║\ny = 2\n") == []
    assert rest(shown, "z = va║\ny = 1\n") == []
    assert rest(shown, "x = va║ y\ny = 1\n") == []
    assert rest(shown, "x = va║\ny = 1\n") != []  # as after undo


def test_brackets_that_the_editor_closed_meanwhile_are_replaced() -> None:
    shown = Shown()
    remember(shown, "x = ║ + 1\n", "f([a])")

    assert rest(shown, "x = f(║) + 1\n") == [("[a])", "x = f([a]) + 1\n")]
    assert rest(shown, "x = f([║]) + 1\n") == [("a])", "x = f([a]) + 1\n")]


def test_brackets_that_were_there_before_stay_part_of_it() -> None:
    shown = Shown()
    remember(shown, "f(║)\n", "abc)", closers=1)

    assert rest(shown, "f(a║)\n") == [("bc)", "f(abc)\n")]


def test_a_draft_is_good_enough_unless_somebody_asks() -> None:
    shown = Shown()
    remember(shown, "x = ║\n", "value", complete=False)

    assert rest(shown, "x = v║\n", drafts=False) == []
    assert rest(shown, "x = v║\n") != []


def test_the_newest_answer_goes_first_and_old_ones_are_forgotten() -> None:
    shown = Shown()
    for number in range(9):
        remember(shown, "x = ║\n" + "\n" * number, f"value{number}")

    assert rest(shown, "x = v║\n") == []
    assert rest(shown, "x = v║\n\n") != []
    remember(shown, "x = ║\n\n", "vernier")
    assert [text for text, _ in rest(shown, "x = v║\n\n")] == ["ernier"]


def test_a_closed_document_and_the_one_of_long_ago_are_forgotten() -> None:
    shown = Shown()
    remember(shown, "x = ║\n", "value")
    shown.forget(URI)
    assert rest(shown, "x = v║\n") == []

    remember(shown, "x = ║\n", "value")
    for number in range(40):
        remember(shown, "x = ║\n", "value", uri=f"file:///{number}.py")
    assert rest(shown, "x = v║\n") == []


def test_of_a_line_of_megabytes_only_what_is_near_is_kept() -> None:
    shown = Shown()
    (item_id,) = remember(shown, f"{'a' * 10**6}║{'b' * 10**6}", "-")

    found = shown.find(item_id)
    assert found is not None
    assert (found.before, found.after) == ("a" * 200 + "b" * 200, "a" * 200 + "-" + "b" * 200)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_line_of_an_item_ends_where_lines_end(end: str) -> None:
    shown = Shown()
    (item_id,) = remember(shown, f"a{end}b ║ c{end}d{end}", "-")

    found = shown.find(item_id)
    assert found is not None
    assert (found.before, found.after) == ("b  c", "b - c")


@given(before=texts(), item=texts(), after=texts(), n_typed=st.integers(0, 40))
def test_whatever_is_left_leads_to_the_very_document_that_was_offered(
    before: str, item: str, after: str, n_typed: int
) -> None:
    shown = Shown()
    remember(shown, f"{before}║{after}", item)
    typed = item[:n_typed]

    left = rest(shown, f"{before}{typed}║{after}")

    assert [document for _, document in left] == ([before + item + after] if typed != item else [])
