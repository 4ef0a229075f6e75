"""Places carried over changes, against single characters that are followed one by one."""

from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.types import Span
from dgemma_ls.edits import Replacement, carry_span, difference
from tests.strategies import edit_scripts, spans, texts

Script = tuple[str, list[tuple[int, int, str]]]


def followed(script: Script) -> tuple[list[Replacement], list[int | None]]:
    """The script as replacements, and for each character of the result where it came from."""
    text, edits = script
    origins: list[int | None] = list(range(len(text)))
    replacements = []
    for start, end, new in edits:
        replacements.append(Replacement(start=start, old_text=text[start:end], new_text=new))
        text = text[:start] + new + text[end:]
        origins[start:end] = [None] * len(new)
    return replacements, origins


@given(edit_scripts())
def test_a_character_that_survives_is_found_where_it_went(script: Script) -> None:
    replacements, origins = followed(script)

    for place, origin in enumerate(origins):
        if origin is not None:
            assert carry_span(Span(start=origin, end=origin + 1), replacements) == Span(
                start=place, end=place + 1
            )


@given(st.data(), edit_scripts())
def test_a_carried_span_holds_the_same_text(data: st.DataObject, script: Script) -> None:
    replacements, origins = followed(script)
    start, end = data.draw(spans(script[0]))
    carried = carry_span(Span(start=start, end=end), replacements)

    if carried is not None:
        assert origins[carried.start : carried.end] == list(range(start, end))


def test_an_insertion_at_an_end_stays_outside() -> None:
    typed = Replacement(start=2, old_text="", new_text="xyz")

    assert carry_span(Span(start=2, end=2), [typed]) == Span(start=5, end=5)
    assert carry_span(Span(start=0, end=2), [typed]) == Span(start=0, end=2)
    assert carry_span(Span(start=2, end=4), [typed]) == Span(start=5, end=7)
    assert carry_span(Span(start=1, end=4), [typed]) is None


def test_a_place_in_a_replaced_text_is_lost() -> None:
    pasted = Replacement(start=2, old_text="abc", new_text="xy")

    assert carry_span(Span(start=3, end=3), [pasted]) is None


@given(texts(), texts())
def test_the_difference_turns_one_text_into_the_other(before: str, after: str) -> None:
    replacement = difference(before, after)

    if replacement is None:
        assert before == after
        return
    old = replacement.old_span
    assert before[old.start : old.end] == replacement.old_text
    assert before[: old.start] + replacement.new_text + before[old.end :] == after
    assert replacement.old_text[:1] != replacement.new_text[:1]


@given(st.integers(0, 100_000), st.integers(0, 100_000), st.sampled_from(["", "y", "xx"]))
def test_the_difference_of_long_texts_is_as_small_as_can_be(
    n_before: int, n_behind: int, new: str
) -> None:
    before, behind = "a" * n_before + "[", "]" + "b" * n_behind
    replacement = difference(before + "z" + behind, before + new + behind)

    assert replacement == Replacement(start=len(before), old_text="z", new_text=new)
