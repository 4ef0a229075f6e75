"""The open documents: applies the editor's changes and hands out snapshots.

Knows neither files nor protocol types. A snapshot never changes; whoever holds one may keep it
while the store moves on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from dgemma_ls.edits import Replacement, difference
from dgemma_ls.positions import LineIndex, Position, PositionEncoding
from dgemma_ls.types import Snapshot


class UnknownDocumentError(KeyError):
    """The editor speaks of a document that it never opened, or that it closed."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri

    def __str__(self) -> str:
        return f"{self.uri} is not open"


@dataclass(frozen=True, slots=True)
class Change:
    """Replace ``range`` (start and end position) by ``text``, or the whole text without a range."""

    text: str
    range: tuple[Position, Position] | None = None


LOGGED_CHANGES = 256
"""How many changes of a document are remembered, and..."""
LOGGED_CHARACTERS = 1 << 20
"""...how many characters of old and new text they may hold together."""


@dataclass(frozen=True, slots=True)
class _Document:
    """``log`` holds what led from version ``log_start`` to the snapshot, each with its version."""

    snapshot: Snapshot
    lines: LineIndex
    log_start: int
    log: tuple[tuple[int, Replacement], ...] = ()


class DocumentStore:
    """The open documents by URI. Not thread-safe: it belongs to the event loop."""

    def __init__(self) -> None:
        self._documents: dict[str, _Document] = {}

    def open(self, uri: str, version: int, language_id: str, text: str) -> Snapshot:
        """Take up a document; one that is open already is replaced."""
        snapshot = Snapshot(uri=uri, version=version, language_id=language_id, text=text)
        self._documents[uri] = _Document(snapshot, LineIndex(text), log_start=version)
        return snapshot

    def change(
        self, uri: str, version: int, changes: Sequence[Change], encoding: PositionEncoding
    ) -> Snapshot:
        """Apply changes in order, each to the text that the one before it left.

        Raises:
            UnknownDocumentError: if the document is not open.
        """
        document = self._documents.get(uri)
        if document is None:
            raise UnknownDocumentError(uri)
        lines, log, log_start = document.lines, list(document.log), document.log_start
        if version <= document.snapshot.version:
            # Versions only ever grow; if an editor starts anew, what came before has no name.
            log, log_start = [], version
        for change in changes:
            replacement = _replacement(lines, change, encoding)
            if replacement is not None:
                old = replacement.old_span
                lines = lines.replaced(old.start, old.end, replacement.new_text)
                log.append((version, replacement))
        snapshot = Snapshot(
            uri=uri, version=version, language_id=document.snapshot.language_id, text=lines.text
        )
        n_dropped = _n_too_many(log)
        self._documents[uri] = _Document(
            snapshot,
            lines,
            # Of a version whose changes are gone in part, only the result is known.
            log_start=log[n_dropped - 1][0] if n_dropped else log_start,
            log=tuple(log[n_dropped:]),
        )
        return snapshot

    def close(self, uri: str) -> None:
        """Forget a document; one that is not open is none of our business."""
        self._documents.pop(uri, None)

    def get(self, uri: str) -> Snapshot | None:
        """Give the newest snapshot, or ``None`` for a document that is not open."""
        document = self._documents.get(uri)
        return None if document is None else document.snapshot

    def all(self) -> tuple[Snapshot, ...]:
        """Give the newest snapshots of all documents, in the order in which they were opened."""
        return tuple(document.snapshot for document in self._documents.values())

    def line_index(self, uri: str) -> LineIndex:
        """Give the line index of the newest snapshot.

        Raises:
            UnknownDocumentError: if the document is not open.
        """
        document = self._documents.get(uri)
        if document is None:
            raise UnknownDocumentError(uri)
        return document.lines

    def changes_since(self, uri: str, version: int) -> tuple[Replacement, ...] | None:
        """Give what led from an older version to the newest, in order; to carry offsets along.

        Returns:
            ``None`` where that is not known: the document is closed, was opened anew since, or
            the version is too old or from the future.
        """
        document = self._documents.get(uri)
        if document is None or not document.log_start <= version <= document.snapshot.version:
            return None
        return tuple(each for number, each in document.log if number > version)


def _replacement(
    lines: LineIndex, change: Change, encoding: PositionEncoding
) -> Replacement | None:
    if change.range is None:
        # Editors that know no better send the whole text for each key.
        return difference(lines.text, change.text)
    # Some editors send a backward selection as it is; the protocol wants start <= end.
    start, end = sorted(lines.offset_at(*position, encoding) for position in change.range)
    return Replacement(start=start, old_text=lines.text[start:end], new_text=change.text)


def _n_too_many(log: Sequence[tuple[int, Replacement]]) -> int:
    """Count the changes at the front of a log that go beyond what is remembered."""
    sizes = accumulate(len(each.old_text) + len(each.new_text) for _, each in reversed(log))
    n_kept = sum(size <= LOGGED_CHARACTERS for size in sizes)
    return len(log) - min(n_kept, LOGGED_CHANGES)
