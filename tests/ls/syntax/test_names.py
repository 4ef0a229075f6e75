"""Names with what holds them."""

from hypothesis import given

from dgemma_engine.types import Span
from dgemma_ls.syntax import Name, holder, names_in
from tests.strategies import python_texts


def names(text: str, language_id: str = "python") -> list[Name]:
    found = names_in(language_id, text, Span(start=0, end=len(text)))
    assert found is not None
    return found


@given(python_texts())
def test_a_name_stands_where_it_says_within_what_holds_it(text: str) -> None:
    found = names(text)
    assert [name.span.start for name in found] == sorted(name.span.start for name in found)
    for name in found:
        assert text[name.span.start : name.span.end] == name.text
        for outer in (*name.functions, *([] if name.owner is None else [name.owner])):
            assert outer.start <= name.span.start
            assert name.span.end <= outer.end


def test_a_functions_own_name_lies_outside_of_it() -> None:
    function, parameter = names("def f(a): pass\n")
    assert function.is_function
    assert function.functions == ()
    assert len(parameter.functions) == 1


def test_members_and_labels_are_told_from_variables() -> None:
    kinds = {name.text: (name.is_member, name.is_label) for name in names("a.b(c=d)\n")}
    assert kinds == {
        "a": (False, False),
        "b": (True, False),
        "c": (False, True),
        "d": (False, False),
    }


def test_the_holder_is_the_smallest_function_with_all_occurrences() -> None:
    text = "def a():\n    n = 1\n    def b(n_):\n        return n + n_\n    return n\n"
    found = names(text)
    inner = next(name for name in found if len(name.functions) == 2 and name.text == "n")
    own = next(name for name in found if len(name.functions) == 2 and name.text == "n_")
    assert holder(inner, found, "n") == inner.functions[0]
    assert holder(own, found, "n_") == own.functions[1]


def test_a_part_of_a_text_gives_only_its_names() -> None:
    text = "a = b\nc = d\n"
    found = names_in("python", text, Span(start=6, end=len(text))) or []
    assert [name.text for name in found] == ["c", "d"]
