"""Starts servers as an editor does, and keeps a trace of all that goes over the wire."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from .trace import check_trace

ROOT = Path(__file__).resolve().parents[2]
FAKE_SERVER = [sys.executable, str(Path(__file__).with_name("fake_server.py"))]
REAL_SERVER = [sys.executable, "-m", "dgemma_ls"]
PATIENCE_S = 60.0  # only reached when a test fails


def server_environment() -> dict[str, str]:
    """Give the environment in which the checkout's packages are found."""
    paths = [str(ROOT), str(ROOT / "engine")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def read_message(stream: BinaryIO) -> dict[str, Any] | None:
    """Read one message, strictly: a stray byte is an error; None at the end."""
    headers: dict[str, str] = {}
    while (line := stream.readline()) != b"\r\n":
        if not line and not headers:
            return None
        assert line.endswith(b"\r\n"), f"stray bytes: {line!r}"
        name, colon, value = line.decode("ascii").rstrip("\r\n").partition(": ")
        assert colon, f"stray bytes: {line!r}"
        assert name in ("Content-Length", "Content-Type"), f"stray bytes: {line!r}"
        headers[name] = value
    length = int(headers["Content-Length"])
    body = stream.read(length)
    assert len(body) == length, "the last message is cut short"
    message = json.loads(body)
    assert message["jsonrpc"] == "2.0"
    return message


def _hear_interrupts() -> None:
    """A shell that runs the tests in the background has SIGINT ignored, which is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Wire:
    """A client without a library: what it sends and gets is exactly what the test says."""

    def __init__(self, command: Sequence[str], stderr: Path) -> None:
        with stderr.open("wb") as file:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env=server_environment(),
                cwd=ROOT,
                preexec_fn=_hear_interrupts,
            )
        self.notifications: list[dict[str, Any]] = []
        self.replies: dict[str, Callable[[Any], Any]] = {}  # to the server's requests, by method
        self.trace: list[tuple[str, dict[str, Any]]] = []
        self._requests: list[int | str] = []
        self._answers: dict[int | str, dict[str, Any]] = {}
        self._error: BaseException | None = None
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            assert self.process.stdout is not None
            while (message := read_message(self.process.stdout)) is not None:
                with self._news:
                    self.trace.append(("in", message))
                    if "id" in message and "method" not in message:
                        self._answers[message["id"]] = message
                    else:
                        self.notifications.append(message)
                    self._news.notify_all()
                self._reply(message)
        except Exception as err:  # noqa: BLE001 - the waiting test raises it
            self._error = err
            with self._news:
                self._news.notify_all()

    def _reply(self, message: dict[str, Any]) -> None:
        if "id" in message and (make := self.replies.get(message.get("method", ""))):
            with contextlib.suppress(BrokenPipeError):
                self.send({"id": message["id"], "result": make(message.get("params"))})

    def send_bytes(self, data: bytes) -> None:
        assert self.process.stdin is not None
        with self._news:  # the reader sends as well
            self.process.stdin.write(data)
            self.process.stdin.flush()

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        with self._news:
            self.trace.append(("out", message))
            self.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"method": method, "params": params})

    def start(self, method: str, params: Any = None) -> int:
        """Send a request and give its id."""
        number = len(self._requests) + 1
        self._requests.append(number)
        self.send({"id": number, "method": method, "params": params})
        return number

    def answer(self, number: int | str) -> dict[str, Any]:
        """Wait for the answer to a request."""
        with self._news:
            there = self._news.wait_for(
                lambda: number in self._answers or self._error is not None, PATIENCE_S
            )
        if self._error is not None:
            raise self._error
        assert there, f"request {number} was not answered"
        return self._answers[number]

    def request(self, method: str, params: Any = None) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        return self.answer(self.start(method, params))

    def message(self, method: str, *, number: int = 1) -> dict[str, Any]:
        """Wait for the server's notification or request of this method, the first or a later one.

        Args:
            method: of the message.
            number: which one, from 1.
        """

        def found() -> list[dict[str, Any]]:
            return [note for note in self.notifications if note["method"] == method]

        with self._news:
            there = self._news.wait_for(
                lambda: len(found()) >= number or self._error is not None, PATIENCE_S
            )
        if self._error is not None:
            raise self._error
        assert there, f"no {method}, only {[note['method'] for note in self.notifications]}"
        return found()[number - 1]

    def initialize(
        self,
        options: Any = None,
        encoding: str = "utf-16",
        *,
        capabilities: dict[str, Any] | None = None,
        process_id: int | None = None,
    ) -> dict[str, Any]:
        general = {"general": {"positionEncodings": [encoding]}}
        answer = self.request(
            "initialize",
            {
                "processId": process_id,
                "rootUri": None,
                "capabilities": {**general, **(capabilities or {})},
            }
            | ({} if options is None else {"initializationOptions": options}),
        )
        self.notify("initialized", {})
        return answer["result"]

    def open(self, uri: str, text: str, language_id: str = "python") -> None:
        document = {"uri": uri, "languageId": language_id, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def type(self, uri: str, line: int, character: int, text: str, *, version: int) -> None:
        at = {"line": line, "character": character}
        change = {"range": {"start": at, "end": at}, "text": text}
        document = {"uri": uri, "version": version}
        self.notify(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [change]}
        )

    def start_inline(
        self,
        uri: str,
        line: int,
        character: int,
        *,
        kind: int = 1,
        version: int | None = None,
        **more: Any,
    ) -> int:
        document = {"uri": uri} | ({} if version is None else {"version": version})
        return self.start(
            "textDocument/inlineCompletion",
            {
                "textDocument": document,
                "position": {"line": line, "character": character},
                "context": {"triggerKind": kind},
                **more,
            },
        )

    def inline(self, uri: str, line: int, character: int) -> list[dict[str, Any]]:
        return self.answer(self.start_inline(uri, line, character))["result"]["items"]

    def hang_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def wait_for_exit(self, timeout_s: float = PATIENCE_S) -> int:
        return self.process.wait(timeout_s)

    def check_trace(self, *, unanswered: Sequence[int] = ()) -> None:
        """Hold that all bytes were protocol, in an order that the protocol allows."""
        self._reader.join(PATIENCE_S)
        if self._error is not None:
            raise self._error
        check_trace(self.trace, unanswered=unanswered)

    def leave(self) -> None:
        """Shut down properly, then check the trace."""
        assert self.request("shutdown")["result"] is None
        self.notify("exit")
        assert self.wait_for_exit() == 0
        self.check_trace()

    def destroy(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


@pytest.fixture
def stderr_file(tmp_path: Path) -> Path:
    return tmp_path / "stderr.txt"


@pytest.fixture
def start_server(stderr_file: Path) -> Iterator[Callable[..., Wire]]:
    """Give a function that starts a server, which is gone after the test whatever happens."""
    wires: list[Wire] = []

    def start(command: Sequence[str] = FAKE_SERVER) -> Wire:
        wires.append(Wire(command, stderr_file))
        return wires[-1]

    yield start
    for wire in wires:
        wire.destroy()


@pytest.fixture
def wire(start_server: Callable[..., Wire]) -> Wire:
    """Give a connection to the server with the fake engine, not yet initialized."""
    return start_server()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """Give one initialized server with the fake engine for the tests of a module that need no own.

    A test that asks it for suggestions takes a document of its own.
    """
    wire = Wire(FAKE_SERVER, tmp_path_factory.mktemp("shared") / "stderr.txt")
    try:
        wire.initialize()
        yield wire
        wire.leave()
    finally:
        wire.destroy()
