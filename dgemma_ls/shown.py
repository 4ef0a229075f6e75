"""What was suggested where: so that a text which is being typed is not computed again.

When somebody types what is suggested, or accepts a word of it, the rest is suggested again at
once. It needs no second look: the document that it leads to is, character by character, the one
that passed the gate. That is checked by content, not by versions, so it also holds after undo.
Knows no protocol types and no engine.
"""

import itertools
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dgemma_engine.types import Origin, Span
from dgemma_ls.features.inline import Suggestion
from dgemma_ls.features.inline_place import only_closes
from dgemma_ls.types import Edit, Snapshot

_MAX_DOCUMENTS = 32
_MAX_OFFERS = 8  # of one document
_MAX_ITEMS = 512  # that can be found by their ids
_MAX_LINE_PART = 200  # characters kept on each side: some files are one line of megabytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A suggestion as it was given out.

    Attributes:
        id: names it in the session, for whoever accepts it.
        edit: what it does to the document for which it was given out.
        origin: who proposed it.
        before: the line that it is for; of a very long one, what is near.
        after: what it makes of that line.
    """

    id: str
    edit: Edit
    origin: Origin
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """The items of one answer, with what stood around them.

    Hashes in place of the texts, which may be large. Python's string hash has 64 bits and a new
    key in each process; these never leave it.
    """

    start: int
    prefix_hash: int
    n_suffix: int
    suffix_hash: int
    items: tuple[Item, ...]
    complete: bool


class Shown:
    """The newest offers of each document; belongs to the event loop."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._offers: OrderedDict[str, deque[_Offer]] = OrderedDict()  # by URI
        self._items: OrderedDict[str, Item] = OrderedDict()  # by id

    def remember(
        self, snapshot: Snapshot, suggestions: Sequence[Suggestion], *, complete: bool
    ) -> list[Item]:
        """Name suggestions that are about to be shown, all for the same span.

        Args:
            snapshot: the document that they are for.
            suggestions: at least one.
            complete: false if the engine was cut short.
        """
        text, span = snapshot.text, suggestions[0].edit.span
        items = [self._new_item(snapshot, one.edit, one.origin) for one in suggestions]
        offers = self._offers.setdefault(snapshot.uri, deque(maxlen=_MAX_OFFERS))
        offers.appendleft(
            _Offer(
                start=span.start,
                prefix_hash=hash(text[: span.start]),
                n_suffix=len(text) - span.end,
                suffix_hash=hash(text[span.end :]),
                items=tuple(items),
                complete=complete,
            )
        )
        self._offers.move_to_end(snapshot.uri)
        while len(self._offers) > _MAX_DOCUMENTS:
            self._offers.popitem(last=False)
        return items

    def rest(self, snapshot: Snapshot, offset: int, *, drafts: bool = True) -> list[Item]:
        """Give what is left of suggestions whose beginning was typed since.

        Args:
            snapshot: the document as it is now.
            offset: the cursor.
            drafts: whether an answer that the deadline cut short will do.

        Returns:
            The rest of each suggestion, by the newest answer first, under its old id; they
            replace what the editor closed by itself in the meantime. Empty when none fits.
        """
        for offer in self._offers.get(snapshot.uri, ()):
            if (drafts or offer.complete) and (rest := list(_rest(offer, snapshot, offset))):
                return rest
        return []

    def find(self, item_id: str) -> Item | None:
        """Give an item by its id, as it was first given out; ``None`` if that is long ago."""
        return self._items.get(item_id)

    def forget(self, uri: str) -> None:
        """Drop what was offered in a document."""
        self._offers.pop(uri, None)

    def _new_item(self, snapshot: Snapshot, edit: Edit, origin: Origin) -> Item:
        before, after = _lines(snapshot.text, edit)
        item = Item(
            id=f"s{next(self._numbers)}", edit=edit, origin=origin, before=before, after=after
        )
        self._items[item.id] = item
        if len(self._items) > _MAX_ITEMS:
            self._items.popitem(last=False)
        return item


def _rest(offer: _Offer, snapshot: Snapshot, offset: int) -> Iterator[Item]:
    text, end = snapshot.text, len(snapshot.text) - offer.n_suffix
    if not offer.start <= offset <= end:
        return
    typed = text[offer.start : offset]
    begun = [
        item
        for item in offer.items
        if item.edit.new_text.startswith(typed) and item.edit.new_text != typed
    ]
    # Between the cursor and the old suffix only brackets and quotes may stand.
    if not begun or not only_closes(text[offset:end]):
        return
    if hash(text[: offer.start]) != offer.prefix_hash or hash(text[end:]) != offer.suffix_hash:
        return
    for item in begun:
        edit = Edit(
            uri=snapshot.uri,
            version=snapshot.version,
            span=Span(start=offset, end=end),
            new_text=item.edit.new_text[len(typed) :],
        )
        before, after = _lines(text, edit)
        yield replace(item, edit=edit, before=before, after=after)


def _lines(text: str, edit: Edit) -> tuple[str, str]:
    """Give the line around an edit's span, and what the edit makes of it; of a long one a part."""
    span = edit.span
    start = max(0, span.start - _MAX_LINE_PART)
    start = max(start, *(text.rfind(mark, start, span.start) + 1 for mark in "\r\n"))
    end = min(len(text), span.end + _MAX_LINE_PART)
    ends = [place for mark in "\r\n" if (place := text.find(mark, span.end, end)) >= 0]
    end = min([end, *ends])
    return text[start:end], text[start : span.start] + edit.new_text + text[span.end : end]
