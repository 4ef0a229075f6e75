"""A client that declares what a real editor does, has documents, and answers the server."""

import functools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .conftest import Wire

PROFILES = Path(__file__).with_name("profiles")
NAMES = ("vscode", "neovim", "emacs", "helix")
_CODECS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_LINE_END = re.compile(r"\r\n|\r|\n")


@functools.cache
def profile(name: str) -> dict[str, Any]:
    """Give what an editor says of itself, as ``tests/editors/record_profiles.py`` noted it."""
    found: dict[str, Any] = json.loads((PROFILES / f"{name}.json").read_text("utf-8"))
    return found


def n_units(text: str, encoding: str) -> int:
    """Count a text in an encoding's units; a lone surrogate is one of UTF-16's."""
    codec = _CODECS[encoding]
    return len(text.encode(codec, "surrogatepass")) // len("a".encode(codec))


def position(text: str, offset: int, encoding: str) -> dict[str, int]:
    """Give the position of an offset, as a client that knows nothing of this server."""
    ends = [
        match.end() for match in _LINE_END.finditer(text, 0, len(text)) if match.end() <= offset
    ]
    start = ends[-1] if ends else 0
    return {"line": len(ends), "character": n_units(text[start:offset], encoding)}


def offset(text: str, at: dict[str, int], encoding: str) -> int:
    """Give the offset of a position that lies in the text."""
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
    start = starts[at["line"]]
    codec = _CODECS[encoding]
    data = text[start:].encode(codec, "surrogatepass")
    unit = len("a".encode(codec))
    return start + len(data[: at["character"] * unit].decode(codec, "surrogatepass"))


def applied(text: str, edits: Sequence[dict[str, Any]], encoding: str) -> str:
    """Apply text edits of one version."""
    spans = [
        (*(offset(text, edit["range"][side], encoding) for side in ("start", "end")), edit)
        for edit in edits
    ]
    for start, end, edit in sorted(spans, key=lambda span: -span[0]):
        text = text[:start] + edit["newText"] + text[end:]
    return text


class Editor:
    """One editor's connection; what it declares decides what it gets."""

    def __init__(self, wire: Wire, name: str, *, section: dict[str, Any] | None = None) -> None:
        self.wire = wire
        self.declared = profile(name)
        self.section = section  # ``dgemma`` of its configuration
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.registered: dict[str, str] = {}  # methods by id
        self.edits: list[dict[str, Any]] = []  # that the server sent
        self.offers: dict[str, Any] = {}
        wire.replies = {
            "client/registerCapability": self._register,
            "client/unregisterCapability": self._unregister,
            "window/workDoneProgress/create": lambda params: None,
            "workspace/applyEdit": self._apply,
            "workspace/configuration": lambda params: [self.section for _ in params["items"]],
            "workspace/diagnostic/refresh": lambda params: None,
        }

    @property
    def encoding(self) -> str:
        return self.offers["positionEncoding"]

    def start(self, *, root: str | None = None, options: Any = None) -> dict[str, Any]:
        params = {"processId": None, "rootUri": root, **self.declared}
        if options is not None:
            params["initializationOptions"] = options
        self.offers = self.wire.request("initialize", params)["result"]["capabilities"]
        self.wire.notify("initialized", {})
        return self.offers

    def open(self, uri: str, text: str, language_id: str = "python") -> None:
        self.texts[uri], self.versions[uri] = text, self.versions.get(uri, 0) + 1
        document = {"uri": uri, "languageId": language_id, "version": self.versions[uri]}
        self.wire.notify("textDocument/didOpen", {"textDocument": {**document, "text": text}})

    def close(self, uri: str) -> None:
        del self.texts[uri]
        self.wire.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def at(self, uri: str, place: int) -> dict[str, int]:
        return position(self.texts[uri], place, self.encoding)

    def span(self, uri: str, start: int, end: int) -> dict[str, Any]:
        return {"start": self.at(uri, start), "end": self.at(uri, end)}

    def replace(self, uri: str, start: int, end: int, new: str) -> None:
        """Change a document, and tell the server."""
        change = {"range": self.span(uri, start, end), "text": new}
        self.texts[uri] = self.texts[uri][:start] + new + self.texts[uri][end:]
        self.versions[uri] += 1
        document = {"uri": uri, "version": self.versions[uri]}
        params = {"textDocument": document, "contentChanges": [change]}
        self.wire.notify("textDocument/didChange", params)

    def take(self, edit: dict[str, Any]) -> dict[str, str]:
        """Give the texts after a workspace edit; its versions must be those of the documents."""
        changes = dict(edit.get("changes", {}))
        for change in edit.get("documentChanges", []):
            uri, version = change["textDocument"]["uri"], change["textDocument"]["version"]
            assert version == self.versions[uri]
            changes[uri] = change["edits"]
        return {
            uri: applied(self.texts[uri], edits, self.encoding) for uri, edits in changes.items()
        }

    def suggestions(self, uri: str, place: int) -> list[str]:
        """Give what the editor would show at a place, as whole texts of the document."""
        params = {"textDocument": {"uri": uri}, "position": self.at(uri, place)}
        if "inlineCompletion" in self.declared["capabilities"]["textDocument"]:
            context = {"triggerKind": 2}
            method = "textDocument/inlineCompletion"
            items = self.wire.request(method, {**params, "context": context})["result"]["items"]
            edits = [{"range": item["range"], "newText": item["insertText"]} for item in items]
        else:
            context = {"triggerKind": 1}
            method = "textDocument/completion"
            items = self.wire.request(method, {**params, "context": context})["result"]["items"]
            edits = [item["textEdit"] for item in items]
        return [applied(self.texts[uri], [edit], self.encoding) for edit in edits]

    def actions(self, uri: str, start: int, end: int, **context: Any) -> list[dict[str, Any]]:
        params = {
            "textDocument": {"uri": uri},
            "range": self.span(uri, start, end),
            "context": {"diagnostics": [], **context},
        }
        found: list[dict[str, Any]] = self.wire.request("textDocument/codeAction", params)["result"]
        return found

    def command(self, command: str, argument: dict[str, Any]) -> dict[str, Any]:
        params = {"command": command, "arguments": [argument]}
        return self.wire.request("workspace/executeCommand", params)

    def pull(self, uri: str) -> list[dict[str, Any]]:
        answer = self.wire.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
        found: list[dict[str, Any]] = answer["result"]["items"]
        return found

    def diagnostics(self, uri: str, *, at_least: int = 0) -> list[dict[str, Any]]:
        """Give the diagnostics of a document as this editor gets them: asked for, or sent.

        Args:
            uri: the document.
            at_least: how many there are in the end; an editor that can be told to ask again first
                gets what there is after a second.
        """
        if "diagnostic" not in self.declared["capabilities"]["textDocument"]:
            sent = self.wire.message("textDocument/publishDiagnostics")["params"]
            assert sent["uri"] == uri
            return list(sent["diagnostics"])
        n_told = 0
        while len(found := self.pull(uri)) < at_least:
            n_told += 1
            self.wire.message("workspace/diagnostic/refresh", number=n_told)
        return found

    def _register(self, params: dict[str, Any]) -> None:
        for each in params["registrations"]:
            self.registered[each["id"]] = each["method"]

    def _unregister(self, params: dict[str, Any]) -> None:
        for each in params["unregisterations"]:
            del self.registered[each["id"]]

    def _apply(self, params: dict[str, Any]) -> dict[str, Any]:
        self.edits.append(params["edit"])
        return {"applied": True}
