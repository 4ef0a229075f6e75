"""What a span may be, as automata over its UTF-8 bytes; the search is ``constraints.py``.

An automaton reads byte by byte, so it does not matter where tokens are cut. States are hashable
values; ``None`` means that nothing which follows can help. No tokens and no probabilities here.
"""
# ruff: noqa: D102 -- what the methods do, the protocol says

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

S = TypeVar("S", bound=Hashable)
A = TypeVar("A", bound=Hashable)
B = TypeVar("B", bound=Hashable)

_LINE_ENDS = b"\r\n"
_DIGITS = b"0123456789"
_BACKSLASH = ord("\\")


class Automaton(Protocol[S]):
    """A deterministic automaton over bytes; it may have more states than one could list."""

    @property
    def start(self) -> S:
        """The state before the first byte."""
        ...

    def step(self, state: S, byte: int) -> S | None:
        """Read one byte; ``None`` where no accepted text begins like this."""
        ...

    def accepts(self, state: S) -> bool:
        """Say whether the text may end here."""
        ...


@dataclass(frozen=True, slots=True)
class Both(Generic[A, B]):
    """What two automata both accept."""

    a: Automaton[A]
    b: Automaton[B]

    @property
    def start(self) -> tuple[A, B]:
        return self.a.start, self.b.start

    def step(self, state: tuple[A, B], byte: int) -> tuple[A, B] | None:
        of_a, of_b = state
        next_a = self.a.step(of_a, byte)
        if next_a is None:
            return None
        next_b = self.b.step(of_b, byte)
        return None if next_b is None else (next_a, next_b)

    def accepts(self, state: tuple[A, B]) -> bool:
        of_a, of_b = state
        return self.a.accepts(of_a) and self.b.accepts(of_b)


@dataclass(frozen=True, slots=True)
class Between(Generic[A]):
    """What makes a text that another automaton accepts, put between two others.

    State: how many bytes of the head are read, and the other automaton's.

    Attributes:
        whole: says which texts are accepted.
        begun: its state after what stands before.
        after: what stands behind.
        head: bytes to be read first that were counted before already.
    """

    whole: Automaton[A]
    begun: A
    after: bytes = b""
    head: bytes = b""

    @property
    def start(self) -> tuple[int, A]:
        return 0, self.begun

    def step(self, state: tuple[int, A], byte: int) -> tuple[int, A] | None:
        n_read, of_whole = state
        if n_read < len(self.head):
            return (n_read + 1, of_whole) if byte == self.head[n_read] else None
        following = self.whole.step(of_whole, byte)
        return None if following is None else (n_read, following)

    def accepts(self, state: tuple[int, A]) -> bool:
        n_read, of_whole = state
        for byte in self.after:
            following = self.whole.step(of_whole, byte)
            if following is None:
                return False
            of_whole = following
        return n_read == len(self.head) and self.whole.accepts(of_whole)


@dataclass(frozen=True, slots=True)
class Utf8:
    """Well-formed UTF-8 (Unicode, table 3-7): no half, overlong or surrogate characters.

    State: how many bytes are to follow, and the range of the next.
    """

    start: tuple[int, int, int] = (0, 0, 0)

    def step(self, state: tuple[int, int, int], byte: int) -> tuple[int, int, int] | None:
        n_left, low, high = state
        if n_left:
            if not low <= byte <= high:
                return None
            return (n_left - 1, 0x80, 0xBF) if n_left > 1 else (0, 0, 0)
        if byte < 0x80:
            return state
        n_following = 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3
        first = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}
        return (n_following, *first.get(byte, (0x80, 0xBF))) if 0xC2 <= byte <= 0xF4 else None

    def accepts(self, state: tuple[int, int, int]) -> bool:
        return state == (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Identifier:
    """A name: what ``str.isidentifier`` says, with more characters if the language has them.

    State: whether a character was read, and the bytes of one begun.

    Attributes:
        extra: ASCII characters that a name may hold as well, as ``$``.
    """

    extra: str = ""
    start: tuple[bool, bytes] = (False, b"")

    def step(self, state: tuple[bool, bytes], byte: int) -> tuple[bool, bytes] | None:
        is_inside, begun = state
        begun += bytes([byte])
        try:
            char = begun.decode()
        except UnicodeDecodeError as err:
            is_half = err.reason == "unexpected end of data"
            return (is_inside, begun) if is_half else None
        is_part = char in self.extra or ("a" + char if is_inside else char).isidentifier()
        return (True, b"") if is_part else None

    def accepts(self, state: tuple[bool, bytes]) -> bool:
        return state == (True, b"")


@dataclass(frozen=True, slots=True)
class Number:
    """An unsigned number literal: whole, decimal, with exponent, or ``0x``, ``0o``, ``0b``.

    Underscores may stand between digits. State: a name in the table below.
    """

    start: str = "start"

    def step(self, state: str, byte: int) -> str | None:
        return _NUMBER[state].get(byte)

    def accepts(self, state: str) -> bool:
        return state in {"zero", "whole", "point", "part", "power", "hex", "octal", "binary"}


@dataclass(frozen=True, slots=True)
class StringBody:
    """The inside of a one-line string: no quote that would end it, no unfinished escape.

    Attributes:
        quote: the quotation mark, one byte.
    """

    quote: bytes = b'"'
    start: bool = False  # whether a backslash waits for the character that it escapes

    def step(self, state: bool, byte: int) -> bool | None:
        if byte in _LINE_ENDS:
            return None
        if state:
            return False
        return None if byte in self.quote else byte == _BACKSLASH

    def accepts(self, state: bool) -> bool:
        return not state


@dataclass(frozen=True, slots=True)
class BalancedBrackets:
    """Text that closes every bracket it opens and no other; those in strings do not count.

    A string ends with its quotation mark or with the line: a lone apostrophe does no harm beyond.
    State: the closers that are due, the quotation mark of an open string or 0, and whether a
    backslash waits.

    Attributes:
        max_depth: most brackets that may be open at once.
        quotes: quotation marks; fewer in a language that writes ``'a`` for something else.
    """

    max_depth: int = 6
    quotes: bytes = b"\"'`"
    start: tuple[bytes, int, bool] = (b"", 0, False)

    def step(self, state: tuple[bytes, int, bool], byte: int) -> tuple[bytes, int, bool] | None:
        due, quote, escaped = state
        if quote:
            if byte in _LINE_ENDS or (byte == quote and not escaped):
                return due, 0, False
            return due, quote, byte == _BACKSLASH and not escaped
        if byte in self.quotes:
            return due, byte, False
        if (closer := _CLOSERS.get(byte)) is not None:
            return (due + closer, 0, False) if len(due) < self.max_depth else None
        if byte in b")]}":
            return (due[:-1], 0, False) if due[-1:] == bytes([byte]) else None
        return state

    def accepts(self, state: tuple[bytes, int, bool]) -> bool:
        return not state[0]


_CLOSERS = {ord(opener): closer for opener, closer in (("(", b")"), ("[", b"]"), ("{", b"}"))}


def _edges(**targets: bytes) -> dict[int, str]:
    """Byte → state of one row of the table; the bytes of a state are disjoint from the others'."""
    return {byte: state for state, row in targets.items() for byte in row}


_NUMBER: Mapping[str, Mapping[int, str]] = {
    "start": _edges(zero=b"0", whole=b"123456789", dot=b"."),
    "zero": _edges(
        whole=_DIGITS, whole_=b"_", point=b".", e=b"eE", hex_=b"xX", octal_=b"oO", binary_=b"bB"
    ),
    "whole": _edges(whole=_DIGITS, whole_=b"_", point=b".", e=b"eE"),
    "whole_": _edges(whole=_DIGITS),
    "point": _edges(part=_DIGITS, e=b"eE"),
    "dot": _edges(part=_DIGITS),
    "part": _edges(part=_DIGITS, part_=b"_", e=b"eE"),
    "part_": _edges(part=_DIGITS),
    "e": _edges(power=_DIGITS, sign=b"+-"),
    "sign": _edges(power=_DIGITS),
    "power": _edges(power=_DIGITS, power_=b"_"),
    "power_": _edges(power=_DIGITS),
    "hex_": _edges(hex=b"0123456789abcdefABCDEF"),
    "hex": _edges(hex=b"0123456789abcdefABCDEF", hex_=b"_"),
    "octal_": _edges(octal=b"01234567"),
    "octal": _edges(octal=b"01234567", octal_=b"_"),
    "binary_": _edges(binary=b"01"),
    "binary": _edges(binary=b"01", binary_=b"_"),
}
