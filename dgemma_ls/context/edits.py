"""What the user has changed lately, as small before-and-after snippets.

Keystrokes near to one another are one region. A region is *settled* when the user goes on editing
elsewhere; only settled ones are given out, so that the context stays the same while one types.
"""

from collections import deque
from dataclasses import dataclass
from difflib import unified_diff

from dgemma_ls.context.lines import split_lines
from dgemma_ls.types import Edit, Snapshot

_NEAR_CHARS = 240  # about three lines; edits as near to a region belong to it
_MAX_CHARS = 2_000  # of either side of a region; a larger one is a paste or a rewrite, no hint


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentEdit:
    """One settled region of a document.

    Attributes:
        uri: the document.
        old: whole lines before the first of its edits.
        new: the same place after the last.
    """

    uri: str
    old: str
    new: str

    def diff(self) -> tuple[str, ...]:
        """Give the changed lines, each with ``-`` or ``+`` before it, one line around them."""
        lines = unified_diff(split_lines(self.old), split_lines(self.new), n=1, lineterm="")
        return tuple(line for line in list(lines)[2:] if not line.startswith("@@"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Region:
    uri: str
    old: str
    new: str
    start: int  # of ``new`` in the document as it is now


class RecentEdits:
    """The newest settled edits. Belongs to the event loop; :meth:`settled` is a value."""

    def __init__(self, *, max_edits: int = 8) -> None:
        """Remember nothing yet; at most ``max_edits`` later on."""
        self._settled: deque[RecentEdit] = deque(maxlen=max_edits)
        self._open: _Region | None = None

    def record(self, before: Snapshot, edit: Edit) -> None:
        """Take up an edit.

        Args:
            before: the document that it was made in.
            edit: what was replaced by what.
        """
        if not _is_near(self._open, edit):
            self._settle()
        self._open = _grown(self._open, before.text, edit)

    def forget(self, uri: str) -> None:
        """Drop what came from a document: closed, replaced as a whole, or not to be read."""
        kept = [edit for edit in self._settled if edit.uri != uri]
        self._settled = deque(kept, maxlen=self._settled.maxlen)
        if self._open is not None and self._open.uri == uri:
            self._open = None

    def settled(self) -> tuple[RecentEdit, ...]:
        """Give the settled edits, oldest first."""
        return tuple(self._settled)

    def _settle(self) -> None:
        region, self._open = self._open, None
        if region is None or max(len(region.old), len(region.new)) > _MAX_CHARS:
            return
        if region.old.split() != region.new.split():  # an indentation says nothing about code
            self._settled.append(RecentEdit(uri=region.uri, old=region.old, new=region.new))


def _is_near(region: _Region | None, edit: Edit) -> bool:
    if region is None or region.uri != edit.uri:
        return False
    end = region.start + len(region.new)
    return region.start - _NEAR_CHARS <= edit.span.end and edit.span.start <= end + _NEAR_CHARS


def _grown(region: _Region | None, text: str, edit: Edit) -> _Region:
    """Extend a region by an edit of ``text``, to whole lines; begin one where there is none."""
    start, end = edit.span.start, edit.span.end
    if region is not None:
        start, end = min(start, region.start), max(end, region.start + len(region.new))
    start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    end = len(text) if line_end < 0 else line_end
    old = text[start:end]
    if region is not None:  # around it the text is as it was when the region began
        region_end = region.start + len(region.new)
        old = text[start : region.start] + region.old + text[region_end:end]
    new = text[start : edit.span.start] + edit.new_text + text[edit.span.end : end]
    return _Region(uri=edit.uri, old=old, new=new, start=start)
