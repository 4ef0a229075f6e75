"""Folders, ignore files and documents that are left alone, around the fake engine."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import Wire

pytestmark = pytest.mark.e2e


def start(wire: Wire, *folders: Path, **capabilities: Any) -> None:
    named = [{"uri": folder.as_uri(), "name": folder.name} for folder in folders]
    params = {
        "processId": None,
        "rootUri": None,
        "capabilities": {"workspace": {"workspaceFolders": True, **capabilities}},
        "workspaceFolders": named,
        # As one of Copilot's clients: these hear of the status.
        "initializationOptions": {"editorInfo": {"name": "test", "version": "1"}},
    }
    wire.request("initialize", params)
    wire.notify("initialized", {})


def status(wire: Wire, uri: str | None = None) -> tuple[str, str]:
    params = None if uri is None else {"textDocument": {"uri": uri}}
    result = wire.request("dgemma/status", params)["result"]
    return result["kind"], result["message"]


def change_folders(wire: Wire, *, added: list[Path], removed: list[Path]) -> None:
    event = {
        "added": [{"uri": folder.as_uri(), "name": folder.name} for folder in added],
        "removed": [{"uri": folder.as_uri(), "name": folder.name} for folder in removed],
    }
    wire.notify("workspace/didChangeWorkspaceFolders", {"event": event})


def test_an_ignored_document_gets_nothing_and_the_status_says_why(
    wire: Wire, tmp_path: Path
) -> None:
    (tmp_path / ".dgemmaignore").write_text("secret.py\n")
    ignored, other = (tmp_path / "secret.py").as_uri(), (tmp_path / "open.py").as_uri()
    start(wire, tmp_path)
    for uri in (ignored, other):
        wire.open(uri, "x = \n")

    assert wire.inline(ignored, 0, 4) == []

    kind, message = status(wire)
    assert kind == "Inactive"
    assert "secret.py is excluded by" in message
    assert status(wire, ignored) == (kind, message)
    assert status(wire, other) == ("Normal", "")
    assert len(wire.inline(other, 0, 4)) == 2
    assert status(wire)[0] == "Normal"
    wire.leave()


def test_a_file_of_secrets_gets_nothing_wherever_it_lies(wire: Wire) -> None:
    wire.initialize()
    wire.open("file:///elsewhere/.env", "TOKEN=\n", "shellscript")

    assert wire.inline("file:///elsewhere/.env", 0, 6) == []
    assert status(wire)[0] == "Inactive"
    wire.leave()


def test_clients_hear_when_the_focus_goes_to_such_a_document(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / ".dgemmaignore").write_text("*.py\n")
    uri = (tmp_path / "a.py").as_uri()
    start(wire, tmp_path)
    wire.open(uri, "x = \n")

    wire.notify("textDocument/didFocus", {"textDocument": {"uri": uri}})

    wire.request("dgemma/status")
    kinds = [n["params"]["kind"] for n in wire.notifications if n["method"] == "didChangeStatus"]
    assert kinds[-1] == "Inactive"
    wire.leave()


def test_ignore_files_are_watched_and_read_again(wire: Wire, tmp_path: Path) -> None:
    uri = (tmp_path / "a.py").as_uri()
    start(wire, tmp_path, didChangeWatchedFiles={"dynamicRegistration": True})
    message = wire.message("client/registerCapability")
    (registration,) = message["params"]["registrations"]
    wire.send({"id": message["id"], "result": None})
    globs = [watcher["globPattern"] for watcher in registration["registerOptions"]["watchers"]]
    assert "**/.dgemmaignore" in globs
    wire.open(uri, "x = \n")
    assert len(wire.inline(uri, 0, 4)) == 2

    (tmp_path / ".dgemmaignore").write_text("a.py\n")
    changed = {"uri": (tmp_path / ".dgemmaignore").as_uri(), "type": 1}
    wire.notify("workspace/didChangeWatchedFiles", {"changes": [changed]})

    assert status(wire)[0] == "Inactive"
    (tmp_path / ".dgemmaignore").unlink()  # and nobody tells
    assert len(wire.inline(uri, 0, 4)) == 2
    wire.leave()


def test_folders_come_and_go(wire: Wire, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / ".dgemmaignore").write_text("*\n")
    start(wire, first)
    uris = [(folder / "a.py").as_uri() for folder in (first, second)]
    for uri in uris:
        wire.open(uri, "x = \n")
    assert [status(wire, uri)[0] for uri in uris] == ["Inactive", "Normal"]

    change_folders(wire, added=[second], removed=[first, tmp_path])

    assert [status(wire, uri)[0] for uri in uris] == ["Normal", "Inactive"]
    wire.leave()


@pytest.mark.parametrize("key", ["rootUri", "rootPath"])
def test_old_clients_name_one_root(wire: Wire, tmp_path: Path, key: str) -> None:
    (tmp_path / ".dgemmaignore").write_text("*\n")
    root = tmp_path.as_uri() if key == "rootUri" else str(tmp_path)
    wire.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}, key: root})
    wire.notify("initialized", {})
    wire.open((tmp_path / "a.py").as_uri(), "x = \n")

    assert wire.inline((tmp_path / "a.py").as_uri(), 0, 4) == []
    wire.leave()
