"""Which words of a document somebody has made others lately: renames as they are being typed.

Pure: a log of a document goes in, and one after the next change comes out. A word that is typed
letter by letter is one entry from its first letter on, with the word that stood there before.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dgemma_engine.types import Span
from dgemma_ls.edits import Replacement, carry_span

_KEPT = 64
_MAX_CHARS = 2_000  # of a change whose words are looked at one by one; a larger one is a paste
_WORD = re.compile(r"[^\W\d]\w*\Z")
_TOKEN = re.compile(r"\w+|\W")
_MAX_WORD = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedWord:
    """A word that was something else.

    Attributes:
        old: what stood there before; empty where nothing did.
        new: what stands there now; empty while the old word is gone and no other is there yet.
        span: where, in the text as it is.
    """

    old: str
    new: str
    span: Span

    @property
    def is_rename(self) -> bool:
        """Whether one name has become another."""
        return all(_WORD.match(word) for word in (self.old, self.new)) and self.old != self.new


Log = tuple[ChangedWord, ...]
"""Oldest first; an entry that is worked on again becomes the newest."""


def after_change(log: Log, before: str, change: Replacement, after: str) -> Log:
    """Give the log after a change.

    Args:
        log: of the text before.
        before: that text.
        change: the one difference between both texts.
        after: the text as it is now.
    """
    if max(len(change.old_text), len(change.new_text)) > _MAX_CHARS:
        return tuple(_carried(log, [change]))
    parts = list(_parts(before, change, after))
    kept = list(_carried(log, parts))
    growth = 0
    for part in parts:
        start = part.start + growth
        growth += part.growth
        for old, new, at in _pairs(part):
            # What comes first in a place goes on with what stood there.
            origin = _origin(log, part.old_span, old) if at == 0 else old
            if origin != new:
                span = Span(start=start + at, end=start + at + len(new))
                kept.append(ChangedWord(old=origin, new=new, span=span))
    return tuple(kept[-_KEPT:])


def _parts(before: str, change: Replacement, after: str) -> Iterator[Replacement]:
    """Widen a change to whole words, and give what differs, in whole words as well."""
    start, end = change.start, change.old_span.end
    low, high = start, end
    while low > 0 and start - low < _MAX_WORD and _in_word(before[low - 1]):
        low -= 1
    while high < len(before) and high - end < _MAX_WORD and _in_word(before[high]):
        high += 1
    old, new = _TOKEN.findall(before[low:high]), _TOKEN.findall(after[low : high + change.growth])
    at = low
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, first, last, new_first, new_last in matcher.get_opcodes():
        old_text = "".join(old[first:last])
        if tag != "equal":
            yield Replacement(
                start=at, old_text=old_text, new_text="".join(new[new_first:new_last])
            )
        at += len(old_text)


def _pairs(part: Replacement) -> Iterator[tuple[str, str, int]]:
    """Give which words became which, and where the new ones begin in the new text."""
    old, new = _TOKEN.findall(part.old_text), _TOKEN.findall(part.new_text)
    if len(old) == 1 and not new and _in_word(old[0]):
        yield old[0], "", 0
        return
    at = 0
    for number, word in enumerate(new):
        if _in_word(word[0]):
            single = len(old) == len(new) == 1 and _in_word(old[0][0])
            yield (old[number] if single else ""), word, at
        at += len(word)


def _carried(log: Log, parts: Sequence[Replacement]) -> Iterator[ChangedWord]:
    """Give the entries that no part has reached into, where they are now."""
    growth = 0
    moved = []
    for part in parts:  # one after the other, as offsets of the text in between
        moved.append(replace(part, start=part.start + growth))
        growth += part.growth
    for entry in log:
        span: Span | None = entry.span
        if not entry.new and any(_touch(entry.span, part.old_span) for part in parts):
            continue  # what comes in its place goes on with it
        if (span := carry_span(entry.span, moved)) is not None:
            yield replace(entry, span=span)


def _origin(log: Log, place: Span, old: str) -> str:
    """Give what stood in a word's place before anyone changed it."""
    for entry in reversed(log):
        if entry.span == place or (not entry.new and _touch(entry.span, place)):
            return entry.old
    return old


def _in_word(text: str) -> bool:
    return text.isalnum() or text == "_" or text.replace("_", "a").isalnum()


def _touch(one: Span, other: Span) -> bool:
    return one.start <= other.end and other.start <= one.end
