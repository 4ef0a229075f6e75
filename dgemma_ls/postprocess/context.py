"""What a filter may look at besides the candidate itself."""

from dataclasses import dataclass

from dgemma_engine.types import Span
from dgemma_ls.types import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class FillContext:
    """The document and the span that a candidate is meant for."""

    snapshot: Snapshot
    span: Span

    @property
    def suffix(self) -> str:
        """The document after the span."""
        return self.snapshot.text[self.span.end :]
