"""The prose of Markdown → regions: block structure first, then the inline markup of each block."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache

from dgemma_engine.types import Span
from dgemma_ls.proofread.assemble import make_region
from dgemma_ls.proofread.paragraphs import split_lines
from dgemma_ls.proofread.types import Region, RegionKind
from dgemma_ls.syntax import MARKDOWN_INLINE, captures

_BLOCKS = """
(inline) @text (pipe_table_cell) @text (block_continuation) @continuation
"""
_INLINE = """
(code_span) @p (link_destination) @p (uri_autolink) @p (email_autolink) @p (link_label) @p
(html_tag) @p (latex_block) @p (entity_reference) @p (numeric_character_reference) @p
(backslash_escape) @p (shortcut_link) @p (collapsed_reference_link) @p
"""
_MARKUP = re.compile(r"[`\[\]<>&\\$!]")  # without any of these there is nothing to look for


def markdown_regions(text: str) -> Iterator[Region]:
    """Find headings, paragraphs, the paragraphs of list items and quotes, and table cells."""
    found = captures("markdown", text, _BLOCKS)
    continuations = [span for name, span in found if name == "continuation"]
    starts = [span.start for span in continuations]
    for name, span in found:
        if name != "text":
            continue
        inside = continuations[
            bisect_left(starts, span.start) : bisect_left(starts, max(span.end, span.start + 1))
        ]
        lines = [line for line in _lines(text, span, inside) if line.start < line.end]
        if not lines:
            continue
        protected = _inline_markup(text, span, inside)
        region = make_region(text, RegionKind.PROSE, lines, protected=protected)
        if region is not None:
            yield region


def _lines(text: str, span: Span, continuations: Sequence[Span]) -> Iterator[Span]:
    after_prefix = {continuation.start: continuation.end for continuation in continuations}
    for line in split_lines(text, span):
        start = max(line.start, min(after_prefix.get(line.start, line.start), line.end))
        content = text[start : line.end]
        start += len(content) - len(content.lstrip())
        yield Span(start=start, end=max(start, start + len(content.strip())))


def _inline_markup(text: str, span: Span, continuations: Sequence[Span]) -> Iterator[Span]:
    """Parse a block alone, with white space in place of quote prefixes, so that none is text."""
    content = text[span.start : span.end]
    if not _MARKUP.search(content):
        return
    for prefix in continuations:
        a, b = prefix.start - span.start, min(prefix.end, span.end) - span.start
        content = content[:a] + " " * (b - a) + content[b:]
    for start, end in _inline_nodes(content):
        yield Span(start=span.start + start, end=span.start + end)


@lru_cache(maxsize=8192)  # of the paragraphs of an edited document, most are as they were
def _inline_nodes(content: str) -> tuple[tuple[int, int], ...]:
    return tuple((node.start, node.end) for _, node in captures(MARKDOWN_INLINE, content, _INLINE))
