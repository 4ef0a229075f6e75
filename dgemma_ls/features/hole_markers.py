"""Marks for holes in a document. Pure.

``___`` that stands alone (in Markdown not on a line of its own, where it is a rule), or a comment
that says ``TODO: fill`` and nothing else.
"""

import re

from dgemma_engine.types import Span
from dgemma_ls.types import Snapshot

MARKERS = "___ or a comment TODO: fill"
"""What is found where nobody says where the holes are, for messages."""

_MARKER = re.compile(
    r"(?<!\w)___(?!\w)"
    r"|(?:\#+|//+|--|;+|%+)[ \t]*TODO:[ \t]*fill[ \t]*(?=[\r\n]|\Z)"
    r"|/\*\s*TODO:\s*fill\s*\*/"
    r"|<!--\s*TODO:\s*fill\s*-->",
    re.IGNORECASE,
)
_MARKDOWN = frozenset({"markdown", "mdx", "quarto", "rmd"})
_LINE_END = re.compile(r"[ \t]*(?=[\r\n]|\Z)")


def find_holes(snapshot: Snapshot) -> tuple[Span, ...]:
    """Find the markers of a document."""
    text = snapshot.text
    return tuple(
        Span(start=match.start(), end=len(text[: match.end()].rstrip(" \t")))
        for match in _MARKER.finditer(text)
        if not (snapshot.language_id in _MARKDOWN and fills_line(text, match.start(), match.end()))
    )


def is_marker(text: str) -> bool:
    """Say whether a text is such a mark and nothing else."""
    return _MARKER.fullmatch(text) is not None


def fills_line(text: str, start: int, end: int) -> bool:
    """Say whether a stretch of a text has its line, or lines, for itself."""
    line_start = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    return not text[line_start:start].strip() and _LINE_END.match(text, end) is not None
