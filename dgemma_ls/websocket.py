"""Runs servers over WebSockets: one :class:`~dgemma_ls.server.DgemmaServer` per connection.

The package ``websockets`` is an extra; it is imported when somebody serves.
"""

import asyncio
import hmac
import logging
import os
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pygls.io_ import run_websocket

from dgemma_ls.addresses import AddressError, TcpAddress
from dgemma_ls.transports import Create, Ready, end_session, stop_event

log = logging.getLogger(__name__)

_MAX_MESSAGE_BYTES = 256 * 2**20


def serve_websockets(
    address: TcpAddress,
    *,
    create: Create,
    token: str | None = None,
    ready: Ready = lambda address: None,
) -> None:
    """Serve every client that connects to a WebSocket, until told to stop.

    Without a token a browser's page is refused, whatever it is: any web site may try to connect
    to localhost. The token comes as ``Authorization: Bearer`` or as ``?token=`` of the address.

    Args:
        address: where to listen.
        create: makes the server of one connection.
        token: what a client has to bring; ``None`` lets in who can connect.
        ready: called with the address in use, once clients can connect.

    Raises:
        AddressError: if one cannot listen there, or the package ``websockets`` is missing.
    """
    asyncio.run(_serve_websockets(address, create, token, ready))


async def _serve_websockets(
    address: TcpAddress, create: Create, token: str | None, ready: Ready
) -> None:
    try:
        from websockets.asyncio.server import serve
    except ImportError as err:
        raise AddressError("--ws needs one more package: pip install dgemma-ls[ws]") from err
    stop = stop_event()

    async def talk(connection: Any) -> None:
        server = create()
        server._stop_event = event = threading.Event()
        log.info("client connected over a websocket")
        try:
            await run_websocket(connection, event, server.protocol, log, server.report_server_error)
        finally:
            end_session(server)

    def admit(connection: Any, request: Any) -> Any:
        if token is not None and not _brings(request, token):
            log.warning("refused a websocket client: wrong or no token")
            return connection.respond(401, "wrong or no token\n")
        return None

    try:
        server = await serve(
            talk,
            address.host,
            address.port,
            process_request=admit,
            origins=[None] if token is None else None,
            max_size=_MAX_MESSAGE_BYTES,
        )
    except OSError as err:
        words = str(err) if err.errno is None else os.strerror(err.errno)
        raise AddressError(f"cannot listen on {address}: {words}; choose another") from err
    async with server:
        ready(TcpAddress(host=address.host, port=next(iter(server.sockets)).getsockname()[1]))
        await stop.wait()


def _brings(request: Any, token: str) -> bool:
    offered = parse_qs(urlsplit(request.path).query).get("token", [])
    offered += [request.headers.get("Authorization", "").removeprefix("Bearer ")]
    return any(hmac.compare_digest(value.encode(), token.encode()) for value in offered)
