"""Drives VS Code: code-server behind a page of headless Chromium, with real keys and the real DOM.

A :class:`CodeServer` is one installation with its settings; a :class:`Window` is one page of it.
"""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from . import fetch_vscode
from .waiting import wait_until

PATIENCE_MS = 120_000  # only reached when a test fails; a workbench takes seconds to start
_MENU_PATIENCE_MS = 1_500  # the first time; it grows, as what is pressed again begins anew
_TRIES = 12

# What would compete for suggestions, open tabs or ask questions is off; all else is the default.
_SETTINGS = {
    "chat.disableAIFeatures": True,
    "dgemma.deadline_ms": 20_000,  # on a busy machine a suggestion is late, not missing
    "editor.accessibilitySupport": "off",
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "extensions.autoCheckUpdates": False,
    "extensions.autoUpdate": False,
    "files.autoSave": "off",
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "window.restoreWindows": "none",
    "workbench.enableExperiments": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.welcomePage.walkthroughs.openOnInstall": False,
}

READ_GHOST = """() => {
  const text = parts => [...parts].map(it => it.textContent).join('').replaceAll('\\u00a0', ' ');
  const inline = text(document.querySelectorAll('.view-lines [class*="ghost-text-decoration"]'));
  const below = [...document.querySelectorAll('.suggest-preview-text .view-line')];
  return [inline, ...below.map(it => text(it.querySelectorAll('.ghost-text')))].join('\\n');
}"""
_RECORD = """() => {
  const record = window.dgemmaRecord = {frames: [], on: true};
  const step = () => {
    const lines = [...document.querySelectorAll('.view-lines .view-line')];
    const text = lines.map(it => it.textContent.replaceAll('\\u00a0', ' ')).join('\\n');
    record.frames.push([text, (READ_GHOST)()]);
    if (record.on) requestAnimationFrame(step);
  };
  step();
}""".replace("READ_GHOST", READ_GHOST)
_NOTE_STATES = """() => {
  const states = window.dgemmaStates = [];
  const bar = document.querySelector('.part.statusbar');
  new MutationObserver(changes => states.push(...changes.map(it => it.oldValue))).observe(
    bar, {attributeFilter: ['aria-label'], attributeOldValue: true, subtree: true});
}"""
_STARTED_ANEW = """() => window.dgemmaStates.includes('dgemma: starting')
  && document.querySelector('.statusbar-item [aria-label^="dgemma: ready"]') !== null"""


class CodeServer:
    """One code-server with the extension and its own settings."""

    def __init__(
        self,
        folder: Path,
        extensions: Path,
        settings: Mapping[str, Any],
        *,
        trust: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it.

        Args:
            folder: its home, with a short name; made if it is not there.
            extensions: where they are installed.
            settings: those of the user.
            trust: whether every folder is trusted; else windows open in Restricted Mode.
            environment: variables that differ from those of the tests.
        """
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.port = _free_port()
        data = folder / "data"
        for name, values in (
            ("User", _SETTINGS | dict(settings)),
            ("Machine", {key: it for key, it in settings.items() if key.startswith("dgemma.")}),
        ):
            # Settings of the machine read in time only where they are the machine's.
            (data / name).mkdir(parents=True)
            (data / name / "settings.json").write_text(json.dumps(values), "utf-8")
        if environment is not None and "PATH" in environment:
            # The extension host takes its variables from a login shell, as a desktop's would.
            line = f"export PATH={environment['PATH']}\n"
            (folder / ".bash_profile").write_text(line, "utf-8")
        self.log = folder / "code-server.log"
        words = [
            str(fetch_vscode.node()),
            str(fetch_vscode.FOLDER / "code-server/node_modules/code-server/out/node/entry.js"),
            *("--auth", "none"),
            *("--bind-addr", f"127.0.0.1:{self.port}"),
            *("--user-data-dir", str(data)),
            *("--extensions-dir", str(extensions)),
            *("--config", str(folder / "none.yaml")),
            "--disable-telemetry",
            "--disable-update-check",
            *(["--disable-workspace-trust"] if trust else []),
            "--disable-getting-started-override",
        ]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                words,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment() | dict(environment or {}),
            )
        patience_s = PATIENCE_MS / 1000
        wait_until(self._answers, "code-server answers", every_s=0.1, patience_s=patience_s)

    def _environment(self) -> dict[str, str]:
        root = Path(__file__).resolve().parents[2]
        runtime = self.folder / "run"
        runtime.mkdir(mode=0o700)
        own = {
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_DATA_HOME": str(self.folder / "share"),
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "EXTENSIONS_GALLERY": "{}",  # no look-ups
            "PYTHONPATH": os.pathsep.join([str(root), str(root / "engine")]),
        }
        return {**os.environ, **own}

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.log.read_text("utf-8")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2):
                return True
        except OSError:
            return False

    def complaints(self) -> list[str]:
        """Give what the extension hosts logged: errors of ours, and what nobody handled."""
        logs = list((self.folder / "data" / "logs").rglob("remoteexthost.log"))
        assert logs
        entries = (
            entry
            for log in logs
            for entry in re.split(r"\n(?=\d{4}-\d\d-\d\d )", log.read_text("utf-8"))
        )
        ours = re.compile(r"(?is)\[error\].*dgemma-ls\.dgemma-ls|unhandled|promise not handled")
        return [entry for entry in entries if ours.search(entry)]

    def close(self) -> None:
        """End it and all that it started, the server that windows share among them."""
        self.end()
        self.wait_for_end()

    def end(self) -> None:
        """Have it end; that takes seconds."""
        for pid in processes(self.folder, "serve"):
            os.kill(pid, signal.SIGTERM)  # it would wait ten minutes for another editor
        self._process.terminate()

    def wait_for_end(self) -> None:
        """Wait until it has ended."""
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Window:
    """A window of VS Code on a folder, with a file of it open."""

    def __init__(
        self, page: Any, server: CodeServer, file: Path, *, workspace: Path | None = None
    ) -> None:
        """Open a file of a folder, or of the folders that a ``.code-workspace`` names."""
        self.page = page
        self.server = server
        self.file = file
        page.set_default_timeout(PATIENCE_MS)
        # Without the authority the editor shows the file, but edits go to another document.
        uri = f"vscode-remote://127.0.0.1:{server.port}{file}"
        payload = quote(json.dumps([["openFile", uri]]))
        what = f"folder={file.parent}" if workspace is None else f"workspace={workspace}"
        page.goto(f"http://127.0.0.1:{server.port}/?{what}&payload={payload}")
        page.locator(".editor-instance .monaco-editor").first.wait_for(state="visible")

    def wait_for_status(self, words: str) -> None:
        """Wait until the item in the status bar says this to a screen reader."""
        self.page.locator(f'.statusbar-item [aria-label^="dgemma: {words}"]').first.wait_for(
            state="attached"
        )

    @contextlib.contextmanager
    def restarting(self) -> Iterator[None]:
        """Wait, after what is done inside, until the server was started and is ready again.

        The item may say for a second that the one before is ready: a page can be that slow.
        """
        self.page.evaluate(_NOTE_STATES)
        yield
        self.page.wait_for_function(_STARTED_ANEW)

    def status_tooltip(self) -> str:
        """Give what the item says when it is pointed at."""
        self.page.locator('.statusbar-item [aria-label^="dgemma: "]').first.hover()
        hover = self.page.locator(".workbench-hover").first
        hover.wait_for(state="visible")
        text: str = hover.inner_text()
        self.page.mouse.move(600, 300)
        return text

    def focus_end(self) -> None:
        """Put the cursor behind the last character of the document."""
        self.page.locator(".editor-instance .monaco-editor").first.click()
        self.page.locator(".monaco-editor.focused").first.wait_for(state="attached")
        self.press("Control+End")

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str, *, delay_ms: float = 0) -> None:
        """Type a text."""
        self.page.keyboard.type(text, delay=delay_ms)

    def ghost(self) -> str:
        """Give the ghost text on screen; empty if there is none."""
        text: str = self.page.evaluate(READ_GHOST)
        return text

    def wait_for_ghost(self, text: str) -> None:
        """Wait until exactly this is the ghost text; empty for none."""
        self.wait(lambda: self.ghost() == text, f"ghost text {text!r}", lambda: self.ghost())

    def wait_for_line(self, text: str) -> None:
        """Wait until a line on screen, ghost text and all, is this."""
        self.wait(lambda: text in self.lines(), f"a line {text!r}", lambda: str(self.lines()))

    def lines(self) -> list[str]:
        """Give the lines on screen, in no order, with their ghost text."""
        lines: list[str] = self.page.locator(".view-lines .view-line").all_inner_texts()
        return [line.replace("\xa0", " ") for line in lines]

    def record(self) -> None:
        """Note the lines and the ghost text at every frame from now on."""
        self.page.evaluate(_RECORD)

    def recorded(self, *, at_least: int) -> list[tuple[str, str]]:
        """Stop noting after so many frames, and give them: text on screen, ghost text."""
        self.page.wait_for_function(f"window.dgemmaRecord.frames.length >= {at_least}")
        script = "() => { window.dgemmaRecord.on = false; return window.dgemmaRecord.frames; }"
        return [(text, ghost) for text, ghost in self.page.evaluate(script)]

    def save(self) -> bytes:
        """Save, and give what is in the file then."""
        self.press("Control+s")
        self.page.locator(".tab.dirty").first.wait_for(state="detached")
        return self.file.read_bytes()

    def open(self, item: Any, *keys: str) -> None:
        """Press keys until something is on screen: what is asked for too early may be lost."""
        for tries in range(1, _TRIES + 1):
            self.press(*keys)
            # Playwright's type is known only where it is installed.
            with contextlib.suppress(Exception):
                item.wait_for(state="visible", timeout=tries * _MENU_PATIENCE_MS)
                return
        raise AssertionError(f"never on screen after {keys}: {item}")

    def run_command(self, title: str) -> None:
        """Run a command from the palette."""
        box = self.page.locator(".quick-input-widget input.input").first
        self.open(box, "F1")
        box.fill(f">{title}")
        self.page.locator(".quick-input-list .monaco-list-row").get_by_text(title).first.click()

    def choose(self, label: str) -> None:
        """Choose a row of the list at the top."""
        rows = self.page.locator(".quick-input-list .monaco-list-row")
        rows.get_by_text(label).first.click()

    def log_text(self) -> str:
        """Give what the extension's log on disk says, of all windows of this code-server."""
        logs = (self.server.folder / "data" / "logs").rglob("*dgemma-ls*.log")
        return "\n".join(log.read_text("utf-8") for log in logs)

    def wait_for_notification(self, words: str) -> str:
        """Wait for a message with these words, and give all of it."""
        message = self.page.locator(".notification-list-item-message", has_text=words).first
        message.wait_for(state="visible")
        text: str = message.inner_text()
        return text

    def wait(self, condition: Callable[[], bool], what: str, found: Callable[[], str]) -> None:
        """Wait while the browser goes on working."""
        end = time.monotonic() + PATIENCE_MS / 1000
        while not condition():
            assert time.monotonic() < end, f"never: {what}; found {found()!r}"
            self.page.wait_for_timeout(20)

    def close(self) -> None:
        """Close the window; what is not saved is lost."""
        self.page.close(run_before_unload=False)


@contextlib.contextmanager
def launch_browser() -> Iterator[Any]:
    """Give Playwright's browser; both lie in the cache, not among the packages of the tests."""
    packages = str(fetch_vscode.FOLDER / "python")
    sys.path.insert(0, packages)
    try:
        from playwright.sync_api import sync_playwright
    finally:
        sys.path.remove(packages)
    program, environment = fetch_vscode.browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(program),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            env={**os.environ, **environment},
        )
        try:
            yield browser
        finally:
            browser.close()


def write_program(folder: Path, words: list[str], before: str = "") -> Path:
    """Write a program that is found as a user's would be; ``--stdio`` is the extension's to say."""
    program = folder / f"dgemma-ls-{zlib.crc32(repr((words, before)).encode()):x}"
    if not program.exists():
        command = shlex.join(word for word in words if word != "--stdio")
        program.write_text(f'#!/bin/sh\n{before}exec {command} "$@"\n', "utf-8")
        program.chmod(0o755)
    return program


def install_extension(folder: Path, into: Path) -> None:
    """Build the extension, and install it from its package as a user would."""
    package = into.parent / "dgemma-ls.vsix"
    environment = {**fetch_vscode.environment(), "HOME": str(into.parent)}
    words = ["npm", "run", "--silent", "package", "--", "-o", str(package)]
    subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True)
    entry = fetch_vscode.FOLDER / "code-server/node_modules/code-server/out/node/entry.js"
    words = [str(fetch_vscode.node()), str(entry), "--config", str(into.parent / "none.yaml")]
    words += ["--user-data-dir", str(into.parent / "install"), "--extensions-dir", str(into)]
    subprocess.run(
        [*words, "--install-extension", str(package)],
        env={**environment, "EXTENSIONS_GALLERY": "{}"},
        check=True,
        capture_output=True,
    )
    shutil.rmtree(into.parent / "install", ignore_errors=True)


def processes(code_server_folder: Path, word: str) -> list[int]:
    """Give the processes below a code-server's home whose command has a word."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        home = f"HOME={code_server_folder}".encode()
        if word.encode() in words and home in environment:
            found.append(int(entry.name))
    return found


def _free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port: int = place.getsockname()[1]
        return port
