"""Keeps what may be wrong in open documents known: looks through them while nobody waits.

A look is done in slices on the engine thread, behind whatever somebody waits for, and begins anew
after each change; what was found moves along until the new look has come to it. What is looked for
is the business of the two who build on this, ``proofreading.py`` and ``surprises.py``. Knows no
protocol types. Belongs to the event loop.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Generic, Protocol, TypeVar

from dgemma_engine.types import CancelToken
from dgemma_engine.worker import Priority
from dgemma_ls.edits import Replacement
from dgemma_ls.features.fill import Infiller
from dgemma_ls.session import Session
from dgemma_ls.status import StatusKind
from dgemma_ls.types import Snapshot

log = logging.getLogger(__name__)

F = TypeVar("F")
"""What is found: a typo, a surprising word."""
F_co = TypeVar("F_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings(Generic[F_co]):
    """What may be wrong in a document, as far as it is known.

    Attributes:
        snapshot: the document.
        items: what was found and is to be shown.
        pending: whether more may come.
    """

    snapshot: Snapshot
    items: tuple[F_co, ...]
    pending: bool


class Look(Protocol[F]):
    """One look through a document."""

    @property
    def done(self) -> bool:
        """Whether it is through."""
        ...

    @property
    def n_new(self) -> int:
        """How many of the document's parts were not known from earlier looks."""
        ...

    def run(self, engine: Infiller, token: CancelToken) -> bool:
        """Do a slice on the engine thread and say whether that was the last."""
        ...

    def found(self, older: Sequence[F]) -> Sequence[F]:
        """Give what was found so far, and of what was known before what is still to be checked."""
        ...


@dataclass(slots=True, kw_only=True)
class Watched(Generic[F]):
    """A document and the look through it.

    Attributes:
        snapshot: the document as it is now.
        older: what was known of the last version, carried along.
        look: the one through this version, once it has begun.
        caret: where the last change ended.
        task: does the look.
        news: set and replaced at each piece of news.
    """

    snapshot: Snapshot
    older: Sequence[F] = ()
    look: Look[F] | None = None
    caret: int | None = None
    task: asyncio.Task[None] | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def known(self) -> Sequence[F]:
        """What is known of this version."""
        return self.older if self.look is None else self.look.found(self.older)

    @property
    def complete(self) -> bool:
        """Whether all of it was looked through."""
        return self.look is not None and self.look.done

    @property
    def pending(self) -> bool:
        """Whether that is being done."""
        return not self.complete and self.task is not None and not self.task.done()

    def announce(self) -> None:
        """Wake whoever waits for news."""
        self.news.set()
        self.news = asyncio.Event()


class Checking(ABC, Generic[F]):
    """Looks through the open documents of a session, and keeps what was found.

    Args:
        session: the connection.
        pause_s: how long to wait after a change.

    Attributes:
        name: says in the log what is looked for.
        on_news: called with a document's URI when more of it is known, or it was closed.
    """

    name: ClassVar[str]

    def __init__(self, session: Session, *, pause_s: float) -> None:
        self.on_news: Callable[[str], None] = lambda uri: None
        self._session = session
        self._pause_s = pause_s
        self._documents: dict[str, Watched[F]] = {}
        session.watchers.append(self._note_change)
        session.reviewers.append(self._review)

    def found(self, uri: str) -> Findings[F] | None:
        """Give what is known now; ``None`` for what is not looked at."""
        watched = self._documents.get(uri)
        if watched is None:
            return None
        items = tuple(watched.known)
        return Findings(snapshot=watched.snapshot, items=items, pending=watched.pending)

    async def news(self, uri: str, *, timeout_s: float | None = None) -> None:
        """Wait until more is known of a document, it has changed, or the time is up."""
        if (watched := self._documents.get(uri)) is not None:
            waiting = asyncio.ensure_future(watched.news.wait())
            try:
                await asyncio.wait({waiting}, timeout=timeout_s)
            finally:
                waiting.cancel()

    def look_again(self) -> None:
        """Look through all documents again, as what is right has changed."""
        for watched in self._documents.values():
            self._look_anew(watched, watched.known, pause_s=0.0)

    def close(self) -> None:
        """Stop looking, and say nothing more."""
        self.on_news = lambda uri: None
        for uri in list(self._documents):
            self._forget(uri)

    @abstractmethod
    def _is_wanted(self, snapshot: Snapshot) -> bool:
        """Say whether a document is to be looked through."""

    @abstractmethod
    async def _begin(self, snapshot: Snapshot) -> Look[F]:
        """Begin a look."""

    @abstractmethod
    def _carry(self, item: F, change: Replacement) -> F | None:
        """Carry something found over a change; ``None`` if it is not known to be there still."""

    def _watch(self, snapshot: Snapshot) -> Watched[F]:
        """Take a document up."""
        watched = self._documents[snapshot.uri] = Watched(snapshot=snapshot)
        return watched

    def _start(self, watched: Watched[F], *, pause_s: float) -> None:
        """Look through a document, from the beginning."""
        if watched.task is not None:
            watched.task.cancel()
        watched.announce()
        watched.task = asyncio.ensure_future(self._look_through(watched, pause_s))
        watched.task.add_done_callback(partial(self._note_end, watched))

    def _look_anew(self, watched: Watched[F], older: Sequence[F], *, pause_s: float) -> None:
        watched.older, watched.look = older, None
        self._start(watched, pause_s=pause_s)

    def _review(self) -> None:
        """See which documents are to be looked at, as settings or ignore files have changed."""
        for snapshot in self._session.documents():
            if not self._is_wanted(snapshot):
                self._forget(snapshot.uri)
            elif snapshot.uri not in self._documents:
                self._start(self._watch(snapshot), pause_s=0.0)
            self.on_news(snapshot.uri)

    def _note_change(
        self, uri: str, before: Snapshot | None, now: Snapshot | None, change: Replacement | None
    ) -> None:
        if now is None or not self._is_wanted(now):
            self._forget(uri)
            return
        watched = self._documents.get(uri)
        if watched is None:
            self._start(self._watch(now), pause_s=0.0 if before is None else self._pause_s)
            return
        older = watched.known
        if change is not None:
            carried = (self._carry(item, change) for item in older)
            older = [item for item in carried if item is not None]
            watched.caret = change.new_span.end
        watched.snapshot = now
        self._look_anew(watched, older, pause_s=self._pause_s)

    def _forget(self, uri: str) -> None:
        if (watched := self._documents.pop(uri, None)) is not None:
            if watched.task is not None:
                watched.task.cancel()
            watched.announce()
            self.on_news(uri)

    async def _look_through(self, watched: Watched[F], pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        if self._session.status.kind is StatusKind.ERROR:
            return  # said at the start; without an engine thread there is nobody to do it
        snapshot = watched.snapshot
        look = watched.look = await self._begin(snapshot)
        done = False
        while not done:
            n_found = len(look.found(()))
            job = self._session.consult(look.run, priority=Priority.DOCUMENT)
            try:
                done = await asyncio.wrap_future(job.future)
            finally:
                job.cancel()
            if done or len(look.found(())) > n_found:
                watched.announce()
                self.on_news(snapshot.uri)
        log.info(
            "%s: chars=%d found=%d new=%d",
            self.name,
            len(snapshot.text),
            len(look.found(())),
            look.n_new,
        )

    def _note_end(self, watched: Watched[F], task: asyncio.Task[None]) -> None:
        if watched.task is task:
            watched.announce()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("looking for %s failed: %s", self.name, type(error).__name__)
