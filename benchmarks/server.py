"""The server as an editor feels it: start, keys, cancelling, rest. ``python benchmarks/server.py``.

Times the real program over its real pipes; a bare pygls server beside it for the start. Prints a
table of medians, and the least of the starts. Run it on a quiet machine.
"""

import itertools
import json
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Queue
from typing import Any

BARE = "from pygls.lsp.server import LanguageServer; LanguageServer('bare', '1').start_io()"
OURS = [sys.executable, "-m", "dgemma_ls"]
N_STARTS = 20
N_LINES = 50_000
N_CHANGES = 100
REST_S = 5.0
TEXT = Path(__file__).resolve().parent.parent.joinpath("dgemma_ls/documents.py").read_text("utf-8")


class Client:
    """A language client of a few lines."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.answers: Queue[dict[str, Any]] = Queue()
        self.numbers = itertools.count(1)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while header := self.process.stdout.readline():
            n_bytes = int(header.split(b":")[1])
            while self.process.stdout.readline().strip():
                pass
            message = json.loads(self.process.stdout.read(n_bytes))
            if "method" not in message:
                self.answers.put(message)

    def notify(self, method: str, params: object) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def start(self, method: str, params: object) -> int:
        """Send a request and give its number."""
        number = next(self.numbers)
        self._send({"id": number, "method": method, "params": params})
        return number

    def ask(self, method: str, params: object) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        number = self.start(method, params)
        while True:
            answer = self.answers.get(timeout=60)
            if answer["id"] == number:
                return answer

    def _send(self, message: dict[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def initialize(self) -> None:
        """Begin."""
        capabilities = {"general": {"positionEncodings": ["utf-32"]}}
        self.ask("initialize", {"capabilities": capabilities})
        self.notify("initialized", {})


def start_ms(command: list[str]) -> float:
    """From spawn to the reply to ``initialize``."""
    started = time.perf_counter()
    client = Client(command)
    client.initialize()
    elapsed = time.perf_counter() - started
    client.process.kill()
    return elapsed * 1e3


def open_text(client: Client, text: str) -> None:
    """Open the one document."""
    item = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": text}
    client.notify("textDocument/didOpen", {"textDocument": item})


def type_text(client: Client, line: int, character: int, text: str, version: int) -> None:
    """Put in a text at a place."""
    place = {"line": line, "character": character}
    change = {"range": {"start": place, "end": place}, "text": text}
    document = {"uri": "file:///a.py", "version": version}
    params = {"textDocument": document, "contentChanges": [change]}
    client.notify("textDocument/didChange", params)


def suggestion_params(line: int, character: int) -> dict[str, object]:
    """Ask by a key, at a place."""
    return {
        "textDocument": {"uri": "file:///a.py"},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 1},
    }


def typed_through_ms(client: Client) -> float:
    """A suggestion, then its first characters typed one by one, each with a request."""
    method = "textDocument/inlineCompletion"
    open_text(client, TEXT + "\nimport \n")
    line = TEXT.count("\n") + 1
    items = client.ask(method, suggestion_params(line, 7))["result"]["items"]
    text = items[0]["insertText"]
    times = []
    for n, char in enumerate(text[:-1]):
        type_text(client, line, 7 + n, char, n + 2)
        started = time.perf_counter()
        client.ask(method, suggestion_params(line, 8 + n))
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


def change_ms(client: Client) -> float:
    """Changes of a long document, with a cheap request after all of them."""
    open_text(client, "x = 1\n" * N_LINES)
    client.ask("dgemma/status", {})
    started = time.perf_counter()
    for n in range(N_CHANGES):
        type_text(client, n * 499 % N_LINES, 0, "y", n + 2)
    client.ask("dgemma/status", {})
    return (time.perf_counter() - started) * 1e3 / N_CHANGES


def cancel_ms(client: Client) -> float:
    """From ``$/cancelRequest`` to the answer, in the middle of a suggestion."""
    open_text(client, TEXT)
    times = []
    for _ in range(10):
        number = client.start("textDocument/inlineCompletion", suggestion_params(60, 8))
        time.sleep(0.08)
        started = time.perf_counter()
        client.notify("$/cancelRequest", {"id": number})
        client.answers.get(timeout=60)
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


def busy_at_rest(client: Client) -> float:
    """Processor time at rest, in percent of one core."""
    stat = Path(f"/proc/{client.process.pid}/stat")

    def ticks() -> int:
        fields = stat.read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    time.sleep(REST_S)
    return (ticks() - before) / REST_S  # a tick is a hundredth of a second


def main() -> None:
    """Measure and print."""
    starts: dict[str, list[float]] = {"bare": [], "ours": []}
    for _ in range(N_STARTS):
        starts["bare"].append(start_ms([sys.executable, "-c", BARE]))
        starts["ours"].append(start_ms(OURS))
    bare, ours = (statistics.median(starts[name]) for name in ("bare", "ours"))
    least = {name: min(times) for name, times in starts.items()}
    client = Client(OURS)
    client.initialize()
    rows = [
        ("spawn to initialize, bare pygls", bare, "ms"),
        ("spawn to initialize, dgemma-ls", ours, "ms"),
        ("  of the bare server's", ours / bare, "x"),
        ("at best, bare pygls", least["bare"], "ms"),
        ("at best, dgemma-ls", least["ours"], "ms"),
        ("key typed along a suggestion", typed_through_ms(client), "ms"),
        (f"change in {N_LINES:,} lines, through the pipe", change_ms(client), "ms"),
        ("cancelled suggestion answered after", cancel_ms(client), "ms"),
    ]
    time.sleep(2)
    rows.append(("processor time at rest", busy_at_rest(client), "%"))
    for name, value, unit in rows:
        print(f"{name:45} {value:8.2f} {unit}")
    client.process.kill()


if __name__ == "__main__":
    main()
