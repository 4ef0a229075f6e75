"""Long editing at random in several documents; the same seed makes the same session.

On the real process, around the fake engine and around the embedded model. A session edits, asks,
cancels, closes, opens again and changes settings, without waiting for answers; it must leave the
server with the editor's texts, each request answered once, no more memory than before, nothing
worse than a warning in the log, and an end within two seconds. Ten seconds each;
SOAK_SECONDS=60 and more for a real soak.
"""

import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import FAKE_SERVER, Wire
from .editor import NAMES, Editor

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SECONDS = float(os.environ.get("SOAK_SECONDS", "10"))
REAL_SERVER = [sys.executable, str(Path(__file__).with_name("text_server.py"))]
DOCUMENTS = {
    "file:///workspace/a.py": ("python", "def total(values):\n    result = 0\n    return result\n"),
    "file:///workspace/b.md": ("markdown", "# Notes\n\nYou should recieve the the message.\n"),
    "file:///workspace/c.json": ("json", '{"a": [1, 2, {"b": null}]}\n'),
    "file:///workspace/d.ts": ("typescript", "const first = (a: number) => a + 1\r\n"),
    "file:///workspace/e": ("nonsense", "\ufeffone\rtwo\r\nthree\u2028four\f\U0001f980"),
}
PIECES = (
    *("x = ", "(", ")", "\n", "\r\n", "\r", '"', "value", "    ", "# recieve it\n", "\u2028"),
    *("\U0001f980", "e\u0301", "\x85", "\t", "[1, ", "]", "slow = ", "___", "def f(a):\n"),
)
MAX_CHARS = 4_000
MAX_GROWTH = 80 * 2**20  # bytes, in the second half of a session; the first fills the caches
UNANSWERED = 40  # so many at once at most: no editor asks more


class Session:
    """One editor that does something at random, again and again."""

    def __init__(self, editor: Editor, seed: int, *, ends_by_itself: bool) -> None:
        self.editor = editor
        self.ends_by_itself = ends_by_itself  # what the engine is asked
        self.random = random.Random(seed)
        self.asked: list[int] = []
        self.errors: set[int] = set()  # codes

    def step(self) -> None:
        act = self.random.choices(
            (self.edit, self.ask, self.cancel, self.close, self.configure, self.burst),
            (50, 35, 6, 2, 1, 6),
        )[0]
        act()
        if len(self.asked) > UNANSWERED:
            self.settle()

    def settle(self) -> None:
        """Wait until everything is answered; the fake engine has lines that take for ever."""
        if not self.ends_by_itself:
            self._ask("workspace/executeCommand", {"command": "dgemma.cancelAll"})
        for number in self.asked:
            answer = self.editor.wire.answer(number)
            if "error" in answer:
                self.errors.add(answer["error"]["code"])
        self.asked.clear()

    def edit(self) -> None:
        uri = self._any()
        text = self.editor.texts[uri]
        start = self.random.randint(0, len(text))
        n_cut = self.random.choice((0, 0, 0, 1, 3, 40)) if len(text) < MAX_CHARS else 400
        end = min(start + n_cut, len(text))
        # A position between the two halves of a line end is none.
        if text[start - 1 : start + 1] == "\r\n" or text[end - 1 : end + 1] == "\r\n":
            return
        self.editor.replace(uri, start, end, self.random.choice(PIECES))

    def burst(self) -> None:
        """Type a word, and ask after each key."""
        uri = self._any()
        place = len(self.editor.texts[uri])
        for key in "value":
            self.editor.replace(uri, place, place, key)
            place += 1
            self._inline(uri, place, kind=2)

    def ask(self) -> None:
        uri = self._any()
        text = self.editor.texts[uri]
        start, end = sorted(self.random.randint(0, len(text)) for _ in range(2))
        end = min(end, start + 60)
        span = self.editor.span(uri, start, end)
        match self.random.choice(
            ("inline", "popup", "typos", "actions", "rewrite", "holes", "fix")
        ):
            case "inline":
                self._inline(uri, start, kind=self.random.choice((1, 2)))
            case "popup":
                params = {"textDocument": {"uri": uri}, "position": span["start"]}
                self._ask("textDocument/completion", params)
            case "typos":
                self._ask("textDocument/diagnostic", {"textDocument": {"uri": uri}})
            case "actions":
                context: dict[str, Any] = {"diagnostics": []}
                params = {"textDocument": {"uri": uri}, "range": span, "context": context}
                self._ask("textDocument/codeAction", params)
            case "rewrite":
                strength = self.random.choice((0.15, 0.5, 1.0))
                self._command("dgemma.rewrite", {"uri": uri, "range": span, "strength": strength})
            case "holes":
                self._command("dgemma.fillHoles", {"uri": uri, "ranges": [span]})
            case "fix":
                self._command("dgemma.fixDocument", {"uri": uri})

    def cancel(self) -> None:
        if self.asked:
            number = self.random.choice(self.asked)
            self.editor.wire.notify("$/cancelRequest", {"id": number})

    def close(self) -> None:
        uri = self._any()
        self.editor.close(uri)
        language_id, text = DOCUMENTS[uri]
        if self.random.random() < 0.5:
            self._inline(uri, None, kind=1)
        self.editor.open(uri, text, language_id)

    def configure(self) -> None:
        self.editor.section = {
            "n_candidates": self.random.randint(1, 5),
            "typos": self.random.choice(("on", "off")),
            "completion": self.random.choice(("on", "off", "auto")),
            "context": self.random.choice(("on", "auto", "off")),
        }
        self.editor.wire.notify("workspace/didChangeConfiguration", {"settings": None})

    def _any(self) -> str:
        return self.random.choice(list(self.editor.texts))

    def _inline(self, uri: str, place: int | None, *, kind: int) -> None:
        at = {"line": 0, "character": 0} if place is None else self.editor.at(uri, place)
        params = {"textDocument": {"uri": uri}, "position": at, "context": {"triggerKind": kind}}
        self._ask("textDocument/inlineCompletion", params)

    def _command(self, command: str, argument: dict[str, Any]) -> None:
        self._ask("workspace/executeCommand", {"command": command, "arguments": [argument]})

    def _ask(self, method: str, params: dict[str, Any]) -> None:
        self.asked.append(self.editor.wire.start(method, params))


def memory(pid: int) -> int:
    """Give the bytes of a process that are in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("server", ["fake", "embedded"])
def test_after_a_long_session_all_is_answered_and_as_the_editor_has_it(
    start_server: Callable[..., Wire], stderr_file: Path, name: str, server: str
) -> None:
    wire = start_server([*(FAKE_SERVER if server == "fake" else REAL_SERVER)])
    editor = Editor(wire, name)
    editor.start(root="file:///workspace")
    for uri, (language_id, text) in DOCUMENTS.items():
        editor.open(uri, text, language_id)
    session = Session(editor, seed=NAMES.index(name), ends_by_itself=server != "fake")
    until = time.monotonic() + SECONDS / 2
    sizes = []
    for end in (until, until + SECONDS / 2):
        while time.monotonic() < end:
            session.step()
        session.settle()
        sizes.append(memory(wire.process.pid))

    theirs = {uri: wire.request("test/text", {"uri": uri})["result"] for uri in editor.texts}
    assert theirs == editor.texts
    assert sizes[1] - sizes[0] < MAX_GROWTH, sizes
    # Cancelled, out of date, nothing to offer, not there: no error of the server's own.
    assert session.errors <= {-32800, -32801, -32802, -32803, -32601}
    started = time.monotonic()
    wire.leave()
    assert time.monotonic() - started < 2.0
    log = stderr_file.read_text("utf-8")
    assert [line for line in log.splitlines() if " ERROR " in line or "Traceback" in line] == []
    print(f"{name} {server}: {len(wire.trace)} messages, {sizes[0] >> 20} → {sizes[1] >> 20} MiB")
