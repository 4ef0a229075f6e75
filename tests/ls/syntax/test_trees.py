"""Parsing from the tree of a similar text against parsing from the beginning."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.types import Span
from dgemma_ls.languages import GRAMMARS
from dgemma_ls.syntax import flaws_of, parse, parse_anew
from tests.strategies import edit_scripts, python_fragments, spans, texts

LANGUAGES = ("python", "typescriptreact", "json", "yaml", "html", "c", "shellscript")
FILES = tuple(Path(__file__).parents[3].glob("dgemma_ls/*.py"))


@given(st.sampled_from(LANGUAGES), edit_scripts())
def test_the_parser_sees_the_same_bytes_whatever_was_edited(
    language_id: str, script: tuple[str, list[tuple[int, int, str]]]
) -> None:
    text, edits = script
    parsed = parse_anew(GRAMMARS[language_id], text)
    for start, end, new in edits:
        parsed = parsed.replaced(start, end, new)
        fresh = parse_anew(GRAMMARS[language_id], parsed.text)

        assert parsed.data == fresh.data
        assert bool(flaws_of(parsed)) == bool(flaws_of(fresh))


@given(st.data(), st.sampled_from(FILES), python_fragments())
def test_an_edited_file_is_clean_by_either_parse_or_by_none(
    data: st.DataObject, path: Path, new: str
) -> None:
    text = path.read_text("utf-8")
    start = data.draw(st.integers(0, len(text)))
    end = min(len(text), start + data.draw(st.sampled_from([0, 0, 1, 3, 20])))
    edited = parse(GRAMMARS["python"], text).replaced(start, end, new)
    fresh = parse_anew(GRAMMARS["python"], edited.text)

    assert edited.text == text[:start] + new + text[end:]
    # In a flawed text the two may word one mistake differently; the gate lets the fresh one decide.
    assert bool(flaws_of(edited)) == bool(flaws_of(fresh))
    if not flaws_of(fresh):
        assert str(edited.tree.root_node) == str(fresh.tree.root_node)


@given(st.data(), texts())
def test_bytes_and_characters_are_found_from_each_other(data: st.DataObject, text: str) -> None:
    parsed = parse_anew(GRAMMARS["python"], text * data.draw(st.sampled_from([1, 300])))
    offset, _ = data.draw(spans(parsed.text))
    byte = len(parsed.text[:offset].encode("utf-8", "surrogatepass"))

    assert parsed.byte_of(offset) == byte
    assert parsed.offset_of(byte) == offset


def test_a_text_is_parsed_once_and_then_kept() -> None:
    first = parse(GRAMMARS["python"], "x = 1\n")

    assert parse(GRAMMARS["python"], "x = 1\n") is first
    assert parse(GRAMMARS["json"], "x = 1\n") is not first


@pytest.mark.parametrize("new", ["\n", "x", ""])
def test_a_carriage_return_before_an_edit_becomes_what_the_edit_makes_of_it(new: str) -> None:
    parsed = parse_anew(GRAMMARS["python"], "a\rb\r\nc").replaced(2, 2, new)

    assert parsed.data == parse_anew(GRAMMARS["python"], f"a\r{new}b\r\nc").data


@pytest.mark.parametrize("behind", ["\n", "x", ""])
def test_a_carriage_return_at_the_end_of_an_edit_becomes_what_follows_makes_of_it(
    behind: str,
) -> None:
    parsed = parse_anew(GRAMMARS["python"], "a" + behind).replaced(1, 1, "\r")

    assert parsed.data == parse_anew(GRAMMARS["python"], "a\r" + behind).data


def test_a_node_covers_characters_not_bytes() -> None:
    parsed = parse_anew(GRAMMARS["python"], "é = '𝒳'\ny = 1\n")

    assert parsed.span_of(parsed.tree.root_node.children[1]) == Span(start=8, end=13)
