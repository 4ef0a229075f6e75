"""The process that holds the weights: listens at a place until it has been idle for so long."""

import secrets
from collections.abc import Callable
from functools import partial

from filelock import FileLock, Timeout

from dgemma_ls.addresses import Address, AddressError, SocketPath, TcpAddress
from dgemma_ls.daemon.place import (
    Place,
    check_socket_path,
    make_private,
    write_endpoint,
)
from dgemma_ls.engines import Engines
from dgemma_ls.protocol import DgemmaServer, Load
from dgemma_ls.server import create_server, load_engine
from dgemma_ls.transports import serve_streams

_TAKEOVER_PATIENCE_S = 5.0  # for one that is just ending


def share(
    place: Place,
    *,
    version: str,
    idle_timeout_s: float | None,
    load: Load = load_engine,
    create: Callable[..., DgemmaServer] = create_server,
) -> Engines:
    """Serve all editors that come to a place, with one copy of the weights.

    Args:
        place: where to listen; its folder is made if need be.
        version: ours.
        idle_timeout_s: when to stop after the last editor has gone; ``None`` never stops.
        load: makes the engine; called on the engine thread.
        create: makes the server of one connection; gets ``hire``.

    Returns:
        After the end: the engines, for the caller to close.

    Raises:
        AddressError: if another process serves there, or nobody can.
    """
    make_private(place.path.parent)
    engines = Engines(load)
    lock = FileLock(place.host_lock, timeout=_TAKEOVER_PATIENCE_S, mode=0o600)
    try:
        lock.acquire()
    except Timeout as err:
        raise AddressError(f"a shared server runs at {place.path} already; use it") from err
    serve = partial(
        serve_streams,
        create=partial(create, hire=engines.lease),
        version=version,
        idle_timeout_s=idle_timeout_s,
    )
    try:
        # Who holds the lock knows that whoever left this file is dead.
        place.path.unlink(missing_ok=True)
        if place.has_port:
            _serve_port(place, serve)
        else:
            check_socket_path(place.path)
            serve(SocketPath(path=place.path))
    finally:
        place.path.unlink(missing_ok=True)
        lock.release()
    return engines


def _serve_port(place: Place, serve: Callable[..., None]) -> None:
    token = secrets.token_urlsafe(32)

    def publish(address: Address) -> None:
        assert isinstance(address, TcpAddress)
        write_endpoint(place, address, token)

    serve(TcpAddress(host="127.0.0.1", port=0), token=token, ready=publish)
