"""Sections of long texts against the whole texts."""

import os
import random
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


@pytest.mark.slow
def test_no_edit_of_the_standard_library_passes_and_breaks_its_file() -> None:
    rng = random.Random(0)
    bits = (
        "(",
        ")",
        "{",
        "}",
        "]",
        "'",
        '"',
        '"""',
        "\n",
        "    ",
        ":",
        "x",
        "#",
        "if",
        "=",
        ",",
        "é",
    )
    paths = sorted(Path(os.__file__).parent.glob("*.py"))
    n_cut = 0
    for path in rng.sample(paths, k=60):
        text = path.read_text("utf-8")
        if find_flaws("python", text):
            continue
        snapshot = Snapshot(uri="a", version=1, language_id="python", text=text)
        for _ in range(10):
            start = rng.randint(0, len(text))
            end = min(len(text), start + rng.choice([0, 0, 1, 3, 20]))
            place = rng.randint(0, len(text))
            copied = text[place : place + rng.choice([3, 20, 80])]
            new = rng.choice([copied, "".join(rng.choices(bits, k=3))])
            edit = Edit(uri="a", version=1, span=Span(start=start, end=end), new_text=new)
            n_cut += section_around("python", text, edit.span).end < len(text)

            if check(snapshot, edit) == edit:
                assert find_flaws("python", edit.apply(snapshot)) == (), (path, edit)
    assert n_cut > 100


@pytest.mark.parametrize(
    ("language_id", "opening", "closing"),
    [("cpp", "namespace a\n{\n", "}\n"), ("c", "#ifndef A\n", "#endif\n")],
)
def test_a_text_is_not_cut_where_its_frame_begins_or_ends(
    language_id: str, opening: str, closing: str
) -> None:
    body = "int f(int x)\n{\n  return x;\n}\n\n" * 1000
    text = opening + "int y;\n\n" + body + "\nint z;\n" + closing
    whole = Span(start=0, end=len(text))

    assert section_around(language_id, text, cursor(3)) == whole
    assert section_around(language_id, text, cursor(len(text) - 2)) == whole
    assert section_around(language_id, text, cursor(len(text) // 2)) != whole


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
