"""Makes the pictures of the documentation: ``python -m tests.editors.vscode_pictures``.

Screenshots of the real VS Code with the real server and its embedded model (of the next edit with
the scripted one), into ``docs/pictures``, and the extension's icon from its drawing. Look at each
before it is committed.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import fetch_vscode
from .capabilities import capabilities
from .server_commands import REAL_SERVER, ROOT, SCRIPTED_SERVER
from .vscode import CodeServer, Window, install_extension, launch_browser, write_program

PICTURES = ROOT / "docs" / "pictures"

_MAX_BYTES = 150_000
_SIZE = {"width": 900, "height": 480}
_SETTINGS = {
    "workbench.colorTheme": "Dark Modern",
    "workbench.activityBar.location": "hidden",
    "editor.minimap.enabled": False,
    "editor.fontSize": 16,
    "breadcrumbs.enabled": False,
    "window.commandCenter": False,
}

_OPTIONS = """\
import argparse
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--input", type=Path, help="what to read")
parser.add_argument("--output", type=Path, help="where to write")
parser.add_argument("--log",)"""
_BASKET = (ROOT / "examples" / "basket.py").read_text("utf-8")
_RENAMED = "new_name = load()\n\n\ndef main() -> None:\n    print(old_name)\n"
_LETTER = "# Notes\n\nThis sentense has teh usual typos in it, and we recieve them every day.\n"


def ghost(window: Window) -> None:
    """Ghost text behind the cursor."""
    window.press("ArrowLeft")
    window.type(" ")
    window.wait(lambda: window.ghost() != "", "any ghost text", window.ghost)


def menu(window: Window) -> None:
    """The menu of the item in the status bar."""
    window.press("Control+Alt+g", "g")
    window.page.locator(".quick-input-widget").get_by_text("Restart server").wait_for()
    window.page.wait_for_timeout(500)  # it fades in


def walkthrough(window: Window) -> None:
    """The walkthrough, at its second step."""
    window.page.set_viewport_size({"width": 1100, "height": 620})
    window.run_command("Welcome: Open Walkthrough...")
    window.page.locator(".quick-input-list").get_by_text("dgemma-ls").first.click()
    window.page.get_by_text("Type, and take what you like").first.click()
    window.page.get_by_text("Grey text shows what fits").first.wait_for()
    window.page.wait_for_timeout(1500)  # the drawing is a frame of its own


def rewrite(window: Window) -> None:
    """A rewriting, shown before it is made."""
    window.press("Control+Home", *["ArrowDown"] * 30, "End", "Shift+Home", "Control+Alt+g", "r")
    window.page.get_by_text("Rewrite Selection (1/2)").wait_for()
    window.press("Enter")
    window.page.get_by_text("Rewrite Selection (2/2)").wait_for()
    window.choose("Mend")
    window.page.locator(".monaco-diff-editor").first.wait_for(state="visible")
    window.page.locator('input[placeholder="Apply the change?"]').wait_for()
    window.page.wait_for_timeout(1500)  # the diff is computed


def typos(window: Window) -> None:
    """Typos, chosen one by one."""
    window.press("Control+Alt+g", "v")
    boxes = window.page.locator(".bulk-edit-panel .edit-checkbox")
    boxes.nth(1).wait_for(state="visible")
    boxes.nth(1).click()
    window.page.locator(".notification-list-item").first.wait_for(state="detached")


def nextedit(window: Window) -> None:
    """The next edit, asked for."""
    window.press("Control+Home", "End")
    window.type(" ")
    struck = window.page.locator(".glyph-margin-widgets .cgmr, .margin-view-overlays .cgmr")
    struck.first.wait_for(state="attached")
    window.page.wait_for_timeout(500)


Scene = tuple[Callable[[Window], None], str, str, str | None]
SCENES: tuple[Scene, ...] = (
    (ghost, "options.py", _OPTIONS, None),
    (menu, "options.py", _OPTIONS, None),
    (walkthrough, "options.py", _OPTIONS, None),
    (rewrite, "basket.py", _BASKET, "dgemma.rewrite"),
    (typos, "notes.md", _LETTER, "dgemma.fixDocument"),
)
"""How it is reached, file and text, and the command of the server that it needs."""
SCRIPTED: tuple[Scene, ...] = ((nextedit, "names.py", _RENAMED, None),)
"""As above, of an engine that knows what it is asked."""


def main() -> int:
    """Make all; 1 if VS Code is not there."""
    if (lack := fetch_vscode.missing()) is not None:
        print(f"no VS Code: {lack}; python3 -m tests.editors.fetch_vscode", file=sys.stderr)
        return 1
    offered = (capabilities().get("executeCommandProvider") or {}).get("commands", [])
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vs-") as name, launch_browser() as browser:
        folder = Path(name)
        draw_icon(browser)
        install_extension(fetch_vscode.EXTENSION, folder / "extensions")
        scripted = [word.replace("_server.py", "_vscode.py") for word in SCRIPTED_SERVER]
        for words, scenes in (scripted, SCRIPTED), (REAL_SERVER, SCENES):
            program = write_program(folder, words)
            settings = {"dgemma.path": str(program), **_SETTINGS}
            server = CodeServer(folder / program.name[-8:], folder / "extensions", settings)
            try:
                for scene, file, text, command in scenes:
                    if command is None or command in offered:
                        take(browser, server, scene, folder / "project" / file, text)
                    else:
                        print(f"{scene.__name__}: the server has no command {command} yet")
            finally:
                server.close()
    return 0


def take(
    browser: Any, server: CodeServer, scene: Callable[[Window], None], file: Path, text: str
) -> None:
    """Take one picture."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    window = Window(browser.new_page(viewport=_SIZE, color_scheme="dark"), server, file)
    window.wait_for_status("ready")
    window.focus_end()
    window.press("Control+b")  # no side bar
    window.focus_end()
    scene(window)
    picture = PICTURES / f"vscode-{scene.__name__}.png"
    window.page.screenshot(path=str(picture))
    window.close()
    size = picture.stat().st_size
    print(f"{picture.name}: {size / 1000:.0f} kB")
    assert size <= _MAX_BYTES, "too large for a repository"


def draw_icon(browser: Any) -> None:
    """Draw the extension's icon."""
    drawing = (fetch_vscode.EXTENSION / "icon.svg").read_text("utf-8")
    page = browser.new_page(viewport={"width": 128, "height": 128})
    page.set_content(f"<body style='margin:0'>{drawing}")
    icon = fetch_vscode.EXTENSION / "icon.png"
    page.screenshot(path=str(icon), omit_background=True)
    page.close()


if __name__ == "__main__":
    sys.exit(main())
