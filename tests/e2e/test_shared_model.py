"""The shared server as installed, with the embedded model: ``dgemma-ls attach`` twice."""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import REAL_SERVER, Wire
from .test_real_model import COLUMN, SOURCE, URI
from .test_shared import _holders

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets and signals"),
]


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a runtime folder whose path is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="dg-", dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    for lock in folder.rglob("*.host.lock"):
        for pid in _holders(lock):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder)


def test_two_editors_get_the_same_from_one_model_and_one_survives_the_other(
    start_server: Callable[..., Wire], runtime: Path
) -> None:
    attach = [*REAL_SERVER, "attach"]
    first, second = start_server(attach), start_server(attach)
    for wire in (first, second):
        wire.initialize(encoding="utf-16")
        wire.open(URI, SOURCE)
    items = [wire.inline(URI, 1, COLUMN + 1) for wire in (first, second)]
    assert items[0] == items[1]
    assert items[0], "the model had nothing to offer for a plain assignment"

    first.start_inline(URI, 1, COLUMN + 1)
    first.process.kill()

    assert second.inline(URI, 1, COLUMN + 1) == items[1]
    second.leave()
    (lock,) = runtime.rglob("*.host.lock")
    (pid,) = set(_holders(lock))
    assert "torch" in Path(f"/proc/{pid}/maps").read_text()
    log = lock.with_name(lock.name.replace(".host.lock", ".log")).read_text()
    assert log.count("model loaded") == 1
