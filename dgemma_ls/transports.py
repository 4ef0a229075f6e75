"""Runs servers over TCP ports and Unix sockets: one server object per connection.

pygls' own ``start_tcp`` keeps one protocol state for all connections and ends with the first. All
connections share what ``create`` closes over, which is how they share an engine.
"""

import asyncio
import contextlib
import logging
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import Any, cast

from pygls.io_ import run_async

from dgemma_ls import greeting
from dgemma_ls.addresses import Address, AddressError, SocketPath, TcpAddress
from dgemma_ls.server import DgemmaServer

log = logging.getLogger(__name__)

Create = Callable[[], DgemmaServer]
Ready = Callable[[Address], None]
_Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_GREETING_PATIENCE_S = 10.0


def serve_streams(
    address: Address,
    *,
    create: Create,
    version: str,
    token: str | None = None,
    idle_timeout_s: float | None = None,
    ready: Ready = lambda address: None,
) -> None:
    """Serve every editor that connects to a TCP port or a Unix socket, until told to stop.

    Args:
        address: where to listen; a socket file that is there already is an error.
        create: makes the server of one connection.
        version: ours, for the greeting.
        token: what a client has to bring in its greeting; ``None`` lets in who can connect.
        idle_timeout_s: when to stop after the last editor has gone, or none has come.
        ready: called with the address in use, once clients can connect.

    Raises:
        AddressError: if one cannot listen there.
    """
    asyncio.run(_serve_streams(address, create, version, token, idle_timeout_s, ready))


class _Visits:
    """Counts connections, and tells when there has been none for so long."""

    def __init__(self, stop: asyncio.Event, idle_timeout_s: float | None) -> None:
        self._stop = stop
        self._idle_timeout_s = idle_timeout_s
        self._n_open = 0
        self._timer: asyncio.TimerHandle | None = None
        self._wait_for_next()

    def __enter__(self) -> None:
        self._n_open += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        log.info("editor connected: n_open=%d", self._n_open)

    def __exit__(self, *args: object) -> None:
        self._n_open -= 1
        log.info("editor gone: n_open=%d", self._n_open)
        if self._n_open == 0:
            self._wait_for_next()

    def _wait_for_next(self) -> None:
        if self._idle_timeout_s is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._idle_timeout_s, self._stop.set)


async def _serve_streams(
    address: Address,
    create: Create,
    version: str,
    token: str | None,
    idle_timeout_s: float | None,
    ready: Ready,
) -> None:
    stop = stop_event()
    visits = _Visits(stop, idle_timeout_s)
    talks: set[asyncio.Task[Any]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            with visits:
                await _talk(reader, writer, create, version, token)
        except asyncio.CancelledError:
            log.info("hung up, as this server stops")  # asyncio would log a cancelled talk
        finally:
            talks.discard(task)

    listener, bound = await _listen(address, talk)
    try:
        ready(bound)
        log.info("listening: version=%s pid=%d", version, os.getpid())
        await stop.wait()
    finally:
        # First nobody new can come: a client that finds no socket starts a server of its own.
        if isinstance(address, SocketPath):
            address.path.unlink(missing_ok=True)
        listener.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def _listen(address: Address, talk: _Talk) -> tuple[asyncio.Server, Address]:
    try:
        if isinstance(address, TcpAddress):
            server = await asyncio.start_server(talk, address.host, address.port)
            port = server.sockets[0].getsockname()[1]
            return server, TcpAddress(host=address.host, port=port)
        if os.path.lexists(address.path):
            raise AddressError(f"{address.path} exists; remove it or choose another path")
        mask = os.umask(0o177)  # the file is never, not for a moment, anybody else's to open
        try:
            return await asyncio.start_unix_server(talk, address.path), address
        finally:
            os.umask(mask)
    except OSError as err:
        # The system's own words alone, as asyncio's repeat the address.
        words = str(err) if err.errno is None else os.strerror(err.errno)
        raise AddressError(f"cannot listen on {address}: {words}; choose another") from err


async def _talk(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    create: Create,
    version: str,
    token: str | None,
) -> None:
    """Greet if the other side does, let in who may, then be a server until the end."""
    try:
        patience_s = None if token is None else _GREETING_PATIENCE_S
        line = await asyncio.wait_for(reader.readline(), patience_s)
        greeted = greeting.is_greeting(line)
        message = (greeting.read(line) if greeted else None) or {}
        if not greeting.token_fits(message, token):
            log.warning("refused a client: greeted=%s, wrong or no token", greeted)
            writer.write(greeting.refusal(version, "token") if greeted else b"")
            return
        if greeted:
            writer.write(greeting.welcome(version, os.getpid()))
        code = await _converse(create(), _Rewound(b"" if greeted else line, reader), writer)
        if greeted:
            writer.write(greeting.goodbye(code))
    except (ConnectionError, asyncio.IncompleteReadError, TimeoutError, ValueError) as err:
        # ValueError: a header line longer than asyncio's limit.
        log.info("connection lost: %s", type(err).__name__)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _converse(server: DgemmaServer, reader: Any, writer: Any) -> int:
    """Run one server over one connection; gives its exit code."""
    server._stop_event = stop = threading.Event()
    server.protocol.set_writer(writer)
    try:
        await run_async(stop, reader, server.protocol, log, server.report_server_error)
    finally:
        end_session(server)
    return int(cast(Any, server.protocol).exit_code)


def end_session(server: DgemmaServer) -> None:
    """End what lives as long as a connection; the shared engine goes on."""
    for task in server.background:
        task.cancel()
    if server.session is not None:
        server.session.shut_down(0.0)
    server.shutdown()


class _Rewound:
    """A reader that gives a line once more that was read already."""

    def __init__(self, line: bytes, reader: asyncio.StreamReader) -> None:
        self._line = line
        self._reader = reader

    async def readline(self) -> bytes:
        line, self._line = self._line, b""
        return line or await self._reader.readline()

    async def readexactly(self, n: int) -> bytes:
        return await self._reader.readexactly(n)


def stop_event() -> asyncio.Event:
    """Give an event that a signal sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # Windows: there Ctrl-C raises
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    return stop
