"""A server that only notes what an editor says of itself: ``noting_server.py FILE``."""

import json
import sys
from pathlib import Path
from typing import Any


def read() -> dict[str, Any] | None:
    n_bytes = 0
    while (line := sys.stdin.buffer.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("ascii").partition(":")
        n_bytes = int(value) if name.lower() == "content-length" else n_bytes
    return json.loads(sys.stdin.buffer.read(n_bytes)) if n_bytes else None


def answer(number: int | str, result: Any) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": number, "result": result}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    sys.stdout.buffer.flush()


def main(file: Path) -> None:
    while (message := read()) is not None and message.get("method") != "exit":
        if message.get("method") == "initialize":
            params = message["params"]
            noted = {name: params.get(name) for name in ("clientInfo", "capabilities")}
            part = file.with_suffix(".part")
            part.write_text(json.dumps(noted, indent=1, sort_keys=True) + "\n", "utf-8")
            part.rename(file)
            answer(message["id"], {"capabilities": {"textDocumentSync": 2}})
        elif "method" in message and "id" in message:
            answer(message["id"], None)


if __name__ == "__main__":
    if "--version" in sys.argv:
        print("dgemma-ls 0.1.0")
    else:
        main(Path(sys.argv[1]))
