"""What became of words, whichever way they are typed."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.edits import difference
from dgemma_ls.features.changed_words import Log, after_change
from tests.strategies import edit_scripts


def play(*texts: str) -> list[tuple[str, str]]:
    """Go from text to text, and give which words are others now."""
    return [(word.old, word.new) for word in played(*texts) if word.is_rename]


def played(*texts: str) -> Log:
    log: Log = ()
    for before, after in itertools.pairwise(texts):
        if (change := difference(before, after)) is not None:
            log = after_change(log, before, change, after)
    return log


def test_a_word_that_is_typed_over_letter_by_letter_is_one_rename() -> None:
    assert play("f(total)", "f(a)", "f(am)", "f(amo)") == [("total", "amo")]


def test_a_word_that_is_deleted_first_is_one_rename() -> None:
    assert play("f(total)", "f(tot)", "f()", "f(a)", "f(am)") == [("total", "am")]


def test_a_word_that_becomes_itself_again_is_none() -> None:
    assert play("f(total)", "f(a)", "f()", "f(total)") == []


def test_a_word_that_is_written_where_none_was_is_none() -> None:
    assert play("f()", "f(t)", "f(to)", "f(to, b)", "f(to, ba)") == []


def test_a_rename_is_kept_while_somebody_types_beside_it_and_elsewhere() -> None:
    assert play("f(total)", "f(amo)", "x\nf(amo)", "x\nf(amo, b)") == [("total", "amo")]


def test_two_words_that_change_at_once_are_two_renames() -> None:
    assert play("f(a, b)", "f(x, y)") == [("a", "x"), ("b", "y")]


def test_a_word_that_is_split_is_none() -> None:
    assert play("foobar = 1", "foo bar = 1") == []


def test_a_longer_name_replaces_the_whole_name() -> None:
    assert play("f(a.foo)", "f(a.foo_bar)") == [("foo", "foo_bar")]


@given(edit_scripts())
def test_what_is_logged_stands_where_the_log_says(
    script: tuple[str, list[tuple[int, int, str]]],
) -> None:
    text, edits = script
    log: Log = ()
    for start, end, new in edits:
        after = text[:start] + new + text[end:]
        if (change := difference(text, after)) is not None:
            log = after_change(log, text, change, after)
        text = after
        for word in log:
            assert text[word.span.start : word.span.end] == word.new


@given(st.text("ab_ .", max_size=12), st.data())
def test_words_are_logged_as_wholes(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    new = data.draw(st.text("ab_ .", max_size=4))
    after = text[:start] + new + text[end:]
    for word in played(text, after):
        outside = after[: word.span.start][-1:] + after[word.span.end :][:1]
        assert not any(one.isalnum() or one == "_" for one in outside if word.new)
