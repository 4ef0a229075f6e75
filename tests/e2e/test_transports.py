"""``--tcp``, ``--ws`` and ``--socket``: the real program, several clients at once."""

import asyncio
import json
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import PATIENCE_S, ROOT, Wire, read_message, server_environment

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets and signals"),
]

TOKEN = "0123456789abcdef-a-secret"


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[subprocess.Popen[bytes], str]]]:
    """Give a function that starts the program and returns it with the address it listens on."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> tuple[subprocess.Popen[bytes], str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dgemma_ls", *options],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=server_environment(),
            cwd=ROOT,
        )
        running.append(process)
        assert process.stderr is not None
        for line in process.stderr:
            before, found, address = line.decode().rstrip().partition("listening on ")
            if found and before == "dgemma-ls: ":
                return process, address
        raise AssertionError("it never listened")

    yield start
    for process in running:
        process.kill()
        process.wait(PATIENCE_S)
        assert process.stderr is not None
        process.stderr.close()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


def initialize_request() -> dict[str, Any]:
    params = {"processId": None, "rootUri": None, "capabilities": {}}
    return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}


def framed(message: dict[str, Any]) -> bytes:
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def connect_tcp(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), PATIENCE_S)


def server_name(connection: socket.socket) -> str:
    connection.sendall(framed(initialize_request()))
    answer = read_message(connection.makefile("rb"))
    assert answer is not None
    return str(answer["result"]["serverInfo"]["name"])


def test_over_tcp_each_connection_is_a_session_of_its_own(serve: Callable[..., Any]) -> None:
    process, address = serve("--tcp", "127.0.0.1:0")
    with connect_tcp(address) as first, connect_tcp(address) as second:
        # Of one session, the second initialize would be refused.
        assert server_name(first) == "dgemma-ls"
        assert server_name(second) == "dgemma-ls"
    with connect_tcp(address) as third:  # it outlives its clients
        assert server_name(third) == "dgemma-ls"
    process.terminate()
    assert process.wait(PATIENCE_S) == 0


def test_a_unix_socket_is_its_owners_and_goes_with_the_process(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "s"
    process, address = serve("--socket", str(path))
    assert address == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(str(path))
        assert server_name(connection) == "dgemma-ls"
    process.terminate()
    assert process.wait(PATIENCE_S) == 0
    assert not path.exists()


def test_bytes_that_are_no_protocol_end_their_connection_only(serve: Callable[..., Any]) -> None:
    _process, address = serve("--tcp", "127.0.0.1:0")
    for rubbish in (b"x" * 200_000, b'{"dgemma-ls"\n', b"\n\n", b"Content-Length: 99\r\n\r\n{"):
        with connect_tcp(address) as connection:
            connection.sendall(rubbish)
            connection.shutdown(socket.SHUT_WR)
    with connect_tcp(address) as connection:
        assert server_name(connection) == "dgemma-ls"


@pytest.mark.parametrize("option", ["--tcp", "--ws"])
def test_an_open_address_without_a_token_is_refused(option: str) -> None:
    run = program(option, "0.0.0.0:0")

    assert run.returncode == 2
    assert b"other machines can reach 0.0.0.0:0; add --token-file" in run.stderr


def test_a_token_that_others_can_read_is_refused(token_file: Path) -> None:
    token_file.chmod(0o644)
    run = program("--tcp", "127.0.0.1:0", "--token-file", str(token_file))

    assert run.returncode == 2
    assert b"others can read the token" in run.stderr


def program(*options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "dgemma_ls", *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=server_environment(),
        timeout=PATIENCE_S,
        check=False,
    )


def test_attach_brings_the_token_to_a_remote_server(
    serve: Callable[..., Any], start_server: Callable[..., Wire], token_file: Path
) -> None:
    _process, address = serve("--tcp", "127.0.0.1:0", "--token-file", str(token_file))
    attach = [sys.executable, "-m", "dgemma_ls", "attach", "--remote", address]
    wire = start_server([*attach, "--token-file", str(token_file)])
    wire.initialize()
    wire.leave()

    without = start_server(attach)
    assert without.wait_for_exit() == 2
    with connect_tcp(address) as stranger:
        stranger.sendall(framed(initialize_request()))
        assert stranger.makefile("rb").read() == b""


def test_a_websocket_takes_a_client_with_the_token_and_no_browser_without(
    serve: Callable[..., Any], token_file: Path
) -> None:
    pytest.importorskip("websockets")
    _process, guarded = serve("--ws", "127.0.0.1:0", "--token-file", str(token_file))
    _process, plain = serve("--ws", "127.0.0.1:0")
    answers = asyncio.run(_try_websockets(guarded, plain))

    assert answers == ["dgemma-ls", "dgemma-ls", "refused", "dgemma-ls", "refused"]


async def _try_websockets(guarded: str, plain: str) -> list[str]:
    from websockets.asyncio.client import connect
    from websockets.exceptions import InvalidStatus

    bearer = {"Authorization": f"Bearer {TOKEN}"}
    page = "https://evil.example"
    attempts: list[tuple[str, dict[str, Any]]] = [
        (f"ws://{guarded}/?token={TOKEN}", {}),
        (f"ws://{guarded}/", {"additional_headers": bearer, "origin": page}),
        (f"ws://{guarded}/?token=guess", {}),
        (f"ws://{plain}/", {}),
        (f"ws://{plain}/", {"origin": page}),
    ]
    found = []
    for address, options in attempts:
        try:
            async with connect(address, proxy=None, **options) as connection:
                await connection.send(json.dumps(initialize_request()))
                answer = json.loads(await connection.recv())
                found.append(str(answer["result"]["serverInfo"]["name"]))
        except InvalidStatus:
            found.append("refused")
    return found
