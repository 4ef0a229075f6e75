"""Keeps the typos of open documents known, and what is right: ``checking.py`` does the looking.

What is pure about it stands in ``features/typo_check.py``. Knows no protocol types. Belongs to the
event loop.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit

from dgemma_engine.types import Span
from dgemma_ls.checking import Checking, Findings
from dgemma_ls.edits import Replacement, carry_span
from dgemma_ls.proofread.dictionaries import WORKSPACE_NAME, WordFile, user_file, words_right_in
from dgemma_ls.proofread.left_alone import is_proofread
from dgemma_ls.proofread.types import Fix, Tier
from dgemma_ls.questions import RequestFailedError
from dgemma_ls.session import Session
from dgemma_ls.status import StatusKind
from dgemma_ls.types import Snapshot

if TYPE_CHECKING:
    from dgemma_ls.features.typo_look import TypoLook, TypoReader

PAUSE_S = 0.3
"""Without a change, before a document is looked at again."""
_FAILED = "The document could not be looked through; the log has the details."
_NOTEBOOK = ".ipynb"
_AROUND = 20  # characters on each side by which an ignored place is known again


class Proofreading(Checking[Fix]):
    """Everything about typos that lasts longer than a request.

    What is found in a document comes in order; of the tier that is wanted, without what is ignored
    or being typed.

    Args:
        session: the connection.
        folder_of: the workspace folder that a document lies in.
    """

    name = "typos"

    def __init__(self, session: Session, *, folder_of: Callable[[str], Path | None]) -> None:
        super().__init__(session, pause_s=PAUSE_S)
        self._folder_of = folder_of
        self._ignored: set[tuple[str, str, str, str]] = set()
        self._files: dict[Path, WordFile] = {}
        self._reader: asyncio.Future[TypoReader] | None = None

    def found(self, uri: str) -> Findings[Fix] | None:
        """Give what is known now; ``None`` for what is not open or not proofread."""
        found = super().found(uri)
        if found is None or self._session.settings.typos == "off":
            return None
        caret = self._documents[uri].caret
        items = tuple(fix for fix in found.items if self._is_shown(found.snapshot, fix, caret))
        return replace(found, items=items)

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
        watched = self._documents.get(uri) or self._watch(snapshot)
        if watched.task is None and not watched.complete:
            self._start(watched, pause_s=0.0)
        while not watched.complete:
            if watched.task is None or watched.task.done():
                status = self._session.status
                known = status.message if status.kind is StatusKind.ERROR else _FAILED
                raise RequestFailedError(known)
            await self.news(uri, timeout_s=1.0)
            if self._documents.get(uri) is not watched or watched.snapshot is not snapshot:
                return None
            # No other kind of look is begun here.
            look = cast("TypoLook | None", watched.look)
            on_share(0.0 if look is None else look.check.share)
        return tuple(fix for fix in watched.known if not self._is_ignored(snapshot, fix))

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

    def _is_wanted(self, snapshot: Snapshot) -> bool:
        # What the session leaves alone is none of ours either.
        return (
            self._session.settings.typos == "on"
            and is_proofread(snapshot, self._path(snapshot.uri))
            and self._session.look(snapshot.uri) is not None
        )

    async def _begin(self, snapshot: Snapshot) -> "TypoLook":
        reader = await self._opened_reader()
        return reader.look(snapshot, partial(self._words, snapshot))

    def _carry(self, item: Fix, change: Replacement) -> Fix | None:
        span = carry_span(item.span, [change])
        if span is None or _touch(span, change.new_span):  # the word may be another now
            return None
        return replace(item, span=span)

    def _path(self, uri: str) -> PurePath:
        """Give a document's path from its workspace folder, or else its name alone."""
        path, folder = PurePath(unquote(urlsplit(uri).path)), self._folder_of(uri)
        if path.suffix == _NOTEBOOK:  # its cells are documents of their own
            return PurePath(path.stem)
        if folder is not None and path.is_relative_to(folder):
            return path.relative_to(folder)
        return PurePath(path.name)

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

    def _is_shown(self, snapshot: Snapshot, fix: Fix, caret: int | None) -> bool:
        if self._session.settings.typo_tier == "safe" and fix.tier is not Tier.SAFE:
            return False
        being_typed = caret is not None and fix.span.start <= caret <= fix.span.end
        return not being_typed and not self._is_ignored(snapshot, fix)

    def _is_ignored(self, snapshot: Snapshot, fix: Fix) -> bool:
        return bool(self._ignored) and _place(snapshot, fix) in self._ignored


def _open_reader() -> "TypoReader":
    # Imported when there is something to look through: with numpy, a fifth of the server's start.
    from dgemma_ls.features.typo_look import TypoReader

    return TypoReader()


def _place(snapshot: Snapshot, fix: Fix) -> tuple[str, str, str, str]:
    """Give by what a place is known again: its word and what stands beside it on its lines."""
    start, end = fix.span.start, fix.span.end
    text = snapshot.text
    before = text[max(0, start - _AROUND) : start].splitlines() or [""]
    after = text[end : end + _AROUND].splitlines() or [""]
    return snapshot.uri, before[-1], fix.old, after[0]


def _touch(one: Span, other: Span) -> bool:
    return one.start <= other.end and other.start <= one.end
