"""The values that walk through the server: snapshot → edit or refusal. No protocol types here."""

import enum
from dataclasses import dataclass

from dgemma_engine.types import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A document at one version. Never changes; stays valid for whoever holds it.

    Attributes:
        uri: the document's URI, or a file path on the command line.
        version: the editor's version number; 0 on the command line.
        language_id: LSP language id, ``plaintext`` when unknown.
        text: the whole text with its own line endings, without byte order mark.
    """

    uri: str
    version: int
    language_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Replace ``span`` (code points) of one version of a document by ``new_text``."""

    uri: str
    version: int
    span: Span
    new_text: str

    def apply(self, snapshot: Snapshot) -> str:
        """Give the edited text; only the span's characters differ from the snapshot's.

        Raises:
            ValueError: if the snapshot is another document or version, or shorter than the span.
        """
        self.require_fits(snapshot)
        return snapshot.text[: self.span.start] + self.new_text + snapshot.text[self.span.end :]

    def require_fits(self, snapshot: Snapshot) -> None:
        """Make sure that this is an edit of the snapshot.

        Raises:
            ValueError: if the snapshot is another document or version, or shorter than the span.
        """
        if (snapshot.uri, snapshot.version) != (self.uri, self.version):
            raise ValueError(f"edit of {self.uri} version {self.version}, not {snapshot.version}")
        if self.span.end > len(snapshot.text):
            raise ValueError(f"{self.span} ends after the text ({len(snapshot.text)} characters)")


class RefusalReason(enum.Enum):
    """Why nothing is shown; the values are stable words for JSON and counters."""

    NO_CANDIDATE = "no_candidate"
    """The engine had nothing to offer."""
    BREAKS_PARSE = "breaks_parse"
    """Every candidate would add a syntax error."""
    CHANGES_STRUCTURE = "changes_structure"
    """The document would parse, but as something else than before."""
    NOT_EXPRESSIBLE = "not_expressible"
    """The text cannot be written in the style of the place it is meant for."""
    EMPTY = "empty"
    """The candidate changes nothing."""
    REPEATS_SUFFIX = "repeats_suffix"
    """The candidate only repeats what follows."""
    STALE = "stale"
    """The document moved on while the engine worked."""
    CANCELLED = "cancelled"
    """The request was cancelled or superseded."""
    DEADLINE = "deadline"
    """The deadline passed before anything could be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A good answer: nothing is shown, and this is why. A value, not an exception."""

    reason: RefusalReason
