"""The extension among the rest of the real VS Code: trust, folders, menus, installing, access."""

import json
import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .server_commands import REAL_SERVER, SCRIPTED_SERVER
from .test_vscode_next_edit import SERVER as JOURNAL_SERVER
from .vscode import CodeServer, Window, processes, write_program
from .vscode_fixtures import Start

Servers = Callable[..., CodeServer]

PLAIN_PATH = "/usr/bin:/bin"  # no dgemma-ls on it

_PYTHON_EXTENSION = {
    "name": "python",
    "publisher": "ms-python",
    "version": "2026.1.0",
    "engines": {"vscode": "^1.91.0"},
    "main": "./extension.js",
}
# The two functions of the Python extension's API that are asked.
_PYTHON_API = """\
const vscode = require("vscode");
const path = INTERPRETER;
exports.activate = () => ({environments: {
  getActiveEnvironmentPath: () => ({path}),
  resolveEnvironment: async () => ({executable: {uri: vscode.Uri.file(path)}}),
}});
"""


def folder_settings(window_file: Path, **settings: Any) -> None:
    folder = window_file.parent / ".vscode"
    folder.mkdir(exist_ok=True)
    (folder / "settings.json").write_text(json.dumps(settings), "utf-8")


def server_lines(window: Window) -> str:
    return "\n".join(it for it in window.log_text().splitlines() if " from " in it)


def test_restricted_mode_works_and_takes_no_program_from_the_folder(
    start: Start, servers: Servers, folder: Path
) -> None:
    journal = folder / "restricted.jsonl"
    program = write_program(folder, JOURNAL_SERVER, f"export SCRIPTED_JOURNAL={journal}\n")
    settings = {
        "dgemma.path": str(program),
        "dgemma.model": "embedded",
        "security.workspace.trust.startupPrompt": "never",
    }
    code = servers(settings, trust=False)
    window = start(code=code, ready=False)
    evil = {"dgemma.path": "/of/the/folder", "dgemma.device": "evil"}
    folder_settings(window.file, **evil)
    window.page.get_by_text("Restricted Mode").first.wait_for()
    window.wait_for_status("ready")
    window.focus_end()
    window.type("x = ")
    window.wait_for_ghost("value")
    window.press("Tab")
    assert window.save() == b"x = value"
    # What a folder may set is in force when it changes, and the rest does not even start it anew.
    others = {"dgemma.device": "worse", "dgemma.disabled_languages": ["python"]}
    folder_settings(window.file, **evil | others)
    window.wait_for_status("inactive: off for python")
    assert "/of/the/folder" not in window.log_text()
    assert len(server_lines(window).splitlines()) == 1
    (told,) = (json.loads(it)["initialize"] for it in journal.read_text("utf-8").splitlines()[:1])
    assert told["trusted"] is False
    assert not {"model", "device", "record_dir", "statistics_file"} & set(told["sent"])


def test_each_folder_of_a_workspace_has_suggestions(
    start: Start, servers: Servers, folder: Path, browser: Any
) -> None:
    roots = [folder / "multi" / name for name in ("one", "two")]
    for root in roots:
        root.mkdir(parents=True)
        (root / "a.py").write_bytes(b"")
    workspace = folder / "multi" / "both.code-workspace"
    workspace.write_text(json.dumps({"folders": [{"path": it.name} for it in roots]}), "utf-8")
    code = servers({"dgemma.path": str(write_program(folder, SCRIPTED_SERVER))})
    for root in roots:
        page = browser.new_page(viewport={"width": 1100, "height": 700})
        window = Window(page, code, root / "a.py", workspace=workspace)
        try:
            window.wait_for_status("ready")
            window.focus_end()
            window.type("x = ")
            window.wait_for_ghost("value")
            window.press("Tab")
            window.wait_for_ghost("")
            assert window.save() == b"x = value"
        finally:
            window.close()


def fake_program(folder: Path, name: str, script: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}", "utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def test_without_a_server_uv_is_offered_to_install_it_and_then_it_runs(
    start: Start, servers: Servers, folder: Path
) -> None:
    """The uv is a script that puts our server where the real one would."""
    tools = folder / "tools"
    installed = write_program(folder, SCRIPTED_SERVER)
    script = (
        f'echo "$@" >> {folder}/uv-calls\n'
        '[ "$1" = venv ] && mkdir -p "$4/bin"\n'
        f'[ "$1" = pip ] && ln -s {installed} "$(dirname "$5")/dgemma-ls"\n'
        "true\n"
    )
    fake_program(tools, "uv", script)
    code = servers({}, environment={"PATH": f"{tools}:{PLAIN_PATH}"})
    window = start(code=code, ready=False)
    window.wait_for_status("the server is not installed")
    window.wait_for_notification("was not found")
    window.page.locator(".notification-list-item").get_by_text("Install…").click()
    dialog = window.page.locator(".monaco-dialog-box")
    dialog.wait_for(state="visible")
    text = dialog.inner_text()
    assert re.search(r"/tools/uv venv --python \S*>=3\.11\S* \S+/environment\n", text), text
    assert "pip install --upgrade --python" in text
    assert not (folder / "uv-calls").exists()  # nothing runs before one has agreed
    dialog.get_by_role("button", name="Install", exact=True).click()
    window.wait_for_status("ready")
    assert (folder / "uv-calls").read_text("utf-8").startswith("venv --python >=3.11 ")
    window.focus_end()
    window.type("x = ")
    window.wait_for_ghost("value")


def test_without_uv_python_itself_is_offered_and_saying_no_runs_nothing(
    start: Start, servers: Servers
) -> None:
    code = servers({}, environment={"PATH": PLAIN_PATH})
    window = start(code=code, ready=False)
    window.wait_for_status("the server is not installed")
    window.press("Control+Alt+g", "i")
    dialog = window.page.locator(".monaco-dialog-box")
    dialog.wait_for(state="visible")
    assert re.search(r"/usr/bin/python3\S* -m venv \S+/environment\n", dialog.inner_text())
    dialog.get_by_role("button", name="Cancel").click()
    dialog.wait_for(state="detached")
    window.wait_for_status("the server is not installed")
    assert not list(code.folder.rglob("pyvenv.cfg"))


@pytest.fixture(scope="module")
def python_extension(folder: Path) -> Path:
    """Give a folder with an extension of the Python extension's name and API.

    Its interpreter is a Python in which our package is the scripted server.
    """
    packages = folder / "packages" / "dgemma_ls"
    packages.mkdir(parents=True)
    (packages / "__main__.py").write_text(
        f"import os, sys\nargs = [{sys.executable!r}, {SCRIPTED_SERVER[1]!r}, *sys.argv[1:]]\n"
        "os.execv(args[0], args)\n",
        "utf-8",
    )
    script = f'shift 3\nexec {sys.executable} {packages}/__main__.py "$@"\n'
    interpreter = fake_program(folder / "interpreter", "python3", script)
    home = folder / "python-extension" / "ms-python.python-2026.1.0"
    home.mkdir(parents=True)
    (home / "package.json").write_text(json.dumps(_PYTHON_EXTENSION), "utf-8")
    code = _PYTHON_API.replace("INTERPRETER", json.dumps(str(interpreter)))
    (home / "extension.js").write_text(code, "utf-8")
    return home.parent


def test_the_python_extensions_interpreter_is_used_in_trusted_folders_alone(
    start: Start, servers: Servers, python_extension: Path
) -> None:
    options: dict[str, Any] = {
        "more_extensions": python_extension,
        "environment": {"PATH": PLAIN_PATH},
    }
    window = start(code=servers({}, **options))
    assert "the Python extension's interpreter" in server_lines(window)
    window.type("x = ")
    window.wait_for_ghost("value")
    settings = {"security.workspace.trust.startupPrompt": "never"}
    restricted = start(code=servers(settings, trust=False, **options), ready=False)
    restricted.wait_for_status("the server is not installed")


def test_the_menu_restarts_the_server_and_shows_its_log(start: Start) -> None:
    window = start(**{"window.title": "restarted"})
    (program,) = (word for word in SCRIPTED_SERVER if word.endswith("scripted_server.py"))
    (before,) = processes(window.server.folder, program)
    window.press("Control+Alt+g", "g")
    with window.restarting():
        window.choose("Restart server")
    assert before not in processes(window.server.folder, program)
    window.press("Control+Alt+g", "g")
    window.choose("Show log")
    output = window.page.locator(".part.panel .view-lines", has_text="from the setting")
    output.first.wait_for(state="visible")
    window.focus_end()
    window.type("x = ")
    window.wait_for_ghost("value")


def test_the_doctor_writes_into_the_log(start: Start) -> None:
    window = start(server=REAL_SERVER)
    window.press("Control+Alt+g", "d")
    window.wait(lambda: "torch" in window.log_text(), "the doctor's words", window.log_text)


def test_with_a_screen_reader_the_suggestion_is_in_the_accessible_view(start: Start) -> None:
    window = start(**{"editor.accessibilitySupport": "on"})  # wait_for_status reads the label
    window.type("x = ")
    window.wait_for_ghost("value")
    window.press("Alt+F2")
    view = window.page.locator(".accessible-view")
    view.first.wait_for(state="visible")
    view.locator(".view-line", has_text="value").first.wait_for()
    window.press("Escape")
    view.first.wait_for(state="hidden")
    window.press("Backspace")
    window.type(" ")
    window.wait_for_ghost("value")
    window.press("Tab")
    window.wait_for_ghost("")
    assert window.save() == b"x = value"
    item = window.page.locator('.statusbar-item [aria-label^="dgemma: ready"]').first
    assert item.get_attribute("role") == "button"


@pytest.mark.parametrize("theme", ["Default High Contrast", "Default High Contrast Light"])
def test_ghost_text_can_be_read_in_high_contrast(start: Start, theme: str) -> None:
    window = start(**{"workbench.colorTheme": theme})
    window.type("x = ")
    window.wait_for_ghost("value")
    script = """() => {
      const ghost = document.querySelector('.view-lines [class*="ghost-text-decoration"]');
      const back = getComputedStyle(document.querySelector('.monaco-editor-background'));
      return [getComputedStyle(ghost).color, back.backgroundColor];
    }"""
    text, back = (colour(it) for it in window.page.evaluate(script))
    seen = tuple(a * text[3] + b * (1 - text[3]) for a, b in zip(text, back, strict=True))
    bright, dark = sorted((luminance(seen), luminance(back)), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.2, 1.4.3


def colour(words: str) -> tuple[float, float, float, float]:
    """Read ``rgb(…)`` or ``rgba(…)``."""
    red, green, blue, *alpha = (float(it) for it in re.findall(r"[\d.]+", words))
    return red, green, blue, alpha[0] if alpha else 1.0


def luminance(rgb: tuple[float, ...]) -> float:
    """Give the relative luminance of WCAG."""
    linear = [
        it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4
        for it in (value / 255 for value in rgb[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_walkthrough_ticks_what_is_done_while_it_is_open(start: Start) -> None:
    """The editor notes nothing before it is opened, not even what holds then."""
    window = start()
    window.run_command("Welcome: Open Walkthrough...")
    window.choose("dgemma-ls")
    page = window.page.locator(".gettingStartedSlideDetails")
    page.get_by_text("Get the server").first.wait_for()
    window.page.locator(".tab", has_text="a.py").first.click()
    window.focus_end()
    window.type("x = ")
    window.wait_for_ghost("value")
    window.press("Tab")
    window.wait_for_ghost("")
    window.press("Control+Alt+g", "f")
    window.press("Control+Alt+g", "g")
    window.page.locator(".quick-input-widget").get_by_text("Restart server").wait_for()
    window.press("Escape")
    window.page.locator(".tab", has_text="Welcome").first.click()
    done = window.page.locator(".getting-started-step .codicon.complete")
    window.wait(lambda: done.count() == 4, "four steps ticked", lambda: str(done.count()))


def test_processes_of_closed_windows_end(start: Start) -> None:
    window = start(**{"window.title": "closed"})
    (program,) = (word for word in SCRIPTED_SERVER if word.endswith("scripted_server.py"))
    (pid,) = processes(window.server.folder, program)
    other = start(**{"window.title": "closed"})
    window.close()
    other.wait(lambda: not os.path.exists(f"/proc/{pid}"), "its server has ended", lambda: str(pid))
