"""Documents, notebooks and folders as the editor has them: notifications → the session's state.

In place of pygls' own: that splits lines at form feeds and the like, and its cost per change grows
with the document. These are no generators as their originals are: of each generator that handles a
notification pygls keeps a future for ever.
"""

from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

from dgemma_ls import convert


class Synchronisation(LanguageServerProtocol):
    """The part of the protocol that keeps our copy of what is open."""

    _server: Any  # a protocol.DgemmaServer

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """Take up a document."""
        self._open(params.text_document)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Apply changes; of an unknown document they are ignored (pygls would show an error)."""
        document = params.text_document
        changes = convert.to_changes(params.content_changes)
        self._server.open_session.change(document.uri, document.version, changes)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """Forget a document."""
        self._close(params.text_document.uri)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def lsp_notebook_document__did_open(self, params: types.DidOpenNotebookDocumentParams) -> None:
        """Take up a notebook, and its cells as documents."""
        notebook = params.notebook_document
        notebooks = self._server.open_session.workspace.notebooks
        notebooks.open(notebook.uri, convert.to_cells(notebook.cells))
        for item in params.cell_text_documents:
            self._open(item)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def lsp_notebook_document__did_change(
        self, params: types.DidChangeNotebookDocumentParams
    ) -> None:
        """Apply changes of the order of cells and of their texts."""
        cells = params.change.cells
        if cells is None:
            return
        session, uri = self._server.open_session, params.notebook_document.uri
        if (structure := cells.structure) is not None:
            array = structure.array
            new = convert.to_cells(array.cells or ())
            session.workspace.notebooks.splice(uri, array.start, array.delete_count, new)
            for item in structure.did_open or ():
                self._open(item)
            for document in structure.did_close or ():
                self._close(document.uri)
        session.workspace.notebooks.update(uri, convert.to_cells(cells.data or ()))
        for content in cells.text_content or ():
            cell, changes = content.document, convert.to_changes(content.changes)
            session.change(cell.uri, cell.version, changes)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def lsp_notebook_document__did_close(
        self, params: types.DidCloseNotebookDocumentParams
    ) -> None:
        """Forget a notebook and its cells."""
        notebooks = self._server.open_session.workspace.notebooks
        named = (document.uri for document in params.cell_text_documents)
        for uri in dict.fromkeys((*named, *notebooks.close(params.notebook_document.uri))):
            self._close(uri)

    @lsp_method(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def lsp_workspace__did_change_workspace_folders(
        self, params: types.DidChangeWorkspaceFoldersParams
    ) -> None:
        """Take folders in and out (pygls raises at one that it does not know)."""
        added = self._folders(params.event.added)
        removed = self._folders(params.event.removed)
        self._server.open_session.workspace.change_folders(added=added, removed=removed)
        self._server.open_session.review()

    def _folders(self, folders: Any) -> list[Path]:
        return convert.to_folders([folder.uri for folder in folders])

    def _open(self, item: types.TextDocumentItem) -> None:
        language_id = str(getattr(item.language_id, "value", item.language_id))
        self._server.open_session.open(item.uri, item.version, language_id, item.text)

    def _close(self, uri: str) -> None:
        self._server.open_session.close(uri)
        self._server.open_suggestions.forget(uri)
