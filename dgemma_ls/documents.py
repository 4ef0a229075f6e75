"""The open documents: applies the editor's changes and hands out snapshots.

Knows neither files nor protocol types. A snapshot never changes; whoever holds one may keep it
while the store moves on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class _Document:
    snapshot: Snapshot
    lines: LineIndex


class DocumentStore:
    """The open documents by URI. Not thread-safe: it belongs to the event loop."""

    def __init__(self) -> None:
        self._documents: dict[str, _Document] = {}

    def open(self, uri: str, version: int, language_id: str, text: str) -> Snapshot:
        """Take up a document; one that is open already is replaced."""
        snapshot = Snapshot(uri=uri, version=version, language_id=language_id, text=text)
        self._documents[uri] = _Document(snapshot, LineIndex(text))
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
        text, lines = document.snapshot.text, document.lines
        for change in changes:
            text = _applied(text, lines, change, encoding)
            lines = LineIndex(text)
        snapshot = Snapshot(
            uri=uri, version=version, language_id=document.snapshot.language_id, text=text
        )
        self._documents[uri] = _Document(snapshot, lines)
        return snapshot

    def close(self, uri: str) -> None:
        """Forget a document; one that is not open is none of our business."""
        self._documents.pop(uri, None)

    def get(self, uri: str) -> Snapshot | None:
        """Give the newest snapshot, or ``None`` for a document that is not open."""
        document = self._documents.get(uri)
        return None if document is None else document.snapshot

    def line_index(self, uri: str) -> LineIndex:
        """Give the line index of the newest snapshot.

        Raises:
            UnknownDocumentError: if the document is not open.
        """
        document = self._documents.get(uri)
        if document is None:
            raise UnknownDocumentError(uri)
        return document.lines


def _applied(text: str, lines: LineIndex, change: Change, encoding: PositionEncoding) -> str:
    if change.range is None:
        return change.text
    # Some editors send a backward selection as it is; the protocol wants start <= end.
    start, end = sorted(lines.offset_at(*position, encoding) for position in change.range)
    return text[:start] + change.text + text[end:]
