"""Lines → paragraphs, by rules: for reStructuredText, plain text, comments and docstrings.

These mix reStructuredText, Markdown and the habits of documentation tools; no grammar takes them
all. So one set of rules finds what is no prose in any of them: fenced and literal blocks, doctests,
directives, underlines. What a line begins with (a bullet, ``:param x:``, ``@param x``) starts a
paragraph and is protected.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dgemma_engine.types import Span

_FENCE = re.compile(r"(`{3,})")  # tildes underline titles in reStructuredText
_DOCTEST = re.compile(r"(>>>|\.\.\.)( |$)|In \[\d*\]:")
_SHELL_SESSION = re.compile(r"[$%>] \S")
_RULE = re.compile(r"[^\w]{3,}$|[=\-~^\"'*+#<>_]{2,}( +[=\-~^]+)*$")
_TABLE_LINE = re.compile(r"[|+].*[|+]$")
_DIRECTIVE = re.compile(r"\.\. ?([\w:+.-]+)::(?: +|$)|\.\. \|[^|]+\| ?([\w:+.-]+)::")
_FOOTNOTE = re.compile(r"\.\. \[[^\]]+\] +")
_OPTION = re.compile(r":[\w-]+:( |$)")
_PREFIXES = (
    re.compile(r"(?:[-*+•‣]|\(?(?:\d{1,4}|[a-zA-Z]|#)[.)])\s+(?:\[[ xX]\]\s+)?"),  # a list item
    re.compile(r":[^:`\n]+:(?:\s+|$)"),  # a field of reStructuredText
    # A tag of JSDoc, Javadoc, Doxygen, YARD: with its type and the name that it tells about.
    re.compile(
        r"[@\\](?:param|arg|argument|property|prop|typedef|tparam|template|field)(?:\[[\w,]+\])?"
        r"(?:\s+\{[^}\n]*\})?(?:\s+\[[^\]\n]*\]|\s+[\w.$<>*&]+)?(?:\s+-)?\s*"
    ),
    re.compile(r"[@\\]\w+(?:\s+\{[^}\n]*\})?\s*"),
    re.compile(r"\**`{0,2}[\w.*-]+`{0,2}(?:\s*\([^)\n]*\))?:(?:\s+|$)"),  # Google's "name: text"
)
_TYPE_LINE = re.compile(r"\*{0,2}\w+(?:, \*{0,2}\w+)* : \S")  # numpydoc's "name : type"
_PROSE_NAMES = """
admonition attention caution danger deprecated error epigraph hint important note rubric seealso
sidebar tip title todo topic versionadded versionchanged warning
"""
_NAMED_NAMES = """
figure class container function method attribute data exception module option describe confval
setting directive role glossary envvar program cmdoption staticmethod classmethod property object
type macro autofunction autoclass automodule tab-item dropdown card compound
"""
_PROSE_DIRECTIVES = frozenset(_PROSE_NAMES.split())  # argument and content are prose
_NAMED_DIRECTIVES = frozenset(_NAMED_NAMES.split())  # the argument is a name, the content prose
_CODE_LINE = re.compile(
    r"[;{}]\s*$|^\s*[)\]}]+[,;]?$|\w\([^)]*\)\s*[:,]?$|^\s*[\w.\[\]\"']+\s*[-+*/|&:]?=\s*\S"
    r"|^\s*(?:import|from|return|def|class|if|elif|for|while|else|try|except|with|const|let|var"
    r"|print|func|fn|pub|use|package|raise|assert|yield|await|async)\b[^.]*[:({;]?$|^\s*@\w|^\s*<\w"
    r"|[\w)\]]\($|=>\s*\{?$|^\s*[\w.]+\[[^\]]*\]\.\w+"
)
_NEVER = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Lines that belong together.

    Attributes:
        lines: the text of each line, without what stands around it; never empty.
        protected: what must not be touched within the lines.
    """

    lines: tuple[Span, ...]
    protected: tuple[Span, ...] = ()


def split_lines(text: str, span: Span) -> list[Span]:
    r"""Split a part of a text at ``\n``, ``\r\n`` and ``\r``; the ends of lines are left out."""
    lines, start = [], span.start
    for match in re.compile(r"\r\n|\n|\r").finditer(text, span.start, span.end):
        lines.append(Span(start=start, end=match.start()))
        start = match.end()
    return [*lines, Span(start=start, end=span.end)]


def filled_lines(text: str, span: Span) -> list[Span]:
    """Give the lines of a part without white space around them, blank ones left out."""
    lines = []
    for line in split_lines(text, span):
        content = text[line.start : line.end]
        start = line.start + len(content) - len(content.lstrip())
        if stripped := content.strip():
            lines.append(Span(start=start, end=start + len(stripped)))
    return lines


def paragraphs(text: str, lines: Sequence[Span]) -> Iterator[Paragraph]:
    """Find the paragraphs of prose in lines of a text.

    Args:
        text: the document.
        lines: content of each line, indentation included, comment markers not.
    """
    state = _State()
    for line in lines:
        content = text[line.start : line.end]
        stripped = content.strip()
        if not stripped:
            yield from state.flush(text)
            state.skips_to_blank = state.after_directive = False
            continue
        start = line.start + len(content) - len(content.lstrip())
        at_column = column(text, start)
        if state.is_code(stripped, at_column):
            continue
        yield from _take(text, Span(start=start, end=start + len(stripped)), at_column, state)
    yield from state.flush(text)


@dataclass(slots=True)
class _State:
    """What a line means depends on: an open fence, a block of code, the paragraph begun."""

    lines: list[Span] = field(default_factory=list)
    protected: list[Span] = field(default_factory=list)
    column: int = 0
    fence: str = ""
    code_above: int = _NEVER  # lines indented deeper than this are code
    skips_to_blank: bool = False
    after_directive: bool = False

    def is_code(self, stripped: str, column: int) -> bool:
        if self.fence:
            if stripped.startswith(self.fence):
                self.fence = ""
            return True
        if column > self.code_above or self.skips_to_blank:
            return True
        self.code_above = _NEVER
        return False

    def flush(self, text: str) -> Iterator[Paragraph]:
        if self.lines:
            last = self.lines[-1]
            if text[last.start : last.end].endswith("::"):
                self.code_above = self.column
            yield Paragraph(lines=tuple(self.lines), protected=tuple(self.protected))
        self.lines, self.protected = [], []

    def begin(self, line: Span, column: int, n_prefix: int) -> None:
        self.column = column
        self.lines = [line]
        if n_prefix:
            self.protected = [Span(start=line.start, end=min(line.start + n_prefix, line.end))]


def _take(text: str, line: Span, column: int, state: _State) -> Iterator[Paragraph]:
    stripped = text[line.start : line.end]
    if fence := _FENCE.match(stripped):
        yield from state.flush(text)
        if not stripped.endswith(fence[1]) or stripped == fence[1]:
            state.fence = fence[1]
        return
    if _DOCTEST.match(stripped) or (_SHELL_SESSION.match(stripped) and not state.lines):
        yield from state.flush(text)
        state.skips_to_blank = True
        return
    if stripped.startswith(".."):
        yield from state.flush(text)
        _take_explicit_markup(stripped, line, column, state)
        return
    if state.after_directive and not state.lines and _OPTION.match(stripped):
        return
    if _RULE.fullmatch(stripped) or _TYPE_LINE.match(stripped):
        yield from state.flush(text)
        return
    if _TABLE_LINE.fullmatch(stripped):
        yield from state.flush(text)
        state.begin(line, column, 0)
        yield from state.flush(text)
        return
    n_prefix = next((len(found[0]) for p in _PREFIXES if (found := p.match(stripped))), 0)
    if n_prefix or not state.lines:
        yield from state.flush(text)
        state.begin(line, column, n_prefix)
    else:
        state.lines.append(line)


def _take_explicit_markup(stripped: str, line: Span, column: int, state: _State) -> None:
    """Directives, targets, substitutions and comments of reStructuredText."""
    state.after_directive = True
    if footnote := _FOOTNOTE.match(stripped):
        state.begin(line, column, footnote.end())
        return
    directive = _DIRECTIVE.match(stripped)
    name = (directive[1] or "").rpartition(":")[2] if directive else ""
    if directive and name in _NAMED_DIRECTIVES:
        return
    if directive and name in _PROSE_DIRECTIVES:
        if directive.end() < len(stripped):
            state.begin(line, column, directive.end())
        return
    state.code_above = column


def is_code_line(line: str) -> bool:
    """Say whether a line looks like one of a program; a line of prose may, by chance."""
    return _CODE_LINE.search(line) is not None


def column(text: str, offset: int) -> int:
    """Give the column; beyond 200 nobody indents, and lines may be as long as the document."""
    before = text[max(offset - 200, 0) : offset]
    return len(before) - 1 - max(before.rfind("\n"), before.rfind("\r"))
