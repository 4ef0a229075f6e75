"""A model hub on this machine that speaks as much of the Hugging Face layout as a fetch needs."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c" * 40
LARGE = ".safetensors"  # what a hub stores by its SHA-256


class Hub:
    """One repository ``owner/tiny``.

    Attributes:
        endpoint: its URL.
        asked: the paths that were asked for.
        files: what it holds.
        served: what it gives in place of a file, to play a hub that is broken.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.served: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.endpoint = ""

    def info(self) -> dict[str, object]:
        siblings = []
        for name, data in self.files.items():
            sibling: dict[str, object] = {"rfilename": name, "size": len(data)}
            sibling["blobId"] = hashlib.sha1(data).hexdigest()
            if name.endswith(LARGE):
                digest = hashlib.sha256(data).hexdigest()
                sibling["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 130}
            siblings.append(sibling)
        return {"id": "owner/tiny", "modelId": "owner/tiny", "sha": COMMIT, "siblings": siblings}


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    """Serve a hub on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            path = self.path.partition("?")[0]
            hub.asked.append(path)
            if path.startswith("/api/models/owner/tiny/tree/"):
                entries = [
                    {"type": "file", "path": name, "size": len(data), "oid": "0" * 40}
                    for name, data in hub.files.items()
                ]
                self.send(200, json.dumps(entries).encode(), {}, body=body)
            elif path.startswith("/api/models/owner/tiny"):
                self.send(200, json.dumps(hub.info()).encode(), {}, body=body)
            elif path.startswith(f"/owner/tiny/resolve/{COMMIT}/"):
                self.give(path.rsplit("/", 1)[1], body=body)
            else:
                self.send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body=body)

        def give(self, name: str, *, body: bool) -> None:
            data = hub.files[name]
            tag = hashlib.sha256(data) if name.endswith(LARGE) else hashlib.sha1(data)
            headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{tag.hexdigest()}"'}
            self.send(200, hub.served.get(name, data), headers, body=body)

        def send(self, status: int, data: bytes, headers: Mapping[str, str], *, body: bool) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
