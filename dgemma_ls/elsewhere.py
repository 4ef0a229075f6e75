"""What other files may say about a place, as a value that the engine thread makes a text of.

Knows no protocol types and no state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dgemma_ls.context import Chunk, RecentEdit, build_context
from dgemma_ls.features.fill import Infiller
from dgemma_ls.privacy import IgnoreFiles
from dgemma_ls.types import Snapshot

_SHARE = 8  # an eighth of what the encoder reads is for other files
_LEAST_TOKENS = 2_048  # with a smaller window each token is worth more in the document itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What is known beyond a document when a request comes in.

    Attributes:
        snapshot: the document.
        offset: the cursor.
        folders: of the workspace.
        ignore: remembers the ignore files.
        chunks: where the user has been, oldest first.
        edits: settled ones, oldest first.
        wanted: the setting ``context``.
    """

    snapshot: Snapshot
    offset: int
    folders: Sequence[Path]
    ignore: IgnoreFiles
    chunks: Sequence[Chunk]
    edits: Sequence[RecentEdit]
    wanted: str

    def text(self, engine: Infiller) -> str:
        """Make a text of it for the engine to read; runs on the engine thread, as it reads files.

        Empty where nothing is wanted or known.
        """
        budget = context_budget(engine, self.wanted)
        if not budget or not (self.folders or self.chunks or self.edits):
            return ""
        return build_context(
            self.snapshot,
            self.offset,
            workspace_folders=self.folders,
            ignore=self.ignore,
            chunks=self.chunks,
            edits=self.edits,
            count_tokens=lambda text: len(engine.tokenizer.encode(text)),
            budget_tokens=budget,
        )


def context_budget(engine: Infiller, wanted: str) -> int:
    """Give the tokens that other files may have.

    Args:
        engine: its window counts.
        wanted: the setting ``context``: ``auto``, ``on`` or ``off``.
    """
    if wanted == "off":
        return 0
    n_tokens = engine.context_tokens
    return 0 if wanted == "auto" and n_tokens < _LEAST_TOKENS else n_tokens // _SHARE
