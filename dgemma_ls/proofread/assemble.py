"""Lines of text → region: what stands between them and what the detectors claim is protected."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from dgemma_engine.types import Span
from dgemma_ls.proofread.protected import find_protected, merged
from dgemma_ls.proofread.types import Region, RegionKind

MAX_CHARACTERS = 10_000
"""Longer ones are no paragraphs but data; they are left out."""

_STRETCH = 4_000  # characters of a region, where a paragraph is cut

_LINE_END = re.compile(r"[\r\n]+")


def make_region(
    text: str, kind: RegionKind, lines: Sequence[Span], *, protected: Iterable[Span] = ()
) -> Region | None:
    """Make a region of lines of a document.

    Args:
        text: the document.
        kind: what it is.
        lines: the text of each line, sorted, without markers and indentation; not empty.
        protected: what is protected whatever the detectors say.

    Returns:
        The region, or ``None`` if nothing in it may be touched, or if it is too long.
    """
    start, end = lines[0].start, lines[-1].end
    if end - start > MAX_CHARACTERS:
        return None
    gaps = [
        (line_start, following.start)
        for line, following in pairwise(lines)
        for line_start in [_after_line_end(text, line.end, following.start)]
    ]
    claims = [(span.start, span.end) for span in protected]
    # The detectors see white space in place of markers, so that a line begins with its text.
    pieces, position = [], start
    for gap_start, gap_end in gaps:
        pieces += [text[position:gap_start], " " * (gap_end - gap_start)]
        position = gap_end
    pieces.append(text[position:end])
    claims += [(start + a, start + b) for a, b in find_protected("".join(pieces))]
    spans = [
        Span(start=max(a, start), end=min(b, end))
        for a, b in merged([*gaps, *claims])
        if max(a, start) < min(b, end)
    ]
    region = Region(span=Span(start=start, end=end), kind=kind, protected=tuple(spans))
    free = any(any(map(str.isalpha, text[span.start : span.end])) for span in region.free)
    return region if free else None


def stretches(lines: Sequence[Span]) -> Iterator[Sequence[Span]]:
    """Cut a long paragraph between lines, so that each part is short enough for a region.

    Args:
        lines: of it, sorted.
    """
    first = 0
    for at, line in enumerate(lines):
        if line.end - lines[first].start > _STRETCH and at > first:
            yield lines[first:at]
            first = at
    yield lines[first:]


def free_text(text: str, region: Region) -> str:
    """Give what may be touched, protected parts replaced by a space."""
    return " ".join(text[span.start : span.end] for span in region.free)


def _after_line_end(text: str, start: int, end: int) -> int:
    found = _LINE_END.search(text, start, end)
    return end if found is None else found.end()
