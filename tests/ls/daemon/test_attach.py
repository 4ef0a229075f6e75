"""The forwarder against servers that misbehave; the good ones are in tests/e2e/test_shared.py."""

import io
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls import greeting
from dgemma_ls.addresses import SocketPath
from dgemma_ls.daemon.attach import (
    AttachError,
    Link,
    OtherVersion,
    connect,
    connect_or_start,
    forward,
)
from dgemma_ls.daemon.place import Endpoint, Place

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")

PATIENCE_S = 30.0  # only reached when a test fails


def message(body: bytes) -> bytes:
    return b"Content-Length: %d\r\nContent-Type: x\r\n\r\n%s" % (len(body), body)


def forwarded(said: bytes, typed: bytes = b"") -> tuple[int, bytes, bytes]:
    """Give exit code, what the editor got and what the server got, of a server that says this."""
    ours, theirs = socket.socketpair()
    reading, writing = os.pipe()
    heard: list[bytes] = []

    def serve() -> None:
        # The editor hangs up only after it has got everything, so the server ends first.
        theirs.sendall(said)
        theirs.shutdown(socket.SHUT_WR)
        while chunk := theirs.recv(65_536):
            heard.append(chunk)

    thread = threading.Thread(target=serve)
    thread.start()
    out = io.BytesIO()
    with ours, theirs, open(reading, "rb", buffering=0) as stdin:  # type: ignore[assignment]
        os.write(writing, typed)
        code = forward(Link(socket=ours, reader=ours.makefile("rb"), pid=1), stdin, out)
        os.close(writing)
        thread.join(PATIENCE_S)
    return code, out.getvalue(), b"".join(heard)


@given(st.lists(st.binary(max_size=200), max_size=5), st.integers(0, 3))
def test_whole_messages_pass_unchanged_and_the_goodbye_does_not(
    bodies: list[bytes], code: int
) -> None:
    said = b"".join(map(message, bodies))

    assert forwarded(said + greeting.goodbye(code))[:2] == (code, said)


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=3), st.data())
def test_of_a_server_that_dies_the_editor_gets_no_half_message(
    bodies: list[bytes], data: st.DataObject
) -> None:
    messages = list(map(message, bodies))
    said = b"".join(messages)
    cut = data.draw(st.integers(0, len(said) - 1))
    code, got, _heard = forwarded(said[:cut])

    assert code == 1
    assert got in [b"".join(messages[:n]) for n in range(len(messages))]
    assert said[:cut].startswith(got)


def test_what_the_editor_says_arrives_as_it_is() -> None:
    typed = b"Content-Length: 3\r\n\r\n\x00\xff{"

    assert forwarded(b"", typed)[2] == typed


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[[bytes | None], Endpoint]]:
    """Give a function that serves one connection, which is told this after its greeting."""
    path = tmp_path / "s"
    listener = socket.socket(socket.AF_UNIX)
    threads: list[threading.Thread] = []

    def start(answer: bytes | None) -> Endpoint:
        # A long temporary folder would make too long a path, so from inside it.
        os.chdir(tmp_path)
        listener.bind("s")
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                line = connection.makefile("rb").readline()
                assert greeting.is_greeting(line)
                connection.sendall(answer or b"")

        threads.append(threading.Thread(target=serve, daemon=True))
        threads[-1].start()
        return Endpoint(address=SocketPath(path=Path("s")), token="t")

    before = Path.cwd()
    yield start
    os.chdir(before)
    listener.close()
    for thread in threads:
        thread.join(PATIENCE_S)
    path.unlink(missing_ok=True)


def test_a_server_that_greets_is_a_link(serving: Callable[[bytes], Endpoint]) -> None:
    link = connect(serving(greeting.welcome("1.0", 42)), "1.0")

    assert isinstance(link, Link)
    assert link.pid == 42
    link.socket.close()


def test_another_version_is_named(serving: Callable[[bytes], Endpoint]) -> None:
    found = connect(serving(greeting.welcome("0.9", 42)), "1.0")

    assert found == OtherVersion(version="0.9")


@pytest.mark.parametrize("answer", [b"", b"\n", b"{}\n", b"[]\n", b"HTTP/1.1 400\r\n", b"x" * 9999])
def test_who_does_not_greet_is_nobody(serving: Callable[[bytes], Endpoint], answer: bytes) -> None:
    assert connect(serving(answer), "1.0") is None


def test_a_refusal_is_told(serving: Callable[[bytes], Endpoint]) -> None:
    with pytest.raises(AttachError, match="check the token"):
        connect(serving(greeting.refusal("1.0", "token")), "1.0")


def test_where_nobody_is_there_is_no_link(tmp_path: Path) -> None:
    endpoint = Endpoint(address=SocketPath(path=tmp_path / "none"), token=None)

    assert connect(endpoint, "1.0") is None


def test_the_last_line_of_a_server_that_does_not_start_is_told(tmp_path: Path) -> None:
    place = Place(path=tmp_path / "private" / "x.json")
    fail = "import sys; print('first', flush=True); sys.exit('it has no heart')"

    with pytest.raises(AttachError, match="did not start: it has no heart"):
        connect_or_start(place, version="1.0", start=[sys.executable, "-c", fail])
