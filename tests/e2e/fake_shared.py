"""The real shared server and the real ``attach``, around the fake engine.

``fake_shared.py attach|serve PATH VERSION IDLE_S``; ``attach`` starts ``serve`` with ``--at PATH``.
All connections share a journal: ``fake/journal`` of one editor tells what the engine did for all.
"""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

VERSION = "1.0"


def serve(path: Path, version: str, idle_s: float) -> int:
    from fake_server import FakeEngine

    from dgemma_ls import logs
    from dgemma_ls.daemon.host import share
    from dgemma_ls.daemon.place import Place
    from dgemma_ls.server import DgemmaServer, create_server
    from dgemma_ls.settings import Settings

    logs.set_up(log_file=None, verbose=True)
    if starts := os.environ.get("FAKE_STARTS"):
        with open(starts, "a", encoding="utf-8") as file:
            print(os.getpid(), file=file)
    time.sleep(float(os.environ.get("FAKE_SLOW_START_S", "0")))
    journal: list[str] = []

    def load(settings: Settings) -> FakeEngine:
        journal.append(f"load {settings.model} on {threading.current_thread().name}")
        return FakeEngine(journal, [])

    def create(**options: Any) -> DgemmaServer:
        server = create_server(load, **options)

        @server.feature("fake/journal")
        def read_journal(params: Any) -> list[str]:
            return journal

        @server.feature("fake/pid")
        def read_pid(params: Any) -> int:
            return os.getpid()

        return server

    engines = share(
        Place(path=path), version=version, idle_timeout_s=idle_s, load=load, create=create
    )
    engines.close(0.5)
    os._exit(0)


def attach(path: Path, version: str, idle_s: float) -> int:
    from dgemma_ls.daemon.attach import connect_or_start, forward
    from dgemma_ls.daemon.place import Place

    start = [sys.executable, __file__, "serve", str(path), version, str(idle_s)]
    own = path.with_name(f"own-{version}{path.suffix}")
    link = connect_or_start(
        Place(path=path), version=version, start=start, own_place=Place(path=own)
    )
    assert "torch" not in sys.modules
    assert "pygls" not in sys.modules
    os._exit(forward(link, sys.stdin.buffer, sys.stdout.buffer))


if __name__ == "__main__":
    # What `attach` appends, --at PATH, comes last and wins: the place may be another one.
    role, path, version, idle_s = sys.argv[1:5]
    sys.exit(
        {"serve": serve, "attach": attach}[role](
            Path(sys.argv[-1] if role == "serve" else path), version, float(idle_s)
        )
    )
