"""What a server process takes that somebody works with; a part of ``dgemma-ls bench``."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def server_memory_mib(model: str, text: str) -> float | None:
    """Give the resident memory of a server process that has answered one request.

    Args:
        model: its folder.
        text: of the document that is open.

    Returns:
        ``None`` where the system does not say.
    """
    if not Path("/proc/self/status").exists():
        return None
    with subprocess.Popen(
        [sys.executable, "-m", "dgemma_ls"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        client = _Client(server)
        client.request(
            "initialize", {"capabilities": {}, "initializationOptions": {"model": model}}
        )
        client.notify("initialized", {})
        document = {"uri": "file:///bench.py", "languageId": "python", "version": 1}
        client.notify("textDocument/didOpen", {"textDocument": document | {"text": text}})
        client.request(
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": document["uri"]},
                "position": {"line": 1000, "character": 0},
                "context": {"triggerKind": 1},
            },
        )
        status = Path(f"/proc/{server.pid}/status").read_text("utf-8")
        client.request("shutdown", None)
        client.notify("exit", None)
        server.wait(timeout=10)
    kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return kib / 1024


class _Client:
    """As much of a client as that needs."""

    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        assert server.stdin is not None
        assert server.stdout is not None
        self._to, self._from, self._next_id = server.stdin, server.stdout, 1

    def notify(self, method: str, params: object) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: object) -> object:
        request_id, self._next_id = self._next_id, self._next_id + 1
        self._send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        while (message := self._receive()).get("id") != request_id or "method" in message:
            pass
        return message.get("result")

    def _send(self, message: dict[str, object]) -> None:
        if message.get("params") is None:
            message.pop("params", None)
        body = json.dumps(message).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._to.flush()

    def _receive(self) -> dict[str, Any]:
        length = 0
        while line := self._from.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        message: dict[str, Any] = json.loads(self._from.read(length))
        return message
