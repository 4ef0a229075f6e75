"""The scripted server, which knows the next edit of a document too: its first line says it.

``# next: {"range": [[2, 4], [2, 9]], "text": "other"}``, lines and characters from 0. What the
editor does with it is told by ``scripted/nextEdits``.
"""

import json
import sys
from typing import Any

from dgemma_ls.server import DgemmaServer, serve_stdio

from .scripted_server import create_scripted

COMMANDS = ("dgemma.acceptInlineEdit", "dgemma.rejectInlineEdit")
MARK = "# next: "


def create_with_next_edits() -> DgemmaServer:
    """Make the server."""
    server = create_scripted()
    server.experimental["copilotInlineEditProvider"] = True
    told: list[list[Any]] = []

    def place(text: str, line: int, at: int) -> dict[str, int]:
        """Give a place in the units of the client."""
        units = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
        codec, width = units[server.workspace.position_encoding]
        before = [*text.split("\n"), ""][line][:at]
        return {"line": line, "character": len(before.encode(codec)) // width}

    @server.feature("textDocument/copilotInlineEdit")
    def suggest(params: Any) -> dict[str, Any]:
        uri, version = params.text_document.uri, params.text_document.version
        told.append(["asked", params.position.line])
        text = server.open_session._documents.get(uri).text
        first = text.split("\n", 1)[0].rstrip("\r")
        if not first.startswith(MARK):
            return {"edits": []}
        wanted = json.loads(first.removeprefix(MARK))
        start, end = (place(text, line, at) for line, at in wanted["range"])
        command = {"title": "", "command": COMMANDS[0], "arguments": [f"edit of {version}"]}
        edit = {"text": wanted["text"], "range": {"start": start, "end": end}, "command": command}
        meant = {"uri": uri, "version": version + wanted.get("ahead", 0)}
        return {"edits": [{**edit, "textDocument": meant}]}

    @server.feature("textDocument/didShowInlineEdit")
    def did_show(params: Any) -> None:
        told.append(["shown", *params.item["command"]["arguments"]])

    @server.command(COMMANDS[0])
    def accept(argument: Any) -> None:
        told.append(["accepted", argument])

    @server.command(COMMANDS[1])
    def reject(argument: Any) -> None:
        told.append(["rejected", argument])

    @server.feature("scripted/nextEdits")
    def tell(params: Any) -> list[list[Any]]:
        return told

    return server


if __name__ == "__main__":
    if "--version" in sys.argv:
        print("dgemma-ls (scripted)")
    else:
        sys.exit(serve_stdio(create=create_with_next_edits))
