"""Keeps the surprising words of open programs known: the half of the surprise map that waits.

Works like ``proofreading.py`` for typos, in steps on the engine thread that step aside for whatever
somebody waits for. After a change what was found moves along until the next look is through. Knows
no protocol types. Belongs to the event loop.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from dgemma_engine.types import CancelToken
from dgemma_engine.worker import Priority
from dgemma_ls.edits import carry_span, difference
from dgemma_ls.features.fill import Infiller
from dgemma_ls.features.surprise import Doubt, is_program
from dgemma_ls.features.surprise_check import StretchCache, SurpriseCheck, check_steps, shown
from dgemma_ls.session import Session
from dgemma_ls.status import StatusKind
from dgemma_ls.types import Snapshot

log = logging.getLogger(__name__)

PAUSE_S = 0.6
"""Without a change, before a document is looked at again; later than for typos."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSurprises:
    """The surprising words of a program, as far as they are known.

    Attributes:
        snapshot: what they are in.
        doubts: the most surprising first.
        pending: whether more may come.
    """

    snapshot: Snapshot
    doubts: tuple[Doubt, ...]
    pending: bool


@dataclass(slots=True, kw_only=True)
class _Watched:
    snapshot: Snapshot
    older: list[Doubt] = field(default_factory=list)  # of the last version, carried along
    check: SurpriseCheck | None = None
    task: asyncio.Task[None] | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)  # replaced at each piece of news


class Surprises:
    """Everything about surprising words that lasts longer than a request.

    Args:
        session: the connection.
        pause_s: how long to wait after a change.

    Attributes:
        on_news: called with a document's URI when all of it is known, or it was closed.
    """

    def __init__(self, session: Session, *, pause_s: float = PAUSE_S) -> None:
        self.on_news: Callable[[str], None] = lambda uri: None
        self._session = session
        self._pause_s = pause_s
        self._documents: dict[str, _Watched] = {}
        self._open: dict[str, None] = {}  # URIs, in order
        self._cache = StretchCache()
        session.watchers.append(self._note_change)
        session.reviewers.append(self._review)

    def found(self, uri: str) -> FoundSurprises | None:
        """Give what is known now; ``None`` for what is not looked at."""
        watched = self._documents.get(uri)
        if watched is None:
            return None
        check = watched.check
        complete = check is not None and check.done
        doubts = shown(check.doubts) if check is not None and check.done else watched.older
        running = watched.task is not None and not watched.task.done()
        return FoundSurprises(
            snapshot=watched.snapshot, doubts=tuple(doubts), pending=not complete and running
        )

    async def news(self, uri: str, *, timeout_s: float | None = None) -> None:
        """Wait until more is known of a document, it has changed, or the time is up."""
        if (watched := self._documents.get(uri)) is not None:
            waiting = asyncio.ensure_future(watched.news.wait())
            try:
                await asyncio.wait({waiting}, timeout=timeout_s)
            finally:
                waiting.cancel()

    def close(self) -> None:
        """Stop looking, and say nothing more."""
        self.on_news = lambda uri: None
        for uri in list(self._documents):
            self._forget(uri)

    def _review(self) -> None:
        """See which documents are to be looked at, as settings or ignore files have changed."""
        for uri in self._open:
            snapshot = self._session.document(uri)
            if snapshot is None or not self._is_wanted(snapshot):
                self._forget(uri)
            elif uri not in self._documents:
                self._documents[uri] = watched = _Watched(snapshot=snapshot)
                self._start(watched, pause_s=0.0)

    def _note_change(self, uri: str, before: Snapshot | None, now: Snapshot | None) -> None:
        if now is None:
            self._open.pop(uri, None)
        else:
            self._open[uri] = None
        if now is None or not self._is_wanted(now):
            self._forget(uri)
            return
        watched = self._documents.get(uri)
        if watched is None or before is None or before is not watched.snapshot:
            self._forget(uri)
            self._documents[uri] = watched = _Watched(snapshot=now)
            self._start(watched, pause_s=0.0 if before is None else self._pause_s)
            return
        change = difference(before.text, now.text)
        changes = () if change is None else (change,)
        known = self.found(uri)
        watched.older = [
            replace(doubt, span=span)
            for doubt in (known.doubts if known is not None else ())
            if (span := carry_span(doubt.span, changes)) is not None
        ]
        watched.snapshot, watched.check = now, None
        self._start(watched, pause_s=self._pause_s)

    def _forget(self, uri: str) -> None:
        if (watched := self._documents.pop(uri, None)) is not None:
            if watched.task is not None:
                watched.task.cancel()
            _announce(watched)
            self.on_news(uri)

    def _is_wanted(self, snapshot: Snapshot) -> bool:
        return (
            self._session.settings.surprise == "on"
            and is_program(snapshot.language_id)
            and self._session.look(snapshot.uri) is not None
        )

    def _start(self, watched: _Watched, *, pause_s: float) -> None:
        if watched.task is not None:
            watched.task.cancel()
        _announce(watched)
        watched.task = asyncio.ensure_future(self._look_through(watched, pause_s))
        watched.task.add_done_callback(partial(_note_end, watched))

    async def _look_through(self, watched: _Watched, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        if self._session.status.kind is StatusKind.ERROR:
            return  # without an engine thread there is nobody to do it
        check = SurpriseCheck(snapshot=watched.snapshot)
        slices = _Slices(check, self._cache)
        done = False
        while not done:
            job = self._session.consult(slices.run, priority=Priority.DOCUMENT)
            try:
                done = await asyncio.wrap_future(job.future)
            finally:
                job.cancel()
        watched.check = check
        _announce(watched)
        self.on_news(watched.snapshot.uri)
        log.info(
            "surprises: chars=%d found=%d read=%d",
            len(check.snapshot.text),
            len(check.doubts),
            check.n_read,
        )


class _Slices:
    """The look through a document as jobs of one step each: a reading, or a comparison."""

    def __init__(self, check: SurpriseCheck, cache: StretchCache) -> None:
        self._check, self._cache = check, cache
        self._steps: Iterator[None] | None = None

    def run(self, engine: Infiller, token: CancelToken) -> bool:
        """Do one step and say whether that was the last."""
        if self._steps is None:
            self._steps = check_steps(self._check, self._cache, engine)
        return token.stop_reason() is not None or next(self._steps, self) is self


def _note_end(watched: _Watched, task: asyncio.Task[None]) -> None:
    if watched.task is task:
        _announce(watched)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("looking for surprises failed: %s", type(error).__name__)


def _announce(watched: _Watched) -> None:
    """Wake whoever waits for news."""
    watched.news.set()
    watched.news = asyncio.Event()
