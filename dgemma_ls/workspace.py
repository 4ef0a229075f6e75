"""What lies around the open documents: folders, ignore files, notebooks, where the user has been.

Answers the questions that every feature has: may this document be worked on, what stands before
it, and what do other files say about a place in it? Knows no protocol types. Belongs to the event
loop.
"""

from collections.abc import Sequence
from pathlib import Path

from dgemma_ls.context import ChunkRing, RecentEdits
from dgemma_ls.documents import DocumentStore
from dgemma_ls.edits import Replacement, difference
from dgemma_ls.elsewhere import Elsewhere
from dgemma_ls.notebooks import Notebooks
from dgemma_ls.privacy import IgnoreFiles, Reason, why_inactive
from dgemma_ls.types import Edit, Snapshot

_CELLS_CHARS = 50_000  # more than any model reads of what stands before


class Workspace:
    """The workspace of one connection.

    Args:
        documents: the open ones.

    Attributes:
        notebooks: which documents are cells of what.
        inactive: why nothing is suggested in the document that was watched last.
    """

    def __init__(self, documents: DocumentStore) -> None:
        self.notebooks = Notebooks()
        self.inactive: Reason | None = None
        self._documents = documents
        self._folders: tuple[Path, ...] = ()
        self._ignore = IgnoreFiles()
        self._chunks = ChunkRing()
        self._edits = RecentEdits()
        self._watched: str | None = None

    def change_folders(self, *, added: Sequence[Path], removed: Sequence[Path] = ()) -> None:
        """Take folders (absolute paths) into the workspace and out of it."""
        kept = [folder for folder in self._folders if folder not in removed]
        self._folders = tuple(dict.fromkeys((*kept, *added)))

    def watch(self, uri: str) -> Reason | None:
        """Say why a document gets no suggestions, and remember it as the one to look at.

        Ignore files are read again where they changed.
        """
        self._watched, self.inactive = uri, self.why_inactive(uri)
        return self.inactive

    def watch_again(self) -> None:
        """Look again at the document that was watched last, as something around it changed."""
        if self._watched is not None:
            self.watch(self._watched)

    def why_inactive(self, uri: str) -> Reason | None:
        """Say why a document gets no suggestions; ``None`` if it does, or is not open.

        A cell is judged by the path of its notebook.
        """
        snapshot = self._documents.get(uri)
        if snapshot is None:
            return None
        owner = self.notebooks.notebook_of(uri) or uri
        return why_inactive(
            owner, snapshot.text, workspace_folders=self._folders, ignore=self._ignore
        )

    def note_change(self, before: Snapshot, after: Snapshot) -> None:
        """Remember what was edited: the same document, before and after."""
        made = self._documents.changes_since(after.uri, before.version)
        if made is not None and len(made) == 1:
            change: Replacement | None = made[0]
        else:  # several cursors: seen as one edit that holds them all
            change = difference(before.text, after.text)
        if change is not None:
            span, text = change.old_span, change.new_text
            edit = Edit(uri=before.uri, version=before.version, span=span, new_text=text)
            self._edits.record(before, edit)

    def note_closed(self, uri: str) -> None:
        """Stop watching a document that was closed; what was seen in it is still known."""
        if uri == self._watched:
            self._watched = self.inactive = None

    def before(self, snapshot: Snapshot) -> str:
        """Give what stands before a notebook's cell: the cells of its language above, if few."""
        texts: list[str] = []
        left = _CELLS_CHARS
        for uri in reversed(self.notebooks.earlier(snapshot.uri)):
            cell = self._documents.get(uri)
            if cell is None or cell.language_id != snapshot.language_id or not cell.text.strip():
                continue
            if (left := left - len(cell.text)) < 0:
                break
            texts.append(cell.text.rstrip("\r\n") + "\n\n")
        return "".join(reversed(texts))

    def elsewhere(self, snapshot: Snapshot, offset: int, *, wanted: str) -> Elsewhere:
        """Remember that the user is at a place, and give what other files may say about it.

        Args:
            snapshot: the document.
            offset: the cursor.
            wanted: the setting ``context``.
        """
        self._chunks.visit(snapshot, offset)
        return Elsewhere(
            snapshot=snapshot,
            offset=offset,
            folders=self._folders,
            ignore=self._ignore,
            chunks=self._chunks.chunks(),
            edits=self._edits.settled(),
            wanted=wanted,
        )
