"""Tokens begun before the gap: what is taken over into the span, and what stays."""

import time

from dgemma_engine.infill.healing import heal, span_tokens
from dgemma_engine.tokenizer import Tokenizer
from tests.engine.infill.test_planner import check, plan, utf8


def check_healed(tokenizer: Tokenizer, marked: str, head: str) -> None:
    prefix, suffix = marked.split("║")
    kept, found = heal(prefix, tokenizer)
    if tokenizer.has_token_starting_with(utf8(head)):
        assert found == head
    else:
        assert head.endswith(found)  # nothing, where its last token is half a character
    assert kept + found == prefix
    check(tokenizer, prefix, suffix, plan(tokenizer, prefix, suffix))


def test_of_a_begun_word_that_is_no_tokens_beginning_only_the_last_token_is_taken_over(
    byte_level: Tokenizer,
) -> None:
    word = "selfqqqq"
    assert not byte_level.has_token_starting_with(word.encode())
    made = plan(byte_level, f"x = ({word}", "\n")

    assert made.head == byte_level.decode(byte_level.encode(word)[-1:])
    assert byte_level.decode(made.left_ids).endswith(word[: -len(made.head)])
    check(byte_level, f"x = ({word}", "\n", made)


def test_a_word_begun_before_the_cursor_is_taken_over(byte_level: Tokenizer) -> None:
    check_healed(byte_level, "x = ret║\n", " ret")
    check_healed(byte_level, "(ret║)\n", "ret")
    check_healed(byte_level, "ret║", "ret")
    check_healed(byte_level, "x = __ini║\n", " __ini")
    check_healed(byte_level, "x = grö║\n", " grö")
    check_healed(byte_level, "self._║stream\n", "_")


def test_what_follows_the_span_stays_outside(byte_level: Tokenizer) -> None:
    check_healed(byte_level, "x = se║lf.path\n", " se")
    check_healed(byte_level, "x = ║path\n", " ")
    assert plan(byte_level, "x = se", "lf.path\n").right_ids == tuple(
        byte_level.encode("lf.path\n")
    )


def test_punctuation_may_be_the_beginning_of_a_token(byte_level: Tokenizer) -> None:
    check_healed(byte_level, "x = (║path)\n", "(")
    check_healed(byte_level, "x =║\n", " =")
    check_healed(byte_level, "self.║\n", ".")


def test_what_was_begun_is_given_as_it_is_or_healed(byte_level: Tokenizer) -> None:
    def beginnings(prefix: str) -> set[tuple[bytes, bytes]]:
        rows = plan(byte_level, prefix, "\n", (4,)).rows
        assert all(len(row.given) + row.n_tokens == 4 for row in rows)
        return {(byte_level.decode_bytes(row.given), row.must_start) for row in rows}

    assert beginnings("f(") == {(b"(", b"")}
    assert beginnings("x = ") == {(b"", b" ")}
    assert beginnings("(ret") == {(b"ret", b""), (b"", b"ret")}
    assert beginnings("\n") == {(b"", b"")}


def test_a_span_as_short_as_what_was_begun_may_only_heal_it(byte_level: Tokenizer) -> None:
    (row,) = plan(byte_level, "f(", "\n", (1,)).rows
    assert (row.given, row.must_start, row.n_tokens) == ((), b"(", 1)


def test_a_space_belongs_to_the_word_after_it_but_indentation_does_not(
    byte_level: Tokenizer,
) -> None:
    check_healed(byte_level, "x = ║\n", " ")
    check_healed(byte_level, "    ║\n", "")
    check_healed(byte_level, "x = 4║\n", "")
    check_healed(byte_level, "\n║\n", "")
    check_healed(byte_level, "║", "")


def test_a_long_run_of_letters_is_searched_in_linear_time(byte_level: Tokenizer) -> None:
    """A sequence of bases or an encoded picture: ten times as long is not a hundred times."""

    def seconds(n_letters: int) -> float:
        started = time.thread_time()
        heal("A" * n_letters + "=", byte_level)
        return time.thread_time() - started

    seconds(100)
    assert seconds(8000) < 30 * max(seconds(800), 1e-4)


def test_a_spans_length_includes_what_was_begun_before_it(byte_level: Tokenizer) -> None:
    assert span_tokens("x = 4", "path", byte_level) == len(byte_level.encode("path"))
    assert span_tokens("x = (pa", "th", byte_level) == len(byte_level.encode("path"))
    assert span_tokens("x = ", "path", byte_level) == len(byte_level.encode(" path"))
    assert span_tokens("f(", "path", byte_level) == len(byte_level.encode("(path"))
