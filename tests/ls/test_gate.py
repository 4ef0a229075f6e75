"""What the gate lets through. ├ ┤ stand around the new text, ├old│new┤ replaces old."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dgemma_engine.types import Span
from dgemma_ls.gate import broken_spans
from dgemma_ls.gate import check as gate
from dgemma_ls.syntax import find_flaws
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot
from tests.strategies import python_fragments, python_texts, spans, texts

PASSES = None
BREAKS = RefusalReason.BREAKS_PARSE


def snapshot_of(text: str, language_id: str = "python") -> Snapshot:
    return Snapshot(uri="a", version=3, language_id=language_id, text=text)


def edit_of(start: int, end: int, new_text: str) -> Edit:
    return Edit(uri="a", version=3, span=Span(start=start, end=end), new_text=new_text)


def check(marked: str, expect: RefusalReason | None, language_id: str = "python") -> None:
    before, _, rest = marked.partition("├")
    inside, _, behind = rest.partition("┤")
    old, _, new = inside.rpartition("│")
    edit = edit_of(len(before), len(before) + len(old), new)
    verdict = gate(snapshot_of(before + old + behind, language_id), edit)

    assert verdict == (edit if expect is None else Refusal(reason=expect))


@pytest.mark.parametrize("language_id", ["python", "zig"])
def test_a_right_fill_passes(language_id: str) -> None:
    check("x = foo(├a, b┤)\n", PASSES, language_id)


def test_an_edit_that_changes_nothing_is_empty() -> None:
    check("x = ├a│a┤\n", RefusalReason.EMPTY)
    check("x = a├┤\n", RefusalReason.EMPTY)


@pytest.mark.parametrize("fill", ["a b", "(", ")", "a, [", "'", "lambda", '"""'])
def test_a_text_that_parses_must_parse_afterwards(fill: str) -> None:
    check(f"x = foo(├{fill}┤)\ny = 1\n", BREAKS)


def test_a_fill_that_swallows_what_follows_breaks() -> None:
    check("x = 1├ + (┤\n\n\ndef f():\n    pass\n", BREAKS)


def test_a_fill_that_ends_what_was_open_passes() -> None:
    check("x = foo(├a, [b])┤\n\n\ndef f():\n    pass\n", PASSES)
    check("x = 'a├bc'┤\ny = 1\n", PASSES)
    check("import ├os┤\nx = 1\n", PASSES)


@pytest.mark.parametrize("fill", ["foo(1 2)", "(", "1 2", "'abc", ")"])
def test_a_hole_in_broken_code_must_be_right_in_itself(fill: str) -> None:
    check(f"x = ├{fill}┤\ny = 2\n", BREAKS)


def test_a_fill_that_leaves_broken_code_no_worse_passes() -> None:
    check("x = (1\n\n\ndef f(a):\n    return ├a┤\n", PASSES)
    check("function f() {├\n  x = 1;┤", PASSES, "javascript")
    check('{"a": ├[1]┤', PASSES, "json")


def test_a_fill_that_opens_one_more_bracket_is_worse() -> None:
    check('{"a": ├[1┤', BREAKS, "json")
    check("function f() {├\n  if (x) {┤", BREAKS, "javascript")


@pytest.mark.parametrize("elsewhere", ["y = )\n", "foo(1 2)\n", "x = = 1\n"])
def test_a_mistake_elsewhere_does_not_stand_in_the_way(elsewhere: str) -> None:
    hole = "def f(a):\n    return ├a + 1┤\n\n\n"
    check(elsewhere + hole, PASSES)
    check(hole + elsewhere, PASSES)


@pytest.mark.parametrize("elsewhere", ["y = )\n", "foo(1 2)\n", "x = = 1\n"])
def test_a_mistake_elsewhere_excuses_nothing(elsewhere: str) -> None:
    hole = "def f(a):\n    return ├a + 1 2┤\n\n\n"
    check(elsewhere + hole, BREAKS)
    check(hole + elsewhere, BREAKS)


def test_a_fill_that_takes_what_a_mistake_elsewhere_was_lacking_is_worse() -> None:
    check("x = 1\n├f(x┤x = 1\nx = 1\ny = )\n", BREAKS)
    check("x = 1\n├(┤y = )\nx = 1\n", BREAKS)


def test_a_selection_that_was_broken_may_be_repaired() -> None:
    check("x = ├foo(1 2)│foo(1, 2)┤\n", PASSES)


def test_a_selection_that_was_broken_may_not_break_elsewhere() -> None:
    check("x = ├foo(1 2)│foo(1, 2) 3┤\n", BREAKS)


def test_without_a_grammar_brackets_and_quotes_must_pair_up() -> None:
    check("fn f(├x: u8┤) {}\n", PASSES, "zig")
    check("fn f(├x: u8) {}┤", PASSES, "zig")
    check("fn f(├g(┤) {}\n", BREAKS, "zig")
    check('let s = ├"a┤;\n', BREAKS, "zig")


@pytest.mark.parametrize(
    ("marked", "broken"),
    [
        ("x = foo(├a, b┤)\n", []),
        ("x = ├a│a┤\n", []),
        ("x = foo(├a, b c, d┤)\ny = 1\n", ["c"]),
        ("x = foo(├é, 𝒳 c, d┤)\ny = 1\n", ["c"]),
        ("x = [├1 2, 3 4┤]\ny = 1\n", ["1", "4"]),
        ("foo(1 2)\nx = ├a b┤\n", ["a"]),
        ("x = ├(a, b┤\ny = 1\n", ["(a, b"]),
        ("x = 1├ + (┤\n\n\ndef f():\n    pass\n", [" + ("]),
    ],
)
def test_the_parts_that_break_are_named(marked: str, broken: list[str]) -> None:
    before, _, rest = marked.partition("├")
    inside, _, behind = rest.partition("┤")
    old, _, new = inside.rpartition("│")
    edit = edit_of(len(before), len(before) + len(old), new)
    found = broken_spans(snapshot_of(before + old + behind), edit)

    assert [new[span.start : span.end] for span in found] == broken


def test_without_a_grammar_the_brackets_without_partner_are_named() -> None:
    edit = edit_of(2, 2, "(a) [b")

    assert broken_spans(snapshot_of("f ;", "zig"), edit) == (Span(start=4, end=5),)
    assert broken_spans(snapshot_of("f ;", "zig"), edit_of(2, 2, '"a')) == (Span(start=0, end=2),)


@given(st.data(), st.sampled_from(["python", "json", "zig"]), python_texts(), python_fragments())
def test_a_refused_edit_has_broken_parts_and_one_that_passes_has_none(
    data: st.DataObject, language_id: str, text: str, new: str
) -> None:
    start, end = data.draw(spans(text))
    snapshot, edit = snapshot_of(text, language_id), edit_of(start, end, new)
    broken = broken_spans(snapshot, edit)

    assert bool(broken) == (gate(snapshot, edit) == Refusal(reason=BREAKS))
    assert all(span.end <= len(new) for span in broken)
    assert all(a.end < b.start for a, b in pairwise(broken))


def test_markdown_takes_any_text() -> None:
    check("# A\n\n├- b (c\n- [d┤\n", PASSES, "markdown")


def test_an_edit_of_another_version_is_our_bug_and_raises() -> None:
    edit = Edit(uri="a", version=2, span=Span(start=0, end=0), new_text="x")
    with pytest.raises(ValueError, match="version 2"):
        gate(snapshot_of("y\n"), edit)


@given(st.data(), st.sampled_from(["python", "json", "zig"]), texts(20), texts(6))
def test_bytes_outside_the_span_never_change(
    data: st.DataObject, language_id: str, text: str, new: str
) -> None:
    start, end = data.draw(spans(text))
    verdict = gate(snapshot_of(text, language_id), edit_of(start, end, new))

    if isinstance(verdict, Edit):
        after = verdict.apply(snapshot_of(text, language_id))
        assert after.startswith(text[:start])
        assert after.endswith(text[end:])
        assert len(after) == len(text) - (end - start) + len(new)


@given(st.data(), python_texts(), python_fragments())
def test_what_parses_still_parses_after_an_accepted_edit(
    data: st.DataObject, text: str, new: str
) -> None:
    assume(not find_flaws("python", text))
    start, end = data.draw(spans(text))
    verdict = gate(snapshot_of(text), edit_of(start, end, new))

    if isinstance(verdict, Edit):
        assert find_flaws("python", verdict.apply(snapshot_of(text))) == ()


@given(st.data(), python_texts(), python_fragments())
def test_an_edit_that_repairs_everything_passes(
    data: st.DataObject, text: str, fragment: str
) -> None:
    assume(not find_flaws("python", text))
    start, end = data.draw(spans(text))
    assume(text[start:end] != fragment)
    broken = text[:start] + fragment + text[end:]
    repair = edit_of(start, start + len(fragment), text[start:end])

    assert gate(snapshot_of(broken), repair) == repair


@given(st.data(), python_texts(), python_fragments())
def test_no_accepted_edit_leaves_more_flawed_text_outside_the_hole(
    data: st.DataObject, text: str, new: str
) -> None:
    start, end = data.draw(spans(text))
    verdict = gate(snapshot_of(text), edit_of(start, end, new))
    if isinstance(verdict, Refusal):
        return  # Most are; assume() would call that too much filtering.
    after = text[:start] + new + text[end:]

    def flawed_outside(whole: str, hole_end: int) -> int:
        left = len(whole[:start].rstrip())
        right = len(whole) - len(whole[hole_end:].lstrip())
        flawed = {n for f in find_flaws("python", whole) for n in range(f.span.start, f.span.end)}
        return sum(n < left or n >= right for n in flawed)

    assert flawed_outside(after, start + len(new)) <= flawed_outside(text, end)


@pytest.mark.parametrize(
    "deep", ["- " * 400 + "a\n", "".join(" " * n + "a:\n" for n in range(400))]
)
def test_yaml_too_deep_for_its_parser_is_judged_by_brackets(deep: str) -> None:
    """tree-sitter-yaml crashes on it, and the server with it."""
    snapshot = Snapshot(uri="a", version=1, language_id="yaml", text=deep + "b: ")
    end = Span(start=len(snapshot.text), end=len(snapshot.text))
    good = Edit(uri="a", version=1, span=end, new_text="[1]")
    bad = Edit(uri="a", version=1, span=end, new_text="[1")
    assert gate(snapshot, good) == good
    assert gate(snapshot, bad) == Refusal(reason=RefusalReason.BREAKS_PARSE)
    grown = Edit(uri="a", version=1, span=Span(start=0, end=0), new_text=deep)
    shallow = Snapshot(uri="a", version=1, language_id="yaml", text="b: 1\n")
    assert gate(shallow, grown) == grown
