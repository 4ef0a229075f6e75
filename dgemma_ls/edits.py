"""What changed between two texts, and where a place in the old one lies in the new one.

Pure arithmetic on code-point offsets: no documents, no parser, no protocol.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from dgemma_engine.types import Span

_CHUNK = 1 << 14  # characters compared at once
_WORD = re.compile(r"\r\n|\w+|.", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """One change of a text: ``new_text`` instead of ``old_text``, which began at ``start``."""

    start: int
    old_text: str
    new_text: str

    @property
    def old_span(self) -> Span:
        """Where the old text lay in the text before the change."""
        return Span(start=self.start, end=self.start + len(self.old_text))

    @property
    def new_span(self) -> Span:
        """Where the new text lies in the text after the change."""
        return Span(start=self.start, end=self.start + len(self.new_text))

    @property
    def growth(self) -> int:
        """By how many characters the text became longer."""
        return len(self.new_text) - len(self.old_text)


def carry_span(span: Span, replacements: Iterable[Replacement]) -> Span | None:
    """Give the place of a span after changes, ``None`` once a change reached into it.

    A change that only touches an end stays outside. An empty span moves behind what is inserted
    at it, and is lost when the text around it is replaced.
    """
    for each in replacements:
        old = each.old_span
        if old.end <= span.start:
            span = Span(start=span.start + each.growth, end=span.end + each.growth)
        elif old.start < span.end or span.start == span.end > old.start:
            return None
    return span


def difference(before: str, after: str) -> Replacement | None:
    """Give the one replacement between what both texts begin and end with, ``None`` if equal."""
    if before == after:
        return None
    shortest = min(len(before), len(after))
    start = _common_prefix(before, after, shortest)
    tail = _common_suffix(before, after, shortest - start)
    return Replacement(
        start=start,
        old_text=before[start : len(before) - tail],
        new_text=after[start : len(after) - tail],
    )


def differences(before: str, after: str) -> list[Replacement]:
    r"""Give small replacements between words that stay, for texts of a few hundred words.

    All places are those in ``before``, in rising order; no two replacements touch. None begins or
    ends between ``\r`` and ``\n``, where no editor has a position.
    """
    old, new = _WORD.findall(before), _WORD.findall(after)
    found: list[Replacement] = []
    start = 0  # of the block, in characters
    for tag, low, high, new_low, new_high in difflib.SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        old_text = "".join(old[low:high])
        if tag != "equal":
            found.append(_trimmed(start, old_text, "".join(new[new_low:new_high])))
        start += len(old_text)
    return found


def _trimmed(start: int, old_text: str, new_text: str) -> Replacement:
    """Leave out what both begin and end with, but keep line ends in one piece."""
    inner = difference(old_text, new_text)
    assert inner is not None  # the texts differ
    low, high = inner.start, inner.old_span.end
    low -= old_text[low - 1 : low + 1] == "\r\n" and low > 0
    high += old_text[high - 1 : high + 1] == "\r\n" and high > 0
    return Replacement(
        start=start + low,
        old_text=old_text[low:high],
        new_text=new_text[low : len(new_text) - (len(old_text) - high)],
    )


def _common_prefix(first: str, second: str, limit: int) -> int:
    """Compare in chunks, as slices are compared by the machine, then halve the odd chunk."""
    low = 0
    while low < limit:
        high = min(low + _CHUNK, limit)
        if first[low:high] != second[low:high]:
            break
        low = high
    high = min(low + _CHUNK, limit)
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_suffix(first: str, second: str, limit: int) -> int:
    low, n_first, n_second = 0, len(first), len(second)

    def same(start: int, end: int) -> bool:
        return first[n_first - end : n_first - start] == second[n_second - end : n_second - start]

    while low < limit and same(low, min(low + _CHUNK, limit)):
        low = min(low + _CHUNK, limit)
    high = min(low + _CHUNK, limit)
    while low < high:
        middle = (low + high + 1) // 2
        if same(low, middle):
            low = middle
        else:
            high = middle - 1
    return low
