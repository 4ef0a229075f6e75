"""Next edits on their way: what was changed, what is offered, and what nobody wants.

The half of a request that waits; what is pure about it stands in ``features/next_edit.py``. An
offer is carried along while somebody types elsewhere, and dropped once a change reaches it. Knows
no protocol types. Belongs to the event loop.
"""

import itertools
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from dgemma_engine.types import CancelToken
from dgemma_engine.worker import Priority
from dgemma_ls.edits import Replacement, carry_span
from dgemma_ls.features import next_edit
from dgemma_ls.features.changed_words import Log, after_change
from dgemma_ls.features.fill import Infiller
from dgemma_ls.features.next_edit import NextEdit
from dgemma_ls.positions import Position
from dgemma_ls.questions import Question
from dgemma_ls.session import Session
from dgemma_ls.types import Refusal, RefusalReason, Snapshot

_MOST_SHOWN = 3
"""How often an offer is shown anew while somebody types on, before it counts as not wanted."""
_MOST_OF_A_KIND = 2
"""Rejected places after which a rename is not offered anywhere in the document."""
_UNDECIDED = (RefusalReason.CANCELLED, RefusalReason.STALE, RefusalReason.DEADLINE)
_MAX_REJECTED = 512
_MAX_OFFERS = 64  # that are known by their ids

Pending = Callable[[], Coroutine[Any, Any, "list[OfferedEdit]"]]
"""The part of a request that waits; see ``suggestions.Pending``."""
_Place = tuple[str, str, str, str]
"""By what a rejected edit is known again: document, old text, new text, and the line around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedEdit:
    """An edit for the editor.

    Attributes:
        id: names it when it is shown, accepted or rejected.
        uri: the document.
        version: of the document, to which alone it may be applied.
        text: what to put in place of the range.
        range: start and end, in the editor's encoding.
    """

    id: str
    uri: str
    version: int
    text: str
    range: tuple[Position, Position]


@dataclass(slots=True, kw_only=True)
class _Offer:
    id: str
    proposal: NextEdit  # for the document as it is now
    place: _Place
    snapshot: Snapshot  # that it was given out for last
    cursor: int
    n_shown: int = 0


@dataclass(slots=True, kw_only=True)
class _Document:
    snapshot: Snapshot
    log: Log = ()
    offer: _Offer | None = None


@dataclass(slots=True, kw_only=True)
class _Rejected:
    """What nobody wants; the oldest is forgotten first."""

    places: "OrderedDict[_Place, None]" = field(default_factory=OrderedDict)

    def add(self, place: _Place) -> None:
        self.places[place] = None
        while len(self.places) > _MAX_REJECTED:
            self.places.popitem(last=False)

    def of(self, uri: str) -> frozenset[_Place]:
        return frozenset(place for place in self.places if place[0] == uri)


class NextEdits:
    """Everything about next edits that lasts longer than a request.

    Args:
        session: the connection.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._documents: dict[str, _Document] = {}
        self._rejected = _Rejected()
        self._numbers = itertools.count(1)
        self._by_id: OrderedDict[str, _Offer] = OrderedDict()
        session.watchers.append(self._note_change)

    def suggest(self, uri: str, position: Position, *, version: int | None = None) -> Pending:
        """Offer the edit that comes next.

        A plain function on purpose: the snapshot is taken while the request is received.

        Args:
            uri: the document.
            position: the cursor in the editor's encoding.
            version: the version that the editor means, if it says so.

        Returns:
            To be called and awaited: one edit, or none, which is usual.
        """
        if self._session.settings.next_edits == "off":
            return _nothing
        view = self._session.look(uri, version=version)
        document = self._documents.get(uri)
        if view is None or document is None:
            return _nothing
        cursor = view.offset_at(position)
        offer = document.offer
        if offer is not None and _is_ignored(offer, view.snapshot, cursor):
            self._reject(offer)
        question = self._session.admit(view, feature="next edit", priority=Priority.AUTOMATIC)
        return partial(self._ask, question, document, cursor)

    def note_shown(self, offer_id: str) -> None:
        """Note that the editor shows an offer."""
        if (offer := self._by_id.get(offer_id)) is not None:
            offer.n_shown += 1
            self._session.counters["next_edits_shown"] += 1

    def accept(self, offer_id: str) -> None:
        """Note that somebody took an offer; the editor has made the edit."""
        if (offer := self._by_id.pop(offer_id, None)) is not None:
            self._withdraw(offer)
            self._session.counters["next_edits_accepted"] += 1

    def reject(self, offer_id: str) -> None:
        """Note that somebody does not want an offer."""
        if (offer := self._by_id.get(offer_id)) is not None:
            self._reject(offer)

    async def _ask(self, question: Question, document: _Document, cursor: int) -> list[OfferedEdit]:
        view, offer = question.view, document.offer
        snapshot = view.snapshot
        task = partial(
            _next_edit,
            snapshot,
            document.log,
            cursor,
            None if offer is None else offer.proposal,
            self._rejected.of(snapshot.uri),
            self._session.settings.next_edits == "renames",
        )
        answer = await self._session.answer(question, task)
        if isinstance(answer, Refusal):
            if document.offer is offer and answer.reason not in _UNDECIDED:
                document.offer = None
            return []
        if offer is None or answer is not offer.proposal:
            offer = _Offer(
                id=f"e{next(self._numbers)}",
                proposal=answer,
                place=_place(snapshot, answer),
                snapshot=snapshot,
                cursor=cursor,
            )
            self._by_id[offer.id] = offer
            while len(self._by_id) > _MAX_OFFERS:
                self._by_id.popitem(last=False)
        offer.snapshot, offer.cursor = snapshot, cursor
        document.offer = offer
        edit = answer.edit
        return [
            OfferedEdit(
                id=offer.id,
                uri=edit.uri,
                version=edit.version,
                text=edit.new_text,
                range=view.range_of(edit.span),
            )
        ]

    def _reject(self, offer: _Offer) -> None:
        self._rejected.add(offer.place)
        self._by_id.pop(offer.id, None)
        self._withdraw(offer)
        self._session.counters["next_edits_rejected"] += 1

    def _withdraw(self, offer: _Offer) -> None:
        document = self._documents.get(offer.proposal.edit.uri)
        if document is not None and document.offer is offer:
            document.offer = None

    def _note_change(
        self, uri: str, before: Snapshot | None, now: Snapshot | None, change: Replacement | None
    ) -> None:
        document = self._documents.get(uri)
        if now is None:
            self._documents.pop(uri, None)
        elif document is None or before is not document.snapshot:
            self._documents[uri] = _Document(snapshot=now)
        else:
            if change is not None:
                document.log = after_change(document.log, before.text, change, now.text)
            if document.offer is not None:
                document.offer = _carried(document.offer, now, change)
            document.snapshot = now


def _carried(offer: _Offer, now: Snapshot, change: Replacement | None) -> _Offer | None:
    """Carry an offer to the document as it is now; ``None`` if the change reached into it."""
    edit = offer.proposal.edit
    span = carry_span(edit.span, () if change is None else (change,))
    if span is None:
        return None
    edit = replace(edit, version=now.version, span=span)
    offer.proposal = replace(offer.proposal, edit=edit)
    return offer


def _is_ignored(offer: _Offer, snapshot: Snapshot, cursor: int) -> bool:
    """Say whether somebody saw an offer and asks for another."""
    asked_again = offer.snapshot is snapshot and offer.cursor == cursor
    return offer.n_shown > 0 and (asked_again or offer.n_shown >= _MOST_SHOWN)


def _next_edit(
    snapshot: Snapshot,
    log: Log,
    cursor: int,
    earlier: NextEdit | None,
    rejected: frozenset[_Place],
    renames_only: bool,
    engine: Infiller,
    token: CancelToken,
) -> NextEdit | Refusal:
    """Run on the engine thread: what was offered still, or something new."""
    if earlier is not None and next_edit.goes_on(snapshot, log, earlier):
        return earlier
    n_rejected = Counter((old, new) for _, old, new, _ in rejected)

    def is_rejected(proposal: NextEdit) -> bool:
        place = _place(snapshot, proposal)
        return place in rejected or n_rejected[place[1], place[2]] >= _MOST_OF_A_KIND

    return next_edit.propose(
        engine,
        snapshot,
        log,
        cursor,
        renames_only=renames_only,
        is_rejected=is_rejected,
        cancel=token,
    )


def _place(snapshot: Snapshot, proposal: NextEdit) -> _Place:
    text, span = snapshot.text, proposal.edit.span
    start = max(text.rfind("\n", 0, span.start), text.rfind("\r", 0, span.start)) + 1
    (line, *_) = text[start : span.end + 200].splitlines() or [""]
    return snapshot.uri, proposal.old, proposal.new, line.strip()


async def _nothing() -> list[OfferedEdit]:
    return []
