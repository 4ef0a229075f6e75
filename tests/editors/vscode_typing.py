"""Types in the real VS Code for minutes: ``python -m tests.editors.vscode_typing [MINUTES]``.

The real server with its embedded model. Says how long after a key ghost text was on screen, what
the extension host complained of (must be nothing), and whether the file is what was typed.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from . import fetch_vscode
from .server_commands import REAL_SERVER, ROOT
from .vscode import (
    READ_GHOST,
    CodeServer,
    Window,
    install_extension,
    launch_browser,
    write_program,
)

_TEXT = ROOT / "dgemma_ls" / "documents.py"
_KEY_MS = (60, 180)  # between keys, as fast typists do it
_PAUSE_MS = (400, 900)  # at the end of some words, to read
_P_PAUSE = 0.15

# Else the editor would write what is not typed; and the deadline is the default.
_SETTINGS = {
    "dgemma.deadline_ms": 2_000,
    "editor.autoIndent": "none",
    "editor.autoClosingBrackets": "never",
    "editor.autoClosingQuotes": "never",
    "editor.trimAutoWhitespace": False,
}
_MEASURE = """() => {
  const there = () => (READ_GHOST)() !== '';
  const measured = window.dgemmaMeasured = [];
  let key = null;  // when it was pressed, if there was no ghost text then
  document.addEventListener('keydown', () => { key = there() ? null : performance.now(); }, true);
  const step = () => {
    if (key !== null && there()) { measured.push(performance.now() - key); key = null; }
    requestAnimationFrame(step);
  };
  step();
}""".replace("READ_GHOST", READ_GHOST)


def main() -> int:
    """Type; 1 if something was not as it has to be."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("minutes", nargs="?", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    if (lack := fetch_vscode.missing()) is not None:
        print(f"no VS Code: {lack}; python3 -m tests.editors.fetch_vscode", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="vs-") as name, launch_browser() as browser:
        folder = Path(name)
        install_extension(fetch_vscode.EXTENSION, folder / "extensions")
        program = write_program(folder, REAL_SERVER)
        settings = {"dgemma.path": str(program), **_SETTINGS}
        server = CodeServer(folder / "home", folder / "extensions", settings)
        try:
            return _type(browser, server, folder / "project" / "typed.py", minutes)
        finally:
            server.close()


def _type(browser: Any, server: CodeServer, file: Path, minutes: float) -> int:
    file.parent.mkdir()
    file.write_bytes(b"")
    window = Window(browser.new_page(viewport={"width": 1100, "height": 700}), server, file)
    window.wait_for_status("ready")
    window.focus_end()
    window.page.evaluate(_MEASURE)
    chance = random.Random(0)
    source = _TEXT.read_text("utf-8")
    typed = ""
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        character = source[len(typed) % len(source)]
        if character == "\n":
            window.press("Escape", "Enter")  # Enter alone is the same; Escape is typed often
        else:
            window.type(character)
        typed += character
        pause = character == " " and chance.random() < _P_PAUSE
        window.page.wait_for_timeout(chance.uniform(*(_PAUSE_MS if pause else _KEY_MS)))
    saved = window.save().decode()
    measured = sorted(window.page.evaluate("window.dgemmaMeasured"))
    window.close()
    complaints = server.complaints()
    print(f"{len(typed)} keys in {minutes:g} min; the file is what was typed: {saved == typed}")
    if len(measured) > 1:
        p90 = statistics.quantiles(measured, n=10)[-1]
        median = statistics.median(measured)
        print(
            f"ghost text after a key, {len(measured)} times: p50 {median:.0f} ms, p90 {p90:.0f} ms"
        )
    print(f"complaints of the extension host: {len(complaints)}")
    print(*complaints, sep="\n")
    return int(bool(complaints) or saved != typed)


if __name__ == "__main__":
    sys.exit(main())
