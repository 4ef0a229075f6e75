"""Where ghost text goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.types import Span
from dgemma_ls.features.inline import prepare
from dgemma_ls.features.inline_place import Place, Selected, closers_after, place_at
from dgemma_ls.types import Refusal, Snapshot
from tests.marks import unmarked
from tests.strategies import texts


def document(text: str) -> Snapshot:
    return Snapshot(uri="a.py", version=1, language_id="python", text=text)


@pytest.mark.parametrize(
    ("text", "closers"),
    [
        ("f(║)\n", ")"),
        ("f([║])  \n", "])"),
        ('f("║")', '")'),
        ("f(║);\r\nx", ");"),
        ("{ 'a': [║ ] }\n", " ] }"),
        ("f(║) + 1\n", ""),
        ("x = ║\n", ""),
        ("x = ║;\n", ""),
        ("x = ║   \n)", ""),
        ("║", ""),
    ],
)
def test_closers_are_brackets_and_quotes_with_nothing_behind_them(text: str, closers: str) -> None:
    whole, cursor = unmarked(text)

    assert closers_after(whole, cursor.start) == closers


@given(texts(), st.integers(0, 40))
def test_a_place_is_within_one_line_and_what_is_asked_is_the_whole_document(
    text: str, offset: int
) -> None:
    offset = min(offset, len(text))
    snapshot = document(text)
    place = place_at(snapshot, offset)
    assert isinstance(place, Place)
    request = prepare(snapshot, place)

    assert place.span.start == offset
    assert not set("\r\n") & set(text[place.span.start : place.span.end])
    assert request.prefix + request.suffix == text
    assert len(request.prefix) == offset


def test_a_chosen_item_that_replaces_several_lines_or_another_place_is_left_alone() -> None:
    text, cursor = unmarked("a\nb = c║\n")

    for span in (Span(start=0, end=7), Span(start=2, end=3)):
        assert isinstance(
            place_at(document(text), cursor.start, Selected(span=span, text="x")), Refusal
        )
