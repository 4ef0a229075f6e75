"""Suggests texts for the cursor, for ghost text and for the popup: from what is shown, or anew.

The half of a request that waits; what is pure about it stands in ``features/inline.py``. Knows no
protocol types. Belongs to the event loop: only :func:`_fill` runs elsewhere, on the engine thread.
"""

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dgemma_engine.types import CancelToken, Span
from dgemma_engine.worker import Priority
from dgemma_ls.elsewhere import Elsewhere
from dgemma_ls.features import inline
from dgemma_ls.features.fill import Infiller
from dgemma_ls.features.inline_place import Place, Selected, place_at
from dgemma_ls.positions import Position
from dgemma_ls.questions import Question, View
from dgemma_ls.session import Session
from dgemma_ls.shown import Item, Shown
from dgemma_ls.tally import Tally
from dgemma_ls.types import Refusal, Snapshot

_MAX_WORD = 100  # characters; some files are one word of megabytes
_WORD_END = re.compile(r"\w+\Z")

WantsMultiline = Callable[[Snapshot, int], bool]
"""Says whether several lines may be suggested at an offset; asked on the engine thread."""

Pending = Callable[[], Coroutine[Any, Any, "list[Offered]"]]
"""The part of a request that waits. No coroutine yet: one that is cancelled before it starts would
leave another one behind that nobody awaits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """An item for the editor.

    Attributes:
        id: names it when it is shown or accepted.
        text: what to put in place of the range.
        range: start and end, on one line, in the editor's encoding.
        word: the part of a word before the range that the text goes on with.
        word_start: where that word begins; the range's start where there is none.
    """

    id: str
    text: str
    range: tuple[Position, Position]
    word: str
    word_start: Position


class Suggestions:
    """Everything about suggestions that lasts longer than a request.

    Args:
        session: the connection.
        wants_multiline: decides between one line and several.

    Attributes:
        hears_of_shown: whether the editor says what it shows; if not, what is given out counts as
            seen.
    """

    def __init__(
        self, session: Session, *, wants_multiline: WantsMultiline = inline.one_line
    ) -> None:
        self._session = session
        self._wants_multiline = wants_multiline
        self._shown = Shown()
        self.hears_of_shown = False
        file = session.settings.statistics_file
        self._tally = Tally(Path(file).expanduser(), session.document) if file else None

    def suggest(
        self,
        uri: str,
        position: Position,
        *,
        invoked: bool,
        version: int | None = None,
        selected: tuple[tuple[Position, Position], str] | None = None,
        feature: str = "inline",
    ) -> Pending:
        """Suggest texts for the cursor.

        A plain function on purpose: the snapshot is taken while the request is received. The body
        of an ``async def`` may start after later changes were applied.

        Args:
            uri: the document.
            position: the cursor in the editor's encoding.
            invoked: whether a key asked for it, not mere typing.
            version: the version that the editor means, if it says so.
            selected: range and text of the item that is chosen in the editor's popup.
            feature: for whom; requests of different features do not supersede one another.

        Returns:
            To be called and awaited: the suggestions, best first; empty when there is nothing
            good to show. Awaiting raises :class:`RequestFailedError` if the engine fails and
            ``invoked``.
        """
        view = self._session.look(uri, version=version)
        if view is None:
            return _nothing
        offset = view.offset_at(position)
        chosen = None if selected is None else _selected(view, *selected)
        if chosen is None and (rest := self._shown.rest(view.snapshot, offset, drafts=not invoked)):
            self._session.counters["typed_through"] += 1
            return partial(_these, [_offered(view, item) for item in rest])
        place = place_at(view.snapshot, offset, chosen)
        if isinstance(place, Refusal):
            return _nothing
        priority = Priority.INVOKED if invoked else Priority.AUTOMATIC
        question = self._session.admit(view, feature=feature, priority=priority)
        elsewhere = self._session.elsewhere(view, offset)
        return partial(self._ask, question, place, elsewhere)

    def forget(self, uri: str) -> None:
        """Drop what is remembered of a document that was closed."""
        self._shown.forget(uri)

    def find(self, item_id: str) -> Item | None:
        """Give an item that was offered; ``None`` if that is long ago."""
        return self._shown.find(item_id)

    def note_shown(self, item_id: str) -> None:
        """Count that the editor has shown an item."""
        item = self._note("shown", item_id)
        if item is not None and self._tally is not None:
            self._tally.shown(item_id, item.edit.uri)

    def note_accepted(self, item_id: str) -> None:
        """Count that somebody took an item."""
        self._taken("accepted", item_id, None)

    def note_partly_accepted(self, item_id: str, n_units: int | None = None) -> None:
        """Count that somebody took the beginning of an item: ``n_units`` of UTF-16."""
        self._taken("partly_accepted", item_id, n_units)

    def close(self) -> None:
        """Write what was counted."""
        if self._tally is not None:
            self._tally.close()

    def _taken(self, what: str, item_id: str, n_units: int | None) -> None:
        item = self._note(what, item_id)
        if item is not None and self._tally is not None:
            text = item.edit.new_text
            if n_units is not None:
                text = text.encode("utf-16-le", "surrogatepass")[: 2 * n_units].decode(
                    "utf-16-le", "ignore"
                )
            self._tally.accepted(item_id, item.edit.uri, text)

    def _note(self, what: str, item_id: str) -> Item | None:
        item = self._shown.find(item_id)
        if item is not None:
            self._session.counters[what] += 1
        return item

    async def _ask(self, question: Question, place: Place, elsewhere: Elsewhere) -> list[Offered]:
        view = question.view
        limit = self._session.settings.n_candidates
        task = partial(_fill, view, place, elsewhere, limit, self._wants_multiline)
        answer = await self._session.answer(question, task)
        if isinstance(answer, Refusal):
            return []
        items = self._shown.remember(view.snapshot, answer.suggestions, complete=answer.complete)
        if self._tally is not None and not self.hears_of_shown:
            self._tally.shown(items[0].id, view.snapshot.uri)
        return [_offered(view, item) for item in items]


def _fill(
    view: View,
    place: Place,
    elsewhere: Elsewhere,
    n_candidates: int,
    wants_multiline: WantsMultiline,
    engine: Infiller,
    token: CancelToken,
) -> inline.Answer | Refusal:
    return inline.ask(
        engine,
        view.snapshot,
        place,
        multiline=wants_multiline(view.snapshot, elsewhere.offset),
        limit=n_candidates,
        before=view.before,
        context=elsewhere.text(engine),
        cancel=token,
    )


def _selected(view: View, span: tuple[Position, Position], text: str) -> Selected:
    start, end = sorted(view.offset_at(position) for position in span)
    return Selected(span=Span(start=start, end=end), text=text)


def _offered(view: View, item: Item) -> Offered:
    span = item.edit.span
    near = view.snapshot.text[max(0, span.start - _MAX_WORD) : span.start]
    found = _WORD_END.search(near)
    word = "" if found is None else found.group()
    return Offered(
        id=item.id,
        text=item.edit.new_text,
        range=view.range_of(span),
        word=word,
        word_start=view.range_of(Span(start=span.start - len(word), end=span.end))[0],
    )


async def _nothing() -> list[Offered]:
    return []


async def _these(items: list[Offered]) -> list[Offered]:
    return items
