"""Record the golden traces anew: ``python3 -m tests.e2e.record_traces [NAME…]``.

Between a scripted client and the real server around the fake engine stands the agent of
lsp-devtools, whose ``record`` writes what it sees. Look at the difference before it is committed.
"""

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .conftest import FAKE_SERVER, Wire
from .editor import NAMES, Editor
from .traces import Message, Trace, normalised, session, write

_DEVTOOLS = [sys.executable, "-c", "from lsp_devtools.cli import main; main()"]
_LAST_WORDS_S = 5.0  # until the agent has passed on all that it saw
_FORMAT = "{metadata[source]:message-source} {message:jsonl}"


def record(name: str, folder: Path) -> Trace:
    """Run a session through the agent and give what it saw, normalised."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    file = folder / f"{name}.txt"
    words = ["record", "--port", port, "--on-disconnect", "exit", "--to-file", str(file)]
    words += ["--format-message", _FORMAT]
    with subprocess.Popen([*_DEVTOOLS, *words], stdout=subprocess.DEVNULL) as recorder:
        wire = Wire([*_DEVTOOLS, "agent", "--port", port, "--", *FAKE_SERVER], folder / "stderr")
        try:
            session(Editor(wire, name))
            time.sleep(_LAST_WORDS_S)  # an agent without input drops what it still holds
            wire.hang_up()
            time.sleep(_LAST_WORDS_S)
        finally:
            wire.destroy()
            try:
                recorder.wait(_LAST_WORDS_S)
            except subprocess.TimeoutExpired:
                recorder.send_signal(signal.SIGINT)
    trace = normalised(_read(file))
    if not trace or trace[-1][1].get("method") != "exit":
        raise SystemExit(f"the recording of {name} has no end")
    return trace


def _read(file: Path) -> Trace:
    found = []
    for line in file.read_text("utf-8").splitlines():
        source, _, text = line.partition(" ")
        found.append((source.lower(), json.loads(text)))
    return _in_order(found)


def _in_order(trace: Trace) -> Trace:
    """Put each answer behind its request: the agent hands on the two directions separately."""
    asked: set[tuple[str, str | int]] = set()
    early: dict[tuple[str, str | int], Message] = {}
    found: Trace = []
    for side, message in trace:
        other = "server" if side == "client" else "client"
        if "method" not in message and (other, message["id"]) not in asked:
            early[other, message["id"]] = message
            continue
        found.append((side, message))
        if "method" in message and "id" in message:
            asked.add((side, message["id"]))
            if answer := early.pop((side, message["id"]), None):
                found.append((other, answer))
    return found


def main(names: list[str]) -> None:
    """Record the sessions of these editors, or of all."""
    for name in names or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            trace = record(name, Path(folder))
        write(name, trace)
        print(f"{name}: {len(trace)} messages")


if __name__ == "__main__":
    main(sys.argv[1:])
