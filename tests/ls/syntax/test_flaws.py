"""What tree-sitter reports, in code points, for every language of the table."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.syntax import find_flaws, has_grammar
from tests.strategies import texts


def check(language_id: str, before: str, *expect: str) -> None:
    """Marks ├ ┤ stand around the one flaw of the text; without marks there is none."""
    start, end = before.find("├"), before.find("┤") - 1
    text = before.replace("├", "").replace("┤", "")
    found = [(f.kind, f.span.start, f.span.end) for f in find_flaws(language_id, text)]

    assert found == [(kind, start, end) for kind in expect]


def test_a_missing_bracket_is_an_empty_flaw_where_it_should_stand() -> None:
    check("javascript", "function f() { return 1;├┤", "MISSING }")


def test_a_missing_thing_that_the_grammar_hides_is_a_flaw() -> None:
    # The tree shows a plain identifier of no length, marked as erroneous, and no MISSING node.
    check("csharp", "class A { int F(int x) { return x +├┤ ; } }", "MISSING identifier")


def test_an_error_covers_what_does_not_fit() -> None:
    check("python", "foo(1 ├2┤)\n", "ERROR")


def test_flaws_are_counted_in_characters_not_bytes() -> None:
    check("python", "é = '𝒳€'\nfoo(é ├ü┤)\n", "ERROR")


def test_an_error_inside_an_error_is_marked_as_nested() -> None:
    flaws = find_flaws("python", "foo(1 2\nx = 1\n")

    assert [flaw.nested for flaw in flaws] == [False, True]


def test_a_lone_surrogate_is_a_character_like_any_other() -> None:
    check("python", "x = '\ud83d'\nfoo(1 ├2┤)\n", "ERROR")


def test_a_lone_cr_ends_a_line() -> None:
    # The grammars know it not, and would see one long broken line.
    check("python", "x = 1\ry = 2\r")


@given(st.sampled_from(["python", "typescriptreact", "json", "markdown"]), texts())
def test_flaws_lie_within_any_text_a_document_can_hold(language_id: str, text: str) -> None:
    assert all(flaw.span.end <= len(text) for flaw in find_flaws(language_id, text))


def test_texts_are_parsed_in_several_threads_at_once() -> None:
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(len(find_flaws("json", "[1 " * n))))
        for n in range(1, 9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert all(found)


def test_a_language_without_grammar_is_our_bug_to_parse() -> None:
    assert not has_grammar("zig")
    with pytest.raises(ValueError, match="zig"):
        find_flaws("zig", "fn f() {}")
