"""Several editors, one engine: real processes, a fake engine."""

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import PATIENCE_S, Wire, server_environment

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets and signals"),
]

SCRIPT = str(Path(__file__).with_name("fake_shared.py"))
URI = "file:///shared.py"
LOAD = "load embedded on dgemma-engine"


@pytest.fixture
def place() -> Iterator[Path]:
    """Give the path of a socket; a short one, as a socket needs, and nobody's after the test."""
    folder = Path(tempfile.mkdtemp(prefix="dg-", dir="/tmp"))
    yield folder / "run" / "x.sock"
    for lock in folder.rglob("*.host.lock"):
        for pid in _holders(lock):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder)


def _holders(lock: Path) -> list[int]:
    """The processes that have a file open (of Linux' /proc; elsewhere none are found)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if entry.readlink() == lock:
                found.append(int(entry.parts[2]))
    return found


def attach(place: Path, *, version: str = "1.0", idle_s: float = 60.0) -> list[str]:
    return [sys.executable, SCRIPT, "attach", str(place), version, str(idle_s)]


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def pid_of(wire: Wire) -> int:
    return int(wire.request("fake/pid", {})["result"])


def journal(wire: Wire) -> list[str]:
    return list(wire.request("fake/journal", {})["result"])


@pytest.fixture(params=["x.sock", "x.json"])
def any_place(place: Path, request: pytest.FixtureRequest) -> Path:
    """Give a place of either kind: a Unix socket, or a port with a token."""
    return place.with_name(request.param)


def test_two_editors_share_one_engine_and_one_process(
    start_server: Callable[..., Wire], any_place: Path
) -> None:
    first, second = start_server(attach(any_place)), start_server(attach(any_place))
    for wire in (first, second):
        wire.initialize()
        wire.open(URI, "x = \n")
        assert wire.inline(URI, 0, 4)[0]["insertText"] == "value"

    assert pid_of(first) == pid_of(second)
    assert journal(first).count(LOAD) == 1
    first.leave()
    second.leave()


def test_documents_of_one_editor_are_not_the_others(
    start_server: Callable[..., Wire], place: Path
) -> None:
    first, second = start_server(attach(place)), start_server(attach(place))
    first.initialize(encoding="utf-8")
    second.initialize(encoding="utf-32")
    first.open(URI, "x = \n")

    assert second.inline(URI, 0, 4) == []
    assert first.inline(URI, 0, 4) != []


def test_an_editor_that_is_killed_in_the_middle_of_a_request_leaves_the_other_answered(
    start_server: Callable[..., Wire], place: Path
) -> None:
    first, second = start_server(attach(place)), start_server(attach(place))
    for wire in (first, second):
        wire.initialize()
    first.open(URI, "slow = \n")
    second.open(URI, "x = \n")
    first.start_inline(URI, 0, 7)
    wait_until(lambda: "start slow = " in journal(second))
    first.process.kill()

    assert second.inline(URI, 0, 4)[0]["insertText"] == "value"
    assert "cancelled slow = " in journal(second)
    second.leave()


def test_it_ends_when_it_was_idle_for_so_long_and_takes_its_socket_along(
    start_server: Callable[..., Wire], place: Path
) -> None:
    wire = start_server(attach(place, idle_s=0.3))
    wire.initialize()
    pid = pid_of(wire)
    wire.leave()

    wait_until(lambda: not place.exists())
    wait_until(lambda: pid not in _holders(place.with_suffix(".host.lock")))


def test_while_an_editor_is_there_it_is_not_idle(
    start_server: Callable[..., Wire], place: Path
) -> None:
    staying, leaving = (start_server(attach(place, idle_s=0.2)) for _ in range(2))
    for wire in (staying, leaving):
        wire.initialize()
    leaving.leave()
    time.sleep(0.6)  # three idle timeouts

    assert pid_of(staying)
    staying.leave()


def test_editors_that_start_at_once_start_one_server(
    start_server: Callable[..., Wire], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = place.parent.with_name("starts")
    monkeypatch.setenv("FAKE_STARTS", str(starts))
    monkeypatch.setenv("FAKE_SLOW_START_S", "0.5")
    wires = [start_server(attach(place)) for _ in range(4)]
    for wire in wires:
        wire.initialize()

    (pid,) = {pid_of(wire) for wire in wires}
    assert starts.read_text().split() == [str(pid)]


def test_after_a_server_was_killed_the_next_editor_gets_a_new_one(
    start_server: Callable[..., Wire], place: Path
) -> None:
    first = start_server(attach(place))
    first.initialize()
    pid = pid_of(first)
    os.kill(pid, signal.SIGKILL)

    assert first.wait_for_exit() == 1  # which tells the editor to start it again
    assert place.exists()  # left behind, and no obstacle
    second = start_server(attach(place))
    second.initialize()
    assert pid_of(second) != pid
    second.leave()


def test_another_version_gets_a_server_of_its_own(
    start_server: Callable[..., Wire], place: Path
) -> None:
    old = start_server(attach(place))
    old.initialize()
    new = start_server(attach(place, version="2.0"))
    new.initialize()

    assert pid_of(old) != pid_of(new)
    assert place.with_name("own-2.0.sock").exists()
    old.leave()
    new.leave()


def test_its_files_are_its_owners_alone(start_server: Callable[..., Wire], any_place: Path) -> None:
    wire = start_server(attach(any_place))
    wire.initialize()
    files = list(any_place.parent.iterdir())

    assert any_place in files
    assert stat.S_IMODE(any_place.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.lstat().st_mode) for file in files} == {0o600}
    wire.leave()


def test_a_folder_that_others_can_enter_is_refused(
    start_server: Callable[..., Wire], place: Path, stderr_file: Path
) -> None:
    place.parent.mkdir(mode=0o755)
    place.parent.chmod(0o755)
    wire = start_server(attach(place))

    assert wire.wait_for_exit() == 1
    assert "others can enter" in stderr_file.read_text()


def test_a_socket_that_others_could_have_put_there_is_not_used(
    start_server: Callable[..., Wire], place: Path, stderr_file: Path
) -> None:
    place.parent.mkdir()
    place.parent.chmod(0o777)
    with socket.socket(socket.AF_UNIX) as trap:
        trap.bind(str(place))
        trap.listen()
        wire = start_server(attach(place))
        wire.hang_up()
        assert wire.wait_for_exit() == 1
        trap.settimeout(0.0)
        with pytest.raises(BlockingIOError):
            trap.accept()
    assert "others can enter" in stderr_file.read_text()


def test_a_port_without_its_token_is_closed(start_server: Callable[..., Wire], place: Path) -> None:
    port_file = place.with_suffix(".json")
    wire = start_server(attach(port_file))
    wire.initialize()
    where = json.loads(port_file.read_text())
    for said in (b'{"dgemma-ls": "1.0", "token": "guess"}\n', b"Content-Length: 2\r\n\r\n{}"):
        with socket.create_connection((where["host"], where["port"]), PATIENCE_S) as stranger:
            stranger.sendall(said)
            heard = stranger.makefile("rb").read()
        assert b"Content-Length" not in heard
        assert b"pid" not in heard
    wire.leave()


def test_an_editor_may_use_the_socket_without_attach(
    start_server: Callable[..., Wire], place: Path
) -> None:
    wire = start_server(attach(place))
    wire.initialize()
    body = b'{"jsonrpc":"2.0","id":1,"method":"textDocument/inlineCompletion","params":{}}'
    with socket.socket(socket.AF_UNIX) as direct:
        direct.settimeout(PATIENCE_S)
        direct.connect(str(place))
        direct.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        assert direct.recv(15) == b"Content-Length:"
    wire.leave()


def test_no_document_text_reaches_its_log(start_server: Callable[..., Wire], place: Path) -> None:
    wire = start_server(attach(place))
    wire.initialize()
    wire.open(URI, "hunter2_canary = boom\n")
    wire.answer(wire.start_inline(URI, 0, 21))
    wire.leave()

    log = place.with_suffix(".log").read_text()
    assert "editor connected: n_open=1" in log
    assert "hunter2" not in log


def test_one_that_cannot_start_is_told_in_a_sentence(place: Path) -> None:
    long = place.parent / ("d" * 100) / "x.sock"
    run = subprocess.run(
        [sys.executable, "-m", "dgemma_ls", "attach", "--at", str(long)],
        input=b"",
        capture_output=True,
        env=server_environment(),
        timeout=PATIENCE_S,
        check=False,
    )

    assert run.returncode == 2
    assert run.stdout == b""
    assert b"too long for a socket" in run.stderr
    assert run.stderr.count(b"\n") == 1
