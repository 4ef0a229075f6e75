"""Automata over bytes, against regular expressions and plain loops over whole texts."""

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dgemma_engine.infill.automata import (
    Automaton,
    BalancedBrackets,
    Between,
    Both,
    Identifier,
    Number,
    StringBody,
    Utf8,
)


def accepts(automaton: Automaton[Any], text: bytes) -> bool:
    """Read a whole text."""
    state = automaton.start
    for byte in text:
        state = automaton.step(state, byte)
        if state is None:
            return False
    return automaton.accepts(state)


def is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_balanced(text: bytes, max_depth: int) -> bool:
    """Blank out strings, then take away innermost pairs until nothing changes."""
    one_of = b"|".join(
        rb"%s(?:\\[^\r\n]|[^\\%s\r\n])*\\?(?:%s|(?=[\r\n])|\Z)" % (q, q, q)
        for q in (b'"', b"'", b"`")
    )
    brackets = re.sub(rb"[^()\[\]{}]", b"", re.sub(one_of, b"", text))
    depth = 0
    while brackets:
        shorter = re.sub(rb"\(\)|\[\]|\{\}", b"", brackets)
        depth += 1
        if shorter == brackets or depth > max_depth:
            return False
        brackets = shorter
    return True


def nesting(text: bytes) -> int:
    """Most brackets open at once, in text without strings."""
    depth = deepest = 0
    for byte in text:
        depth += (byte in b"([{") - (byte in b")]}")
        deepest = max(deepest, depth)
    return deepest


NUMBER = re.compile(
    rb"0[xX][\da-fA-F](_?[\da-fA-F])*|0[bB][01](_?[01])*|0[oO][0-7](_?[0-7])*"
    rb"|(\d(_?\d)*(\.(\d(_?\d)*)?)?|\.\d(_?\d)*)([eE][+-]?\d(_?\d)*)?"
)

CASES: dict[str, tuple[Automaton[Any], Callable[[bytes], bool]]] = {
    "UTF-8": (Utf8(), is_utf8),
    "identifier": (Identifier(), lambda it: is_utf8(it) and it.decode().isidentifier()),
    "identifier with $": (
        Identifier("$"),
        lambda it: is_utf8(it) and it.decode().replace("$", "_").isidentifier(),
    ),
    "number": (Number(), lambda it: NUMBER.fullmatch(it) is not None),
    "string body": (
        StringBody(b"'"),
        lambda it: re.fullmatch(rb"([^\\'\r\n]|\\[^\r\n])*", it) is not None,
    ),
    "brackets": (BalancedBrackets(max_depth=9), lambda it: is_balanced(it, 99)),
    "both": (
        Both(Identifier(), Number()),
        lambda _: False,
    ),
    "both, of a string": (
        Both(StringBody(b"'"), BalancedBrackets(quotes=b"")),
        lambda it: (
            re.fullmatch(rb"([^\\'\r\n]|\\[^\r\n])*", it) is not None
            and is_balanced(re.sub(rb"[^()\[\]{}]", b"", it), 6)
        ),
    ),
    "between": (
        Between(Number(), begun="point", after=b"7_0", head=b"1."),
        lambda it: it.startswith(b"1.") and NUMBER.fullmatch(it + b"7_0") is not None,
    ),
    "between nothing": (
        Between(Identifier(), begun=(False, b"")),
        lambda it: is_utf8(it) and it.decode().isidentifier(),
    ),
}

PIECES = (
    *(b"a", b"b", b"(", b")", b"[", b"]", b"{", b"}", b"()", b"[]", b"'", b'"', b"`", b"\\"),
    *(b"\n", b"\r", b" ", b"_", b"$", b"0", b"1", b"7", b"9", b"f", b".", b"e", b"+", b"-"),
    *(b"x", b"X", b"o", b"\xc3", b"\xa9", "é".encode(), "𝒳".encode(), "·".encode(), "€".encode()),
    *(b"\xe0\x80", b"\xed\xa0\x80", b"\xf4\x90", b"\xff", b"\xc0\x80", b"\xe2\x82"),
)
byte_texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join),
    st.lists(st.sampled_from(PIECES[:13]), max_size=8).map(b"".join),
    st.text("1.e_7-", max_size=6).map(lambda it: b"1." + it.encode()),
    st.from_regex(NUMBER, fullmatch=True),
    st.text(max_size=6).map(lambda it: it.encode("utf-8", "surrogatepass")),
    st.binary(max_size=6),
)


@pytest.mark.parametrize("name", CASES)
@given(text=byte_texts)
@example(text=b"")
@example(text=b"(')')")
@example(text=rb"('\')')")
@example(text=rb"('\'')")
@example(text=b"(don't\n)")
@example(text=b"0x_f")
@example(text=b"1_000.5e-3")
@example(text="a·é".encode())
def test_the_automaton_accepts_what_the_expression_does(name: str, text: bytes) -> None:
    automaton, expected = CASES[name]
    assert accepts(automaton, text) == expected(text)


EXHAUSTIVE = {
    "number": (b"07.b_e-x", 5),
    "UTF-8": (b"\x00\x7f\x80\x8f\x90\x9f\xa0\xbf\xc1\xc2\xe0\xe1\xed\xf0\xf1\xf4\xf5", 4),
    "between": (b"1.7_e", 6),
    "string body": (b"a'\\\n", 6),
    "brackets": (b"()[]'\\\n", 6),
}


@pytest.mark.parametrize("name", EXHAUSTIVE)
def test_the_automaton_agrees_on_every_short_text(name: str) -> None:
    automaton, expected = CASES[name]
    alphabet, longest = EXHAUSTIVE[name]
    for n_bytes in range(longest + 1):
        for text in map(bytes, itertools.product(alphabet, repeat=n_bytes)):
            assert accepts(automaton, text) == expected(text), text


@given(text=st.lists(st.sampled_from((b"(", b")", b"[", b"]", b"x")), max_size=12).map(b"".join))
@example(text=b"[(x)]")
@example(text=b"[((x))]")
def test_brackets_are_open_no_deeper_than_allowed(text: bytes) -> None:
    expected = is_balanced(text, 99) and nesting(text) <= 2
    assert accepts(BalancedBrackets(max_depth=2), text) == expected


def test_brackets_count_behind_what_is_no_quotation_mark_here() -> None:
    rust = b"fn first<'a>(of: &'a str) -> &'a str"
    assert not accepts(BalancedBrackets(), rust)
    assert accepts(BalancedBrackets(quotes=b'"'), rust)
