"""Sections of long texts against the whole texts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.types import Span
from dgemma_ls.gate import check
from dgemma_ls.syntax import find_flaws, section_around
from dgemma_ls.types import Edit, Snapshot
from tests.strategies import python_fragments

LONG = "\n\n".join(
    path.read_text("utf-8") for path in sorted(Path(__file__).parents[3].glob("dgemma_ls/*.py"))
)


def cursor(offset: int) -> Span:
    return Span(start=offset, end=offset)


@given(st.integers(0, len(LONG)))
def test_a_section_holds_its_place_and_parses_alone(offset: int) -> None:
    section = section_around("python", LONG, cursor(offset))

    assert section.start <= offset <= section.end
    assert section.end - section.start < len(LONG) // 2
    assert find_flaws("python", LONG[section.start : section.end]) == ()


@given(st.data(), st.integers(0, len(LONG)), python_fragments())
def test_an_edit_that_passes_in_a_section_leaves_the_whole_text_clean(
    data: st.DataObject, start: int, new: str
) -> None:
    end = min(len(LONG), start + data.draw(st.sampled_from([0, 1, 3, 30])))
    snapshot = Snapshot(uri="a", version=1, language_id="python", text=LONG)
    edit = Edit(uri="a", version=1, span=Span(start=start, end=end), new_text=new)

    if check(snapshot, edit) == edit:
        assert find_flaws("python", edit.apply(snapshot)) == ()


def test_what_someone_types_does_not_widen_the_section() -> None:
    offset = LONG.index("\n    def change(")
    clean = section_around("python", LONG, cursor(offset))
    broken = section_around(
        "python", LONG[:offset] + "\n    x = foo(1," + LONG[offset:], cursor(offset)
    )

    assert (broken.start, broken.end - 15) == (clean.start, clean.end)


def test_a_section_does_not_begin_in_a_string() -> None:
    words = '"""\n' + "some words, and more of them.\n" * 700 + '"""\n'
    text = LONG + words + LONG
    offset = len(LONG + words) + 50
    section = section_around("python", text, cursor(offset))

    assert not len(LONG) < section.start < len(LONG + words)


@pytest.mark.parametrize("language_id", ["python", "json", "plaintext"])
def test_a_short_text_or_one_that_cannot_be_cut_is_its_own_section(language_id: str) -> None:
    text = "x = 1\n\n" if language_id == "python" else LONG

    assert section_around(language_id, text, cursor(3)) == Span(start=0, end=len(text))
