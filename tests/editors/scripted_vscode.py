"""The scripted server with a next edit, and a journal of what the extension tells it.

Of a document that has ``old_name`` it says that the first one should be ``new_name``. Each line of
the file ``SCRIPTED_JOURNAL`` is a JSON object: ``{"initialize": …}``, ``{"asked": …}``, and so on.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from lsprotocol import types

from dgemma_ls.server import DgemmaServer, serve_stdio
from tests.editors.scripted_server import create_scripted

_ARGUMENT = "the-one-edit"


def create() -> DgemmaServer:
    """Make the server."""
    server = create_scripted()
    server.experimental["copilotInlineEditProvider"] = True
    asked: set[str] = set()
    rejected: list[str] = []

    def prepare(params: types.InitializeParams) -> None:
        options: Any = params.initialization_options
        settings = server.open_session.settings
        note("initialize", {"trusted": settings.trusted, "sent": sorted(options or {})})

    server.at_initialize.append(prepare)

    @server.feature("textDocument/copilotInlineEdit")
    def next_edit(params: Any) -> dict[str, Any]:
        uri, version = params.text_document.uri, params.text_document.version
        asked.add(uri)
        note("asked", {"version": version, "line": params.position.line})
        snapshot = server.open_session._documents.get(uri)
        at = -1 if snapshot is None else snapshot.text.find("old_name")
        if snapshot is None or at < 0 or snapshot.text in rejected:
            return {"edits": []}
        line = snapshot.text.count("\n", 0, at)
        start = at - (snapshot.text.rfind("\n", 0, at) + 1)
        edit = {
            "text": "new_name",
            "textDocument": {"uri": uri, "version": version},
            "range": {
                "start": {"line": line, "character": start},
                "end": {"line": line, "character": start + len("old_name")},
            },
            "command": {
                "title": "Accept",
                "command": "dgemma.acceptInlineEdit",
                "arguments": [_ARGUMENT],
            },
        }
        return {"edits": [edit]}

    @server.feature("textDocument/didShowInlineEdit")
    def did_show(params: Any) -> None:
        note("shown", params.item["text"])

    @server.command("dgemma.acceptInlineEdit")
    def accept(argument: str) -> None:
        note("accepted", argument)

    @server.command("dgemma.rejectInlineEdit")
    def reject(argument: str) -> None:
        note("rejected", argument)
        snapshots = map(server.open_session._documents.get, asked)
        rejected.extend(it.text for it in snapshots if it is not None)

    return server


def note(what: str, value: Any) -> None:
    """Write a line of the journal."""
    if file := os.environ.get("SCRIPTED_JOURNAL"):
        with Path(file).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps({what: value}) + "\n")


if __name__ == "__main__":
    if "--version" in sys.argv:
        print("dgemma-ls (scripted)")
    else:
        sys.exit(serve_stdio(create=create))
