"""What each editor gets, by what the real one declares: around the fake engine."""

from typing import Any

import pytest

from .conftest import Wire
from .editor import NAMES, Editor, profile

pytestmark = pytest.mark.e2e

URI = "file:///workspace/a.py"
CRAB = 'crab = "\U0001f980"; '
SOURCE = f"{CRAB}call(alpha, 1)\n"
CALL = (len(CRAB), len(SOURCE) - 1)
NOTES = "file:///workspace/notes.md"
PROSE = "The crab \U0001f980 will recieve the message, and you should seperate the the others.\n"
MENDED = "The crab \U0001f980 will receive the message, and you should separate the others.\n"

# From the declarations themselves, so that a new recording that differs is seen.
ENCODINGS = {"vscode": "utf-16", "neovim": "utf-8", "emacs": "utf-32", "helix": "utf-8"}
GHOST_TEXT = {"vscode": True, "neovim": True, "emacs": False, "helix": False}
PULLS_DIAGNOSTICS = {"vscode": True, "neovim": True, "emacs": False, "helix": True}
VERSIONED_EDITS = {"vscode": True, "neovim": False, "emacs": True, "helix": True}
ANNOTATED_EDITS = {"vscode": True, "neovim": False, "emacs": False, "helix": False}
MARKS_GENERATED = {"vscode": True, "neovim": False, "emacs": False, "helix": False}
REGISTERED = {
    "vscode": {"workspace/didChangeConfiguration", "workspace/didChangeWatchedFiles"},
    "neovim": set(),
    "emacs": {"workspace/didChangeWatchedFiles"},
    "helix": {"workspace/didChangeWatchedFiles"},
}

editors = pytest.mark.parametrize("name", NAMES)


def form_of(edit: dict[str, Any]) -> tuple[bool, bool]:
    """Say whether a workspace edit names the version, and describes itself."""
    return "documentChanges" in edit, "changeAnnotations" in edit


@editors
def test_suggestions_come_as_ghost_text_or_in_the_popup(wire: Wire, name: str) -> None:
    editor = Editor(wire, name)
    offers = editor.start()
    editor.open(URI, f"{CRAB}x = \n")

    assert offers["positionEncoding"] == ENCODINGS[name]
    assert ("completionProvider" in offers) is not GHOST_TEXT[name]
    before = f"{CRAB}x = "
    assert editor.suggestions(URI, len(before)) == [f"{before}value\n", f"{before}other\n"]
    editor.replace(URI, len(before), len(before), "val")
    assert editor.suggestions(URI, len(before) + 3) == [f"{before}value\n"]
    wire.leave()


@editors
def test_a_selection_is_rewritten_by_action_and_by_command(wire: Wire, name: str) -> None:
    editor = Editor(wire, name)
    editor.start()
    editor.open(URI, SOURCE)
    form = (VERSIONED_EDITS[name], ANNOTATED_EDITS[name])
    rewritten = {URI: f"{CRAB}CALL(ALPHA, 1)\n"}

    offered = editor.actions(URI, *CALL, only=["refactor"])
    assert all("edit" not in action and "command" not in action for action in offered)
    assert all(("tags" in action) is MARKS_GENERATED[name] for action in offered)
    resolved = wire.request("codeAction/resolve", offered[0])["result"]
    assert form_of(resolved["edit"]) == form
    assert editor.take(resolved["edit"]) == rewritten

    span = editor.span(URI, *CALL)
    assert editor.command("dgemma.rewrite", {"uri": URI, "range": span})["result"] is None
    (sent,) = editor.edits
    assert form_of(sent) == form
    assert editor.take(sent) == rewritten
    wire.leave()


@editors
def test_typos_are_asked_for_or_sent_and_mended_at_once(wire: Wire, name: str) -> None:
    editor = Editor(wire, name)
    offers = editor.start()
    editor.open(NOTES, PROSE, "markdown")

    assert ("diagnosticProvider" in offers) is PULLS_DIAGNOSTICS[name]
    found = editor.diagnostics(NOTES, at_least=3)
    starts = [each["range"]["start"] for each in found]
    assert starts == [editor.at(NOTES, PROSE.index(it)) for it in ("recieve", "seper", " the oth")]
    (mend,) = [
        action
        for action in editor.actions(NOTES, 0, len(PROSE), only=["source.fixAll"])
        if action["kind"] == "source.fixAll.dgemma"
    ]
    resolved = mend if "edit" in mend else wire.request("codeAction/resolve", mend)["result"]
    assert form_of(resolved["edit"]) == (VERSIONED_EDITS[name], ANNOTATED_EDITS[name])
    assert editor.take(resolved["edit"]) == {NOTES: MENDED}
    wire.leave()
    sent = {note["method"] for note in wire.notifications}
    assert ("textDocument/publishDiagnostics" in sent) is not PULLS_DIAGNOSTICS[name]


@pytest.mark.parametrize("name", ["vscode", "neovim", "helix"])
def test_those_that_ask_are_told_when_to_ask_again(wire: Wire, name: str) -> None:
    editor = Editor(wire, name, section={"typos": "on"})
    editor.start()
    editor.open(NOTES, PROSE, "markdown")
    editor.diagnostics(NOTES, at_least=3)
    n_told = sum(each["method"] == "workspace/diagnostic/refresh" for each in wire.notifications)
    editor.section = {"typos": "off"}
    wire.notify("workspace/didChangeConfiguration", {"settings": None})
    wire.message("workspace/diagnostic/refresh", number=n_told + 1)
    assert editor.diagnostics(NOTES) == []
    wire.leave()


@editors
def test_the_configuration_is_read_at_the_start_and_when_it_changes(wire: Wire, name: str) -> None:
    editor = Editor(wire, name, section={"n_candidates": 1})
    editor.start()
    wire.message("workspace/configuration")
    editor.open(URI, "x = \ny = \n")
    assert editor.suggestions(URI, 4) == ["x = value\ny = \n"]

    editor.section = {"n_candidates": 2}
    wire.notify("workspace/didChangeConfiguration", {"settings": None})
    wire.message("workspace/configuration", number=2)
    assert len(editor.suggestions(URI, 9)) == 2
    wire.request("dgemma/status")
    assert set(editor.registered.values()) == REGISTERED[name]
    wire.leave()


@editors
def test_loading_is_shown_as_progress(wire: Wire, name: str) -> None:
    editor = Editor(wire, name)
    editor.start()
    begin = wire.message("$/progress")["params"]
    end = wire.message("$/progress", number=2)["params"]
    assert (begin["value"]["kind"], end["value"]["kind"]) == ("begin", "end")
    assert begin["token"] == end["token"]
    wire.leave()


@editors
def test_the_declarations_are_those_of_the_editors_that_the_tests_drive(name: str) -> None:
    named = profile(name)["clientInfo"]["name"].casefold()
    assert named == {"vscode": "code-server", "emacs": "eglot"}.get(name, name)
