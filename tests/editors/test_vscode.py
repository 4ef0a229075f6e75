"""The extension in the real VS Code: what one sees, presses and finds in the file."""

import json
import os
import signal
from pathlib import Path

import pytest

from .capabilities import capabilities, need_command
from .server_commands import REAL_SERVER, SCRIPTED_SERVER
from .vscode import Window, processes, write_program
from .vscode_fixtures import Start


def test_ghost_text_appears_while_typing_and_tab_takes_it(start: Start) -> None:
    window = start("first = 1\n")
    window.type("x = ")
    window.wait_for_ghost("value")
    window.press("Tab")
    window.wait_for_ghost("")
    assert window.save() == b"first = 1\nx = value"


def test_ghost_text_of_several_lines_is_taken_as_a_whole(start: Start) -> None:
    window = start()
    window.type("block = ")
    window.wait_for_ghost("[\n    1,\n    2,\n]")
    window.press("Tab")
    window.wait_for_ghost("")
    assert window.save() == b"block = [\n    1,\n    2,\n]"


def test_a_word_of_it_can_be_taken(start: Start) -> None:
    window = start()
    window.type("call = ")
    window.wait_for_ghost("first.second(third)")
    window.press("Control+ArrowRight")
    window.wait_for_ghost(".second(third)")
    assert window.save() == b"call = first"


def test_alternatives_are_gone_through_and_escape_dismisses(start: Start) -> None:
    window = start()
    window.type("x = ")
    window.wait_for_ghost("value")
    window.press("Alt+]")
    window.wait_for_ghost("other")
    window.press("Alt+]")
    window.wait_for_ghost("third")
    window.press("Alt+[")
    window.wait_for_ghost("other")
    window.press("Escape")
    window.wait_for_ghost("")
    assert window.save() == b"x = "


def test_what_is_typed_through_never_leaves_the_screen(start: Start) -> None:
    window = start()
    window.type("x = ")
    window.wait_for_ghost("value")
    window.record()
    window.type("valu", delay_ms=60)
    window.wait_for_ghost("e")
    frames = window.recorded(at_least=10)
    assert {text for text, _ in frames} == {"x = value"}
    assert all(ghost and "value".endswith(ghost) for _, ghost in frames)


def test_undo_takes_back_what_was_accepted_to_the_byte(start: Start) -> None:
    before = "# ünïcödé 😀\r\nx = 1\r\n"
    window = start(before)
    window.type("call = ")
    window.wait_for_ghost("first.second(third)")
    window.press("Tab")
    window.wait_for_ghost("")
    assert window.save() == (before + "call = first.second(third)").encode()
    window.press("Control+z")
    window.wait_for_line("call = ")
    assert window.save() == (before + "call = ").encode()
    window.press(*["Control+z"] * 3)  # what was typed is undone in pieces
    window.page.wait_for_function("!document.querySelector('.view-lines').innerText.match('call')")
    assert window.save() == before.encode()


def test_a_cell_of_a_notebook_has_ghost_text(start: Start) -> None:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": [], "outputs": []}
    notebook = {
        "cells": [cell | {"execution_count": None}],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    window = start(json.dumps(notebook), name="a.ipynb", ready=False)
    window.wait_for_status("ready")
    window.run_command("View: Close Editor")  # it was opened as the text that it is
    window.page.locator(".explorer-folders-view").get_by_text("a.ipynb").dblclick()
    window.page.locator(".cell .monaco-editor").first.click()
    window.type("x = ")
    window.wait_for_ghost("value")
    window.press("Tab")
    window.wait_for_ghost("")
    (saved,) = json.loads(window.save())["cells"]
    assert saved["source"] == ["x = value"]


def test_a_pause_says_so_and_shows_nothing_until_it_ends(start: Start) -> None:
    window = start()
    window.press("Control+Alt+g", "p")
    window.wait_for_status("paused")
    window.type("x = ")
    window.page.wait_for_timeout(600)  # longer than a suggestion takes in the other tests
    assert window.ghost() == ""
    window.press("Control+Alt+g", "p")
    window.wait_for_status("ready")
    window.press("Backspace")
    window.type(" ")
    window.wait_for_ghost("value")


def test_a_disabled_language_is_inactive_with_its_reason(start: Start) -> None:
    window = start(ready=False, **{"dgemma.disabled_languages": ["python"]})
    window.wait_for_status("inactive: off for python")


def test_the_menu_names_model_and_device(start: Start) -> None:
    window = start()
    window.press("Control+Alt+g", "g")
    widget = window.page.locator(".quick-input-widget")
    widget.get_by_text("Restart server").wait_for()
    text = widget.inner_text() + str(widget.locator("input").get_attribute("placeholder"))
    for words in ("Model: embedded", "Device: auto", "Pause suggestions", "Show log", "Run doctor"):
        assert words in text


def test_a_server_that_is_killed_comes_back_and_says_so(start: Start) -> None:
    window = start(**{"window.title": "killed"})  # a code-server of its own
    (program,) = (word for word in SCRIPTED_SERVER if word.endswith("scripted_server.py"))
    (pid,) = processes(window.server.folder, program)
    os.kill(pid, signal.SIGKILL)
    message = window.wait_for_notification("the server ended")
    assert "signal SIGKILL" in message
    assert "was started again" in message
    window.wait_for_status("ready")
    window.focus_end()
    window.type("x = ")
    window.wait_for_ghost("value")


def test_where_sharing_fails_the_window_has_a_server_of_its_own(start: Start, folder: Path) -> None:
    program = write_program(folder, SCRIPTED_SERVER, '[ "$1" = attach ] && exit 2\n')
    window = start(**{"dgemma.path": str(program)})
    assert "of this window's own" in window.status_tooltip()
    window.type("x = ")
    window.wait_for_ghost("value")


def test_two_windows_share_one_real_server(start: Start) -> None:
    windows = [start(server=REAL_SERVER) for _ in range(2)]
    for window in windows:
        assert "shared with other windows" in window.status_tooltip()
    home = windows[0].server.folder
    assert len(processes(home, "attach")) == 2
    assert len(processes(home, "serve")) == 1


def test_a_server_that_is_not_there_is_named_with_the_way_out(start: Start) -> None:
    window = start(ready=False, **{"dgemma.path": "/nowhere/dgemma-ls"})
    window.wait_for_status("the server is not installed")
    assert "/nowhere/dgemma-ls" in window.wait_for_notification("does not run dgemma-ls")
    assert window.page.locator(".notification-list-item").get_by_text("Install…").count() == 1


COMMANDS = {
    "dgemma: Rewrite Selection…": "dgemma.rewrite",
    "dgemma: Fill Holes at Cursors": "dgemma.fillHoles",
    "dgemma: Fix Typos in Document": "dgemma.fixDocument",
}


def test_a_command_that_the_server_does_not_have_says_so(start: Start) -> None:
    offered = (capabilities().get("executeCommandProvider") or {}).get("commands", [])
    lacking = {title: it for title, it in COMMANDS.items() if it not in offered}
    if not lacking:
        pytest.skip("the server has all commands")
    window = start("x = 1\n")
    for title, command in lacking.items():
        window.run_command(title)
        window.wait_for_notification(f"has no command {command}")


def test_rewriting_a_selection_is_taken_back_by_one_undo(start: Start) -> None:
    need_command("dgemma.rewrite")
    before = "first = 1\n# ünïcödé 😀\nprint(first)\n"
    window = start(before)
    window.press("Control+Home", "Control+Shift+End", "Control+Alt+g", "r")
    answer_rewrite(window)
    window.page.locator(".diff-editor, .monaco-diff-editor").first.wait_for(state="visible")
    window.choose("Apply")
    window.page.locator(".monaco-diff-editor").first.wait_for(state="detached")
    window.page.locator(".tab.dirty").first.wait_for(state="attached")
    window.wait_for_line("second = 1")
    assert window.save() == before.replace("first", "second").encode()
    window.press("Control+z")
    window.wait_for_line("first = 1")
    assert window.save() == before.encode()


def test_a_rewriting_that_is_discarded_leaves_the_document(start: Start) -> None:
    need_command("dgemma.rewrite")
    before = "first = 1\nprint(first)\n"
    window = start(before)
    window.press("Control+Home", "Control+Shift+End", "Control+Alt+g", "r")
    answer_rewrite(window)
    window.page.get_by_text("Apply the change?").or_(
        window.page.locator('input[placeholder="Apply the change?"]')
    ).first.wait_for()
    window.press("Escape")
    window.page.locator(".monaco-diff-editor").first.wait_for(state="detached")
    window.wait_for_status("ready")
    window.focus_end()
    window.type("x = ")
    window.wait_for_ghost("value")
    assert window.save() == (before + "x = ").encode()
    # The editor keeps any notification of progress for 0.8 s at least (its progressService.ts).
    notes = window.page.locator(".notification-list-item")
    notes.get_by_text("Rewriting", exact=True).wait_for(state="detached")
    assert notes.all_inner_texts() == []


def test_without_preview_a_rewriting_is_made_at_once(start: Start) -> None:
    need_command("dgemma.rewrite")
    window = start("first = 1\n", **{"dgemma.preview": False})
    window.press("Control+Home", "Control+Shift+End", "Control+Alt+g", "r")
    answer_rewrite(window)
    window.wait_for_line("second = 1")
    assert window.save() == b"second = 1\n"


def answer_rewrite(window: Window) -> None:
    """Give no instruction, and the strength that is set."""
    for step in "1/2", "2/2":
        window.page.get_by_text(f"Rewrite Selection ({step})").wait_for()
        window.press("Enter")


def test_a_hole_is_filled_at_the_cursor(start: Start) -> None:
    need_command("dgemma.fillHoles")
    window = start("print(1)\nx = ")
    window.press("Control+Alt+g", "f")
    window.wait_for_line("x = value")
    assert window.save() == b"print(1)\nx = value"
