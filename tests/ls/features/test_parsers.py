"""What the languages' own parsers say beyond tree-sitter."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.types import Span
from dgemma_ls import gate
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.features.parsers import still_reads
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot
from tests.marks import unmarked
from tests.strategies import python_texts


def edited(language_id: str, marked: str, new: str) -> tuple[Snapshot, Edit]:
    text, span = unmarked(marked)
    snapshot = Snapshot(uri="a", version=1, language_id=language_id, text=text)
    return snapshot, Edit(uri="a", version=1, span=span, new_text=new)


@pytest.mark.parametrize(
    ("language_id", "marked", "new", "good"),
    [
        ("python", "├x = 1┤\n", "def f(a):", False),
        ("python", "├x = 1┤\n", "def f(a): ...", True),
        ("python", "├x = 1┤\n", "return 1 = 2", False),
        ("json", '{"a": ├1┤}', "01", False),
        ("json", '{"a": ├1┤}', "[2]", True),
        ("toml", "a = 1\n├b┤ = 2\n", "a", False),
        ("yaml", "a: ├b┤\n", "[c", False),
        ("javascript", "├x┤\n", "(", True),  # no parser of its own here: the gate's matter
    ],
)
def test_what_was_read_must_be_read(language_id: str, marked: str, new: str, good: bool) -> None:
    assert still_reads(*edited(language_id, marked, new)) is good


def test_what_was_not_read_before_is_the_gates_matter_alone() -> None:
    assert still_reads(*edited("python", "def f(:\n├x┤\n", "def g(a):"))


def test_a_line_that_begins_a_block_may_be_put_in_at_a_cursor() -> None:
    assert still_reads(*edited("python", "x = 1\n├┤\n", "for y in x:"))
    assert not still_reads(*edited("json", '{"a": 1├┤}', "01x"))


def test_a_function_without_a_body_passes_the_grammar_but_is_not_shown() -> None:
    snapshot, edit = edited("python", "├x = 1┤\n", "def f(a):")
    assert gate.check(snapshot, edit) == edit
    check = GateCheck(snapshot, edit.span)
    assert check.verdict(edit.new_text) == Refusal(reason=RefusalReason.BREAKS_PARSE)
    assert check.bad_spans(edit.new_text) == (Span(start=0, end=len(edit.new_text)),)


@given(
    text=python_texts().filter(bool), cut=st.integers(0, 40), new=st.text("ab:=()\n \t", max_size=6)
)
def test_pythons_own_parser_is_the_judge(text: str, cut: int, new: str) -> None:
    start = min(cut, len(text) - 1)
    marked = f"{text[:start]}├{text[start]}┤{text[start + 1 :]}"
    snapshot, edit = edited("python", marked, new)

    def compiles(source: str) -> bool:
        try:
            ast.parse(source)
        except (SyntaxError, ValueError):
            return False
        return True

    expected = not compiles(snapshot.text) or compiles(edit.apply(snapshot))
    assert still_reads(snapshot, edit) == expected
