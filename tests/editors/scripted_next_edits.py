"""The scripted server, which knows the next edit of a document too: its first line says it.

``# next: {"range": [[2, 4], [2, 9]], "text": "other"}``, lines and characters from 0. What the
editor does with it is told by ``scripted/nextEdits``.
"""

import json
import sys
from typing import Any

from pygls.capabilities import ServerCapabilitiesBuilder

from dgemma_ls.server import DgemmaServer, serve_stdio

from .scripted_server import create_scripted

FEATURES = ("textDocument/copilotInlineEdit", "textDocument/didShowInlineEdit")
COMMANDS = ("dgemma.acceptInlineEdit", "dgemma.rejectInlineEdit")
MARK = "# next: "


def create_with_next_edits() -> DgemmaServer:
    """Make the server; what the real one has under the same names gives way."""
    server = create_scripted()
    for table, names in (
        (server.protocol.fm.features, FEATURES),
        (server.protocol.fm.commands, COMMANDS),
    ):
        for name in names:
            table.pop(name, None)
    told: list[list[Any]] = []

    def place(text: str, line: int, at: int) -> dict[str, int]:
        """Give a place in the units of the client."""
        units = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
        codec, width = units[server.workspace.position_encoding]
        before = [*text.split("\n"), ""][line][:at]
        return {"line": line, "character": len(before.encode(codec)) // width}

    @server.feature("textDocument/copilotInlineEdit")
    def suggest(params: Any) -> dict[str, Any]:
        document = getattr(params, "text_document", None) or params.textDocument
        uri, version = document.uri, document.version
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
        item = params.item  # a mapping where the real server knows the message
        command = item["command"] if isinstance(item, dict) else item.command
        arguments = command["arguments"] if isinstance(command, dict) else command.arguments
        told.append(["shown", *arguments])

    @server.command(COMMANDS[0])
    def accept(argument: Any) -> None:
        told.append(["accepted", argument])

    @server.command(COMMANDS[1])
    def reject(argument: Any) -> None:
        told.append(["rejected", argument])

    @server.feature("scripted/nextEdits")
    def tell(params: Any) -> list[list[Any]]:
        return told

    build = ServerCapabilitiesBuilder.build

    def build_more(self: ServerCapabilitiesBuilder) -> Any:
        capabilities = build(self)
        capabilities.experimental = {"copilotInlineEditProvider": True}
        return capabilities

    ServerCapabilitiesBuilder.build = build_more  # type: ignore[method-assign]
    return server


if __name__ == "__main__":
    if "--version" in sys.argv:
        print("dgemma-ls (scripted)")
    else:
        sys.exit(serve_stdio(create=create_with_next_edits))
