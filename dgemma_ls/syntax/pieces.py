"""A long text as pieces that parse alone as they do within it.

Reading a document of 10,000 lines as one takes a tenth of a second for the parse alone, and after a
keystroke all of it again. Pieces are parsed one at a time, and those whose text is unchanged need
not be parsed again at all. What a piece contains depends on its text alone, so a mistake in one
(an open bracket, a string without end) turns nothing round in the others.

Where a text is cut depends on its content near the cut, not on how much stands before: of the
lines at which a cut is possible, within some thousand characters, the one with the least hash. So
after an edit all cuts but one or two are where they were. A cut is possible where a construct
begins at the left margin, behind a blank line, and what lies before it ends well: parses without a
mistake, or, in Markdown, leaves no fence and no comment open. Where what somebody types in does
not, the text goes on as pieces from the next line on that begins some that do.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from tree_sitter import Node

from dgemma_engine.types import Span
from dgemma_ls.languages import grammar_for
from dgemma_ls.syntax.nodes import parsed_once

_SIZE = 4 << 10
"""Characters that a piece has at least; mostly it has up to three times as many."""
_HASHED = 48  # characters of the line at which a cut is possible, by which one is chosen
_N_TRIES = 6

_FRONT_MATTER = re.compile(r"(---|\+\+\+)[ \t]*\r?\n.*?^\1[ \t]*$", re.DOTALL | re.MULTILINE)
_FENCES = frozenset({"fenced_code_block_delimiter"})
# HTML that blank lines do not end, and what does.
_RAW_HTML = (
    (re.compile(r"\s*<!--"), re.compile(r"-->")),
    (re.compile(r"\s*<\?"), re.compile(r"\?>")),
    (re.compile(r"\s*<!\[CDATA\["), re.compile(r"\]\]>")),
    (re.compile(r"\s*<![A-Za-z]"), re.compile(r">")),
    (
        re.compile(r"\s*<(?:script|pre|style|textarea)\b", re.IGNORECASE),
        re.compile(r"</(?:script|pre|style|textarea)>", re.IGNORECASE),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cutting:
    """How the texts of a language are cut.

    Attributes:
        beginning: matches end where a piece may begin.
        ends_well: says of a piece that begins rightly whether it ends where it seems to.
        goes_on: whether behind a piece that never ends well there may be others.
    """

    beginning: re.Pattern[str]
    ends_well: Callable[[str], bool]
    goes_on: bool


def pieces(language_id: str, text: str, *, size: int = _SIZE) -> Iterator[Span]:
    """Cut a text, piece by piece; each step parses the next one.

    Args:
        language_id: texts of some languages are cut; one of another is one piece.
        text: the whole text.
        size: characters that a piece has at least.
    """
    cutting = _CUTTINGS.get(language_id)
    if cutting is None or len(text) <= 4 * size:
        yield Span(start=0, end=len(text))
        return
    matter = _FRONT_MATTER.match(text)
    begin = matter.end() if matter is not None and language_id == "markdown" else 0
    places = [match.end() for match in cutting.beginning.finditer(text, begin)]
    start = 0
    while start < len(text):
        end = _end_of_piece(cutting, text, places, start, size)
        yield Span(start=start, end=end)
        start = end


def _end_of_piece(
    cutting: _Cutting, text: str, places: Sequence[int], start: int, size: int
) -> int:
    reach = size
    for _ in range(_N_TRIES):
        end = _chosen(text, places, start + reach, size)
        if end is None:
            break
        if cutting.ends_well(text[start:end]):
            return end
        # What lies open may be long, and each trial parses from the start.
        reach = (end - start) * (1 if cutting.goes_on else 2) + 1
    if not cutting.goes_on:
        return len(text)
    begin = _chosen(text, places, start + size, size)
    for _ in range(4 * _N_TRIES):
        if begin is None:
            break
        end = _chosen(text, places, begin + size, size) or len(text)
        if cutting.ends_well(text[begin:end]):
            return begin
        begin = _chosen(text, places, begin + 1, size // 4)
    return len(text)


def _chosen(text: str, places: Sequence[int], low: int, size: int) -> int | None:
    """Choose among the places in some thousand characters; where there is none, the next one."""
    first = bisect_left(places, low)
    last = bisect_left(places, low + 2 * size)
    if first == len(places):
        return None
    near = places[first : max(last, first + 1)]
    return min(
        near,
        key=lambda place: (
            crc32(text[place : place + _HASHED].encode("utf-8", "surrogatepass")),
            place,
        ),
    )


@lru_cache(maxsize=256)  # of an edited text, most pieces are as they were
def _python_ends_well(piece: str) -> bool:
    grammar = grammar_for("python")
    assert grammar is not None
    return not parsed_once(grammar, piece).tree.root_node.has_error


@lru_cache(maxsize=256)
def _markdown_ends_well(piece: str) -> bool:
    grammar = grammar_for("markdown")
    assert grammar is not None
    parsed = parsed_once(grammar, piece)
    node: Node | None = parsed.tree.root_node
    while node is not None:
        if node.type == "fenced_code_block":
            return sum(child.type in _FENCES for child in node.children) > 1
        if node.type == "html_block":
            span = parsed.span_of(node)
            return not _is_open(piece[span.start : span.end])
        node = node.children[-1] if node.children else None
    return True


def _is_open(html: str) -> bool:
    for opening, closing in _RAW_HTML:
        if (mark := opening.match(html)) is not None:
            return closing.search(html, mark.end()) is None
    return False


_CUTTINGS = {
    "markdown": _Cutting(
        beginning=re.compile(r"\n[ \t]*\r?\n(?=[^\W\d_]|#{1,6}[ \t])"),
        ends_well=_markdown_ends_well,
        goes_on=False,
    ),
    "python": _Cutting(
        # No quote: a string that begins a piece would be taken for the docstring of a module.
        beginning=re.compile(
            r"\n[ \t]*\r?\n(?=@|(?!(?:else|elif|except|finally|case)\b)[^\W\d]\w*[ \t(.=\[:,])"
        ),
        ends_well=_python_ends_well,
        goes_on=True,
    ),
}
