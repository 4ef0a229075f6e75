r"""Code-point offsets ↔ line and character, in the three encodings of the protocol.

Alone in knowing what UTF-8, UTF-16 and UTF-32 code units are. Knows no documents and no protocol
types. A line ends at ``\n``, ``\r\n`` or ``\r`` and nowhere else (LSP 3.18, "Text Documents");
``str.splitlines`` would also split at form feeds, U+0085, U+2028 and more.
"""

import enum
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n|\n|\r")
_BLOCK_LINES = 512


class PositionEncoding(enum.Enum):
    """How the editor counts characters in a line; the values are the protocol's names."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"

    def units(self, text: str) -> int:
        """Count the code units of ``text``; a lone surrogate counts as it would be written."""
        match self:
            case PositionEncoding.UTF8:
                return len(text.encode("utf-8", "surrogatepass"))
            case PositionEncoding.UTF16:
                return len(text.encode("utf-16-le", "surrogatepass")) // 2
            case PositionEncoding.UTF32:
                return len(text)


class Position(NamedTuple):
    """A place as the editor names it: line and code units in it, both from 0."""

    line: int
    character: int


class LineIndex:
    """Where the lines of one text begin and end. Never changes; :meth:`replaced` gives a new one.

    Line starts are kept in blocks of some hundred, each relative to its first, so that an edit
    rewrites one block and shifts the places of the others, not of every line.
    """

    __slots__ = ("_blocks", "_first_lines", "_places", "_text")

    def __init__(self, text: str) -> None:
        """Find the line starts of ``text`` in one pass."""
        self._text = text
        starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._blocks, self._places = _cut(starts)
        self._first_lines = _running_sum(self._blocks)

    @property
    def text(self) -> str:
        """The text that this is the index of."""
        return self._text

    @property
    def n_lines(self) -> int:
        """The number of lines; a text that ends with a line end has an empty last line."""
        return self._first_lines[-1] + len(self._blocks[-1])

    def replaced(self, start: int, end: int, new_text: str) -> "LineIndex":
        """Give the index of the text with ``[start, end)`` replaced by ``new_text``.

        Raises:
            ValueError: if the range lies outside the text.
        """
        if not 0 <= start <= end <= len(self._text):
            raise ValueError(f"{start=}, {end=} lie outside a text of {len(self._text)} characters")
        text = "".join((self._text[:start], new_text, self._text[end:]))
        new_end = start + len(new_text)
        # Whether a line starts at n depends on the characters n - 1 and n alone, so only the
        # starts from ``start`` to ``new_end`` may have changed, both included.
        first, last = max(start - 1, 0), new_end + 1
        found = [
            after
            for after in (first + match.end() for match in _LINE_END.finditer(text[first:last]))
            if start <= after <= new_end
        ]
        low = max(bisect_left(self._places, start) - 1, 0)
        high = bisect_right(self._places, end) - 1
        growth = len(text) - len(self._text)
        left, right = self._places[low], self._places[high]
        blocks, places = _cut(
            [
                # The first line starts at 0 whatever happens.
                *(left + n for n in self._blocks[low] if left + n < start or left + n == 0),
                *found,
                *(right + n + growth for n in self._blocks[high] if right + n > end),
            ]
        )
        index = object.__new__(LineIndex)
        index._text = text
        index._blocks = [*self._blocks[:low], *blocks, *self._blocks[high + 1 :]]
        index._places = [
            *self._places[:low],
            *places,
            *(place + growth for place in self._places[high + 1 :]),
        ]
        index._first_lines = _running_sum(index._blocks)
        return index

    def line_span(self, line: int) -> tuple[int, int]:
        r"""Give the offsets where ``line`` begins and where its content ends (before ``\r\n``).

        Raises:
            IndexError: if there is no such line.
        """
        if not 0 <= line < self.n_lines:
            raise IndexError(f"{line=}, but the text has {self.n_lines} lines")
        if line == self.n_lines - 1:
            return self._start(line), len(self._text)
        end = self._start(line + 1) - 1
        return self._start(line), end - (self._text[max(end - 1, 0) : end + 1] == "\r\n")

    def offset_at(self, line: int, character: int, encoding: PositionEncoding) -> int:
        """Give the offset of a position, as lenient as the protocol asks.

        A character past the line's end means the line's end, a line past the last means the end
        of the text, and a position inside a surrogate pair or UTF-8 sequence means its start.
        """
        if line >= self.n_lines:
            return len(self._text)
        start, end = self.line_span(max(line, 0))
        content = self._text[start:end]
        if encoding is PositionEncoding.UTF32 or content.isascii():
            return start + min(max(character, 0), len(content))
        # The largest number of whole characters that fit in so many units, by halving: each round
        # counts only what it adds, as a line may have megabytes.
        low, high, n_units = 0, len(content), 0
        while low < high:
            middle = (low + high + 1) // 2
            n_more = encoding.units(content[low:middle])
            if n_units + n_more <= character:
                low, n_units = middle, n_units + n_more
            else:
                high = middle - 1
        return start + low

    def position_at(self, offset: int, encoding: PositionEncoding) -> Position:
        r"""Give the position of an offset; between ``\r`` and ``\n`` it is the line's end.

        Raises:
            ValueError: if the offset lies outside the text.
        """
        if not 0 <= offset <= len(self._text):
            raise ValueError(f"{offset=} lies outside the text of {len(self._text)} characters")
        block = bisect_right(self._places, offset) - 1
        in_block = bisect_right(self._blocks[block], offset - self._places[block]) - 1
        line = self._first_lines[block] + in_block
        start, end = self.line_span(line)
        return Position(line, encoding.units(self._text[start : min(offset, end)]))

    def _start(self, line: int) -> int:
        block = bisect_right(self._first_lines, line) - 1
        return self._places[block] + self._blocks[block][line - self._first_lines[block]]


def _cut(starts: Sequence[int]) -> tuple[list[list[int]], list[int]]:
    """Cut line starts into blocks relative to their first; give the blocks and those firsts."""
    pieces = [starts[n : n + _BLOCK_LINES] for n in range(0, len(starts), _BLOCK_LINES)]
    return [[start - piece[0] for start in piece] for piece in pieces], [p[0] for p in pieces]


def _running_sum(blocks: Sequence[Sequence[int]]) -> list[int]:
    """Give the number of the first line of each block."""
    return [0, *accumulate(len(block) for block in blocks[:-1])]
