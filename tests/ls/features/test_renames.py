"""Where a rename goes on, and where it does not."""

import pytest

from dgemma_ls.edits import difference
from dgemma_ls.features.changed_words import after_change
from dgemma_ls.features.renames import Occurrence, occurrences
from dgemma_ls.types import Snapshot


def found(
    before: str, old: str, new: str, *, nth: int = 0, language_id: str = "python"
) -> list[Occurrence]:
    """Rename one occurrence of a word and give where that may go on."""
    at = -1
    for _ in range(nth + 1):
        at = before.index(old, at + 1)
    after = before[:at] + new + before[at + len(old) :]
    change = difference(before, after)
    assert change is not None
    log = after_change((), before, change, after)
    snapshot = Snapshot(uri="file:///a", version=1, language_id=language_id, text=after)
    places = next(iter(occurrences(snapshot, log)), [])
    assert all(after[one.span.start : one.span.end] == one.old for one in places)
    return places


LOCAL = """\
def area(width):
    total = width * 2
    print(total, key(total=1), "total")  # total
    return total

def other(total):
    return total
"""


def test_a_variable_goes_on_in_its_function_but_not_in_strings_comments_and_labels() -> None:
    places = found(LOCAL, "total", "sum_")
    assert len(places) == 2
    assert all(one.is_first and one.is_fresh for one in places)


def test_a_use_that_becomes_a_variable_that_is_there_is_no_rename() -> None:
    (first, *_) = found(LOCAL, "total", "width", nth=1)
    assert not first.is_fresh
    assert not first.is_first


def test_a_use_that_becomes_a_new_name_is_not_the_first() -> None:
    (first, *_) = found(LOCAL, "total", "fresh", nth=1)
    assert first.is_fresh
    assert not first.is_first


def test_an_attribute_goes_on_in_its_class_only() -> None:
    text = (
        "class A:\n    def m(self, x):\n        self.x = x\n        return self.x\n\n"
        "class B:\n    def m(self):\n        return self.x\n"
    )
    places = found(text, "x = x", "y = x")
    assert len(places) == 1


def test_a_function_goes_on_everywhere() -> None:
    text = (
        "def helper():\n    pass\n\ndef a():\n    helper()\n\ndef b(helper_):\n    return helper\n"
    )
    assert len(found(text, "helper", "assist")) == 2


def test_an_inner_function_shares_the_variables_of_the_outer_one() -> None:
    text = "def a():\n    n = 1\n    def b():\n        return n\n    return n\n"
    assert len(found(text, "n = 1", "m = 1")) == 2


@pytest.mark.parametrize(
    ("language_id", "text"),
    [
        ("javascript", "function f(aa) { const b = aa; return g(b.aa, aa); }\nlet aa = 1;"),
        ("typescript", "const f = (aa: number) => { return g(aa, {k: aa}); };\nlet aa = 1;"),
        ("go", "func f(aa int) int { b := aa; return s.aa(aa) }\nvar aa = 1"),
        ("rust", "fn f(aa: i32) -> i32 { let b = aa; s.aa(aa) }\nstatic aa: i32 = 1;"),
        ("java", "class A { int m(int aa) { int b = aa; return this.b(aa); } int aa; }"),
        ("c", "int f(int aa) { int b = aa; return s->aa + aa; }\nint aa;"),
    ],
)
def test_other_languages_know_parameters_too(language_id: str, text: str) -> None:
    assert len(found(text, "aa", "fresh", language_id=language_id)) == 2


def test_a_language_without_grammar_has_no_names() -> None:
    assert found("total total", "total", "sum", language_id="plaintext") == []
