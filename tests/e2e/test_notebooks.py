"""Notebooks: cells as documents, those above as what stands before, around the fake engine."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import Wire

pytestmark = pytest.mark.e2e

CODE, PROSE = 2, 1


def cell_uri(notebook: Path, name: str) -> str:
    return f"vscode-notebook-cell:{notebook}#{name}"


def text_document(uri: str, text: str, language_id: str = "python") -> dict[str, Any]:
    return {"uri": uri, "languageId": language_id, "version": 1, "text": text}


def open_notebook(wire: Wire, notebook: Path, cells: dict[str, tuple[int, str, str]]) -> None:
    """Cells by name: kind, language and text."""
    uris = {name: cell_uri(notebook, name) for name in cells}
    wire.notify(
        "notebookDocument/didOpen",
        {
            "notebookDocument": {
                "uri": notebook.as_uri(),
                "notebookType": "jupyter-notebook",
                "version": 1,
                "cells": [
                    {"kind": kind, "document": uris[name]} for name, (kind, *_) in cells.items()
                ],
            },
            "cellTextDocuments": [
                text_document(uris[name], text, language)
                for name, (_, language, text) in cells.items()
            ],
        },
    )


def change(wire: Wire, notebook: Path, cells: dict[str, Any]) -> None:
    document = {"uri": notebook.as_uri(), "version": 2}
    wire.notify(
        "notebookDocument/didChange", {"notebookDocument": document, "change": {"cells": cells}}
    )


def prefix_of(wire: Wire, last_line: str) -> str:
    """What the engine read before the gap, of the last request that ended with this line."""
    prefixes: list[str] = wire.request("fake/prefixes")["result"]
    return next(prefix for prefix in reversed(prefixes) if prefix.endswith(last_line))


def test_the_server_says_that_it_knows_notebooks(wire: Wire) -> None:
    result = wire.initialize(
        capabilities={"notebookDocument": {"synchronization": {"dynamicRegistration": False}}}
    )

    sync = result["capabilities"]["notebookDocumentSync"]
    assert sync == {"notebookSelector": [{"notebook": "*"}]}
    wire.leave()


def test_code_cells_of_the_language_above_are_read_and_edits_stay_in_the_cell(
    wire: Wire, tmp_path: Path
) -> None:
    notebook = tmp_path / "a.ipynb"
    wire.initialize()
    open_notebook(
        wire,
        notebook,
        {
            "one": (CODE, "python", "import numpy as np\n"),
            "text": (PROSE, "markdown", "# About numbers\n"),
            "shell": (CODE, "shellscript", "ls\n"),
            "two": (CODE, "python", "n = 3"),
            "three": (CODE, "python", "x = \ny = 1\n"),
            "four": (CODE, "python", "later = 1\n"),
        },
    )

    items = wire.inline(cell_uri(notebook, "three"), 0, 4)

    assert [item["insertText"] for item in items] == ["value", "other"]
    at = {"line": 0, "character": 4}
    assert items[0]["range"] == {"start": at, "end": at}
    assert prefix_of(wire, "x = ") == "import numpy as np\n\nn = 3\n\nx = "
    wire.leave()


def test_cells_that_move_come_and_go_are_followed(wire: Wire, tmp_path: Path) -> None:
    notebook = tmp_path / "a.ipynb"
    wire.initialize()
    open_notebook(
        wire,
        notebook,
        {"one": (CODE, "python", "a = 1\n"), "two": (CODE, "python", "x = \n")},
    )
    new = cell_uri(notebook, "new")
    change(
        wire,
        notebook,
        {
            "structure": {
                "array": {
                    "start": 0,
                    "deleteCount": 1,
                    "cells": [{"kind": CODE, "document": new}],
                },
                "didOpen": [text_document(new, "b = 2\n")],
                "didClose": [{"uri": cell_uri(notebook, "one")}],
            }
        },
    )
    at = {"line": 0, "character": 5}
    edit = {"range": {"start": at, "end": at}, "text": "0"}
    content = {"document": {"uri": new, "version": 2}, "changes": [edit]}
    change(wire, notebook, {"textContent": [content]})

    wire.inline(cell_uri(notebook, "two"), 0, 4)
    assert prefix_of(wire, "x = ") == "b = 20\n\nx = "

    change(wire, notebook, {"data": [{"kind": PROSE, "document": new}]})
    wire.type(cell_uri(notebook, "two"), 0, 0, "y", version=2)
    wire.inline(cell_uri(notebook, "two"), 0, 5)
    assert prefix_of(wire, "yx = ") == "yx = "
    wire.leave()


def test_a_cell_is_judged_by_its_notebooks_path(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / ".dgemmaignore").write_text("private.ipynb\n")
    notebook = tmp_path / "private.ipynb"
    folder = {"uri": tmp_path.as_uri(), "name": "w"}
    wire.request(
        "initialize",
        {"processId": None, "rootUri": None, "capabilities": {}, "workspaceFolders": [folder]},
    )
    wire.notify("initialized", {})
    cell = {"kind": CODE, "document": "untitled:cell-1"}  # says nothing about the path
    wire.notify(
        "notebookDocument/didOpen",
        {
            "notebookDocument": {
                "uri": notebook.as_uri(),
                "notebookType": "jupyter-notebook",
                "version": 1,
                "cells": [cell],
            },
            "cellTextDocuments": [text_document("untitled:cell-1", "x = \n")],
        },
    )

    assert wire.inline("untitled:cell-1", 0, 4) == []
    assert wire.request("dgemma/status")["result"]["kind"] == "Inactive"
    wire.leave()


def test_a_closed_notebook_leaves_nothing(wire: Wire, tmp_path: Path) -> None:
    notebook = tmp_path / "a.ipynb"
    wire.initialize()
    open_notebook(wire, notebook, {"one": (CODE, "python", "x = \n")})
    wire.notify(
        "notebookDocument/didClose",
        {"notebookDocument": {"uri": notebook.as_uri()}, "cellTextDocuments": []},
    )
    change(wire, notebook, {"data": []})  # late

    assert wire.inline(cell_uri(notebook, "one"), 0, 4) == []
    wire.leave()
