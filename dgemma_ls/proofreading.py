"""Keeps the typos of open documents known: the half of proofreading that waits.

A document is looked through in the background, in steps on the engine thread that step aside for
whatever somebody waits for; what is pure about it stands in ``features/typo_check.py``. After a
change what was found moves along until the next look is through. Knows no protocol types. Belongs
to the event loop.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from dgemma_engine.types import Span
from dgemma_engine.worker import Priority
from dgemma_ls.edits import carry_span, difference
from dgemma_ls.proofread.dictionaries import WORKSPACE_NAME, WordFile, user_file, words_right_in
from dgemma_ls.proofread.left_alone import is_proofread
from dgemma_ls.proofread.types import Fix, Tier
from dgemma_ls.questions import RequestFailedError
from dgemma_ls.session import Session
from dgemma_ls.status import StatusKind
from dgemma_ls.types import Snapshot

if TYPE_CHECKING:
    from dgemma_ls.features.typo_check import Check
    from dgemma_ls.features.typo_look import TypoReader

log = logging.getLogger(__name__)

PAUSE_S = 0.3
"""Without a change, before a document is looked at again."""
_FAILED = "The document could not be looked through; the log has the details."
_NOTEBOOK = ".ipynb"
_AROUND = 20  # characters on each side by which an ignored place is known again


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The typos of a document, as far as they are known.

    Attributes:
        snapshot: what they are in.
        fixes: in order; of the tier that is wanted, without what is ignored or being typed.
        complete: whether all of it was looked through.
        pending: whether that is being done.
    """

    snapshot: Snapshot
    fixes: tuple[Fix, ...]
    complete: bool
    pending: bool


@dataclass(slots=True, kw_only=True)
class _Watched:
    """A document and the look through it."""

    snapshot: Snapshot
    older: list[Fix] = field(default_factory=list)  # of the last version, carried along
    check: "Check | None" = None
    caret: int | None = None  # where the last change ended
    task: asyncio.Task[None] | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)  # replaced at each piece of news


class Proofreading:
    """Everything about typos that lasts longer than a request.

    Args:
        session: the connection.
        folder_of: the workspace folder that a document lies in.
        pause_s: how long to wait after a change.

    Attributes:
        on_news: called with a document's URI when more of it is known, or it was closed.
    """

    def __init__(
        self,
        session: Session,
        *,
        folder_of: Callable[[str], Path | None],
        pause_s: float = PAUSE_S,
    ) -> None:
        self.on_news: Callable[[str], None] = lambda uri: None
        self._session = session
        self._folder_of = folder_of
        self._pause_s = pause_s
        self._documents: dict[str, _Watched] = {}
        self._ignored: set[tuple[str, str, str, str]] = set()
        self._files: dict[Path, WordFile] = {}
        self._reader: asyncio.Future[TypoReader] | None = None
        self._open: dict[str, None] = {}  # URIs, in order
        session.watchers.append(self._note_change)
        session.reviewers.append(self._review)

    def found(self, uri: str) -> Found | None:
        """Give what is known now; ``None`` for what is not open or not proofread."""
        watched = self._documents.get(uri)
        if watched is None or self._session.settings.typos == "off":
            return None
        fixes = tuple(fix for fix in self._all(watched) if self._is_shown(watched, fix))
        complete = _is_complete(watched)
        pending = not complete and watched.task is not None and not watched.task.done()
        return Found(snapshot=watched.snapshot, fixes=fixes, complete=complete, pending=pending)

    async def news(self, uri: str, *, timeout_s: float | None = None) -> None:
        """Wait until more is known of a document, it has changed, or the time is up."""
        if (watched := self._documents.get(uri)) is not None:
            waiting = asyncio.ensure_future(watched.news.wait())
            try:
                await asyncio.wait({waiting}, timeout=timeout_s)
            finally:
                waiting.cancel()

    async def complete(
        self, uri: str, *, on_share: Callable[[float], None] = lambda share: None
    ) -> tuple[Fix, ...] | None:
        """Look through a document, also where typos are not shown, and give all that is wrong.

        Args:
            uri: the document.
            on_share: told how much is done, 0 to 1.

        Returns:
            Fixes of both tiers but those ignored; ``None`` if the document changed meanwhile.

        Raises:
            RequestFailedError: if the engine fails.
        """
        snapshot = self._session.document(uri)
        if snapshot is None:
            return None
        if uri not in self._documents:
            self._documents[uri] = _Watched(snapshot=snapshot)
        watched = self._documents[uri]
        if watched.task is None and not _is_complete(watched):
            self._start(watched, pause_s=0.0)
        while not _is_complete(watched):
            if watched.task is None or watched.task.done():
                status = self._session.status
                known = status.message if status.kind is StatusKind.ERROR else _FAILED
                raise RequestFailedError(known)
            await self.news(uri, timeout_s=1.0)
            if self._documents.get(uri) is not watched or watched.snapshot is not snapshot:
                return None
            on_share(0.0 if watched.check is None else watched.check.share)
        return tuple(fix for fix in self._all(watched) if not self._is_ignored(watched, fix))

    def ignore(self, uri: str, fix: Fix) -> None:
        """Say nothing of a place again, in this session."""
        if (watched := self._documents.get(uri)) is not None:
            self._ignored.add(_place(watched.snapshot, fix))
            self.on_news(uri)

    def dictionary(self, uri: str | None) -> WordFile | None:
        """Give the user's dictionary, or that of the workspace that a document lies in."""
        if uri is None:
            return self._file(user_file())
        folder = self._folder_of(uri)
        return None if folder is None else self._file(folder / WORKSPACE_NAME)

    def look_again(self) -> None:
        """Look through all documents again, as what is right has changed."""
        for watched in list(self._documents.values()):
            watched.older, watched.check = self._all(watched), None
            self._start(watched, pause_s=0.0)

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
            self.on_news(uri)

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
            watched = self._documents[uri] = _Watched(snapshot=now)
            self._start(watched, pause_s=0.0 if before is None else self._pause_s)
            return
        change = difference(before.text, now.text)
        changes = () if change is None else (change,)
        watched.older = [
            replace(fix, span=span)
            for fix in self._all(watched)
            if (span := carry_span(fix.span, changes)) is not None
            and not (change and _touch(span, change.new_span))  # the word may be another now
        ]
        watched.snapshot, watched.check = now, None
        if change is not None:
            watched.caret = change.new_span.end
        self._start(watched, pause_s=self._pause_s)

    def _forget(self, uri: str) -> None:
        watched = self._documents.pop(uri, None)
        if watched is not None:
            if watched.task is not None:
                watched.task.cancel()
            _announce(watched)
            self.on_news(uri)

    def _is_wanted(self, snapshot: Snapshot) -> bool:
        # What the session leaves alone is none of ours either.
        return (
            self._session.settings.typos == "on"
            and is_proofread(snapshot, self._path(snapshot.uri))
            and self._session.look(snapshot.uri) is not None
        )

    def _path(self, uri: str) -> PurePath:
        """Give a document's path from its workspace folder, or else its name alone."""
        path, folder = PurePath(unquote(urlsplit(uri).path)), self._folder_of(uri)
        if path.suffix == _NOTEBOOK:  # its cells are documents of their own
            return PurePath(path.stem)
        if folder is not None and path.is_relative_to(folder):
            return path.relative_to(folder)
        return PurePath(path.name)

    def _start(self, watched: _Watched, *, pause_s: float) -> None:
        if watched.task is not None:
            watched.task.cancel()
        _announce(watched)
        watched.task = asyncio.ensure_future(self._look_through(watched, pause_s))
        watched.task.add_done_callback(partial(self._note_end, watched))

    async def _look_through(self, watched: _Watched, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        if self._session.status.kind is StatusKind.ERROR:
            return  # said at the start; without an engine thread there is nobody to do it
        reader = await self._opened_reader()
        look = reader.look(watched.snapshot, partial(self._words, watched.snapshot))
        watched.check = check = look.check
        done = False
        while not done:
            n_found = len(check.fixes)
            job = self._session.consult(look.run, priority=Priority.DOCUMENT)
            try:
                done = await asyncio.wrap_future(job.future)
            finally:
                job.cancel()
            if done or len(check.fixes) > n_found:
                _announce(watched)
                self.on_news(watched.snapshot.uri)
        log.info(
            "typos: chars=%d found=%d checked=%d",
            len(check.snapshot.text),
            len(check.fixes),
            check.n_checked,
        )

    def _note_end(self, watched: _Watched, task: asyncio.Task[None]) -> None:
        if watched.task is task:
            _announce(watched)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("looking for typos failed: %s", type(error).__name__)

    async def _opened_reader(self) -> "TypoReader":
        """Load what looks for typos, and what is known of English, once, beside the loop."""
        if self._reader is None:
            self._reader = asyncio.ensure_future(asyncio.to_thread(_open_reader))
        return await asyncio.shield(self._reader)

    def _words(self, snapshot: Snapshot) -> frozenset[str]:
        """Gather the words that are right in a document; reads files, on the engine thread."""
        files = (self.dictionary(None), self.dictionary(snapshot.uri))
        known = [file for file in files if file is not None]
        return words_right_in(snapshot, known)

    def _file(self, path: Path) -> WordFile:
        return self._files.setdefault(path, WordFile(path))

    def _all(self, watched: _Watched) -> list[Fix]:
        """Give what the look has found so far, and behind that what was known before."""
        check = watched.check
        if check is None:
            return watched.older
        if check.done:
            return check.fixes
        return check.fixes + [fix for fix in watched.older if fix.span.start >= check.frontier]

    def _is_shown(self, watched: _Watched, fix: Fix) -> bool:
        if self._session.settings.typo_tier == "safe" and fix.tier is not Tier.SAFE:
            return False
        caret = watched.caret
        being_typed = caret is not None and fix.span.start <= caret <= fix.span.end
        return not being_typed and not self._is_ignored(watched, fix)

    def _is_ignored(self, watched: _Watched, fix: Fix) -> bool:
        return bool(self._ignored) and _place(watched.snapshot, fix) in self._ignored


def _open_reader() -> "TypoReader":
    # Imported when there is something to look through: with numpy, a fifth of the server's start.
    from dgemma_ls.features.typo_look import TypoReader

    return TypoReader()


def _is_complete(watched: _Watched) -> bool:
    return watched.check is not None and watched.check.done


def _announce(watched: _Watched) -> None:
    """Wake whoever waits for news."""
    watched.news.set()
    watched.news = asyncio.Event()


def _place(snapshot: Snapshot, fix: Fix) -> tuple[str, str, str, str]:
    """Give by what a place is known again: its word and what stands beside it on its lines."""
    start, end = fix.span.start, fix.span.end
    text = snapshot.text
    before = text[max(0, start - _AROUND) : start].splitlines() or [""]
    after = text[end : end + _AROUND].splitlines() or [""]
    return snapshot.uri, before[-1], fix.old, after[0]


def _touch(one: Span, other: Span) -> bool:
    return one.start <= other.end and other.start <= one.end
