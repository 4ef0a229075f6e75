"""Documents without a grammar → regions: reStructuredText, plain text, commit messages."""

import re
from collections.abc import Iterator

from dgemma_engine.types import Span
from dgemma_ls.proofread.assemble import make_region
from dgemma_ls.proofread.paragraphs import paragraphs, split_lines
from dgemma_ls.proofread.types import Region, RegionKind

_SCISSORS = re.compile(r"^# -+ >8 -+", re.MULTILINE)
_DIFF = re.compile(r"^diff --git ", re.MULTILINE)


def text_regions(text: str) -> Iterator[Region]:
    """Find the paragraphs of reStructuredText or plain text."""
    yield from _regions(text, split_lines(text, Span(start=0, end=len(text))))


def commit_message_regions(text: str) -> Iterator[Region]:
    """Find the paragraphs of a commit message; comments and what Git cuts off are no prose."""
    end = len(text)
    for pattern in (_SCISSORS, _DIFF):
        if found := pattern.search(text):
            end = min(end, found.start())
    lines = [
        # A comment counts as a blank line: it ends a paragraph.
        Span(start=line.start, end=line.start) if text.startswith("#", line.start) else line
        for line in split_lines(text, Span(start=0, end=end))
    ]
    yield from _regions(text, lines)


def _regions(text: str, lines: list[Span]) -> Iterator[Region]:
    for paragraph in paragraphs(text, lines):
        region = make_region(text, RegionKind.PROSE, paragraph.lines, protected=paragraph.protected)
        if region is not None:
            yield region
