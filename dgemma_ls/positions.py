r"""Code-point offsets ↔ line and character, in the three encodings of the protocol.

Alone in knowing what UTF-8, UTF-16 and UTF-32 code units are. Knows no documents and no protocol
types. A line ends at ``\n``, ``\r\n`` or ``\r`` and nowhere else (LSP 3.18, "Text Documents");
``str.splitlines`` would also split at form feeds, U+0085, U+2028 and more.
"""

import enum
import re
from bisect import bisect_right
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n|\n|\r")


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
    """Where the lines of one text begin and end. Built once, never changes."""

    def __init__(self, text: str) -> None:
        """Find the line ends of ``text`` in one pass."""
        ends = [match.span() for match in _LINE_END.finditer(text)]
        self._text = text
        self._starts = [0, *(after for _, after in ends)]
        self._ends = [*(before for before, _ in ends), len(text)]

    @property
    def n_lines(self) -> int:
        """The number of lines; a text that ends with a line end has an empty last line."""
        return len(self._starts)

    def line_span(self, line: int) -> tuple[int, int]:
        r"""Give the offsets where ``line`` begins and where its content ends (before ``\r\n``).

        Raises:
            IndexError: if there is no such line.
        """
        if not 0 <= line < self.n_lines:
            raise IndexError(f"{line=}, but the text has {self.n_lines} lines")
        return self._starts[line], self._ends[line]

    def offset_at(self, line: int, character: int, encoding: PositionEncoding) -> int:
        """Give the offset of a position, as lenient as the protocol asks.

        A character past the line's end means the line's end, a line past the last means the end
        of the text, and a position inside a surrogate pair or UTF-8 sequence means its start.
        """
        if line >= self.n_lines:
            return len(self._text)
        start, end = self._starts[max(line, 0)], self._ends[max(line, 0)]
        content = self._text[start:end]
        if encoding is PositionEncoding.UTF32 or content.isascii():
            return start + min(max(character, 0), len(content))
        # The largest number of whole characters that fit in so many units.
        fitting = bisect_right(
            range(len(content) + 1), max(character, 0), key=lambda n: encoding.units(content[:n])
        )
        return start + fitting - 1

    def position_at(self, offset: int, encoding: PositionEncoding) -> Position:
        r"""Give the position of an offset; between ``\r`` and ``\n`` it is the line's end.

        Raises:
            ValueError: if the offset lies outside the text.
        """
        if not 0 <= offset <= len(self._text):
            raise ValueError(f"{offset=} lies outside the text of {len(self._text)} characters")
        line = bisect_right(self._starts, offset) - 1
        start, end = self._starts[line], self._ends[line]
        return Position(line, encoding.units(self._text[start : min(offset, end)]))
