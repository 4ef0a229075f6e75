"""Stands between one editor and the shared server: forwards bytes, and starts it when absent.

Light by intent, one runs beside every editor: it imports neither torch nor the protocol library,
and looks into no message. From the server it forwards whole messages only, so that an editor
never gets half a one when the server dies.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from dgemma_ls import greeting
from dgemma_ls.addresses import TcpAddress
from dgemma_ls.daemon.place import Endpoint, Place, check_private, make_private, read_endpoint

_GREETING_PATIENCE_S = 5.0
_START_PATIENCE_S = 60.0  # of a process without torch: seconds, even on a busy machine
_POLL_S = 0.02
_END_PATIENCE_S = 1.5  # for the last answers after the editor hung up
_CHUNK_BYTES = 65_536


class AttachError(Exception):
    """There is no server to talk to; the message is one sentence with the way out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Link:
    """A connection to a server that has greeted back.

    Attributes:
        socket: for writing; timeouts are off.
        reader: what the server says.
        pid: the server's process.
    """

    socket: socket.socket
    reader: BinaryIO
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherVersion:
    """Somebody is there, but of another version."""

    version: str


def connect(endpoint: Endpoint, version: str) -> Link | OtherVersion | None:
    """Connect and greet.

    Returns:
        ``None`` if nobody is there, or who is there does not greet as ours do.

    Raises:
        AttachError: if the server wants another token.
    """
    try:
        connection = _open(endpoint)
    except OSError:
        return None
    link = None
    try:
        connection.settimeout(_GREETING_PATIENCE_S)
        connection.sendall(greeting.hello(version, endpoint.token))
        reader = connection.makefile("rb")
        message = greeting.read(reader.readline(greeting.MAX_LINE_BYTES)) or {}
        theirs, pid = greeting.version_of(message), message.get("pid")
        if "refused" in message:
            raise AttachError(f"the server at {endpoint.address} refuses us; check the token")
        if theirs is not None and theirs != version:
            return OtherVersion(version=theirs)
        if theirs is not None and isinstance(pid, int):
            connection.settimeout(None)
            link = Link(socket=connection, reader=reader, pid=pid)
        return link
    except OSError:
        return None
    finally:
        if link is None:
            connection.close()


def connect_or_start(
    place: Place,
    *,
    version: str,
    start: Sequence[str],
    own_place: Place | None = None,
) -> Link:
    """Connect to the server of a place; start one if nobody is there.

    Any number of callers may do so at once: one of them starts it.

    Args:
        place: where to look.
        version: ours.
        start: the command that serves there; it gets ``--at PATH`` at its end.
        own_place: where to go if the server at ``place`` is of another version.

    Raises:
        AttachError: if none can be started.
    """
    link = _try(place, version) or _start_once(place, version, start)
    if isinstance(link, Link):
        return link
    if own_place is None or own_place == place:
        raise AttachError(
            f"the server at {place.path} is of version {link.version}, we are {version}; "
            "end it, or leave out --at"
        )
    return connect_or_start(own_place, version=version, start=start)


def forward(link: Link, stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Be the editor's server until one side ends.

    Returns:
        The exit code that the server gives, 1 if it is gone without.
    """
    hung_up = threading.Event()

    def send() -> None:
        with contextlib.suppress(OSError, ValueError):
            while chunk := os.read(stdin.fileno(), _CHUNK_BYTES):
                link.socket.sendall(chunk)
        hung_up.set()
        with contextlib.suppress(OSError):
            link.socket.shutdown(socket.SHUT_WR)
        time.sleep(_END_PATIENCE_S)  # a daemon thread: when all is well the process ends first
        with contextlib.suppress(OSError):
            link.socket.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=send, name="editor", daemon=True).start()
    try:
        return _copy_messages(link.reader, stdout)
    except BrokenPipeError:  # the editor is gone
        return 1
    except OSError:
        return 1


def _copy_messages(reader: BinaryIO, stdout: BinaryIO) -> int:
    while line := reader.readline(_CHUNK_BYTES):
        if greeting.is_greeting(line):
            code = (greeting.read(line) or {}).get("exit")
            return code if isinstance(code, int) else 1
        message = _rest_of_message(line, reader)
        if message is None:
            return 1
        stdout.write(message)
        stdout.flush()
    return 1


def _rest_of_message(line: bytes, reader: BinaryIO) -> bytes | None:
    """Read a message whose first header line is there; ``None`` if it is cut short."""
    headers, n_bytes = [line], 0
    while line != b"\r\n":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and value.strip().isdigit():
            n_bytes = int(value)
        line = reader.readline(_CHUNK_BYTES)
        if not line.endswith(b"\n"):
            return None
        headers.append(line)
    body = reader.read(n_bytes)
    return b"".join(headers) + body if len(body) == n_bytes else None


def _open(endpoint: Endpoint) -> socket.socket:
    address = endpoint.address
    if isinstance(address, TcpAddress):
        return socket.create_connection((address.host, address.port), _GREETING_PATIENCE_S)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(_GREETING_PATIENCE_S)
        connection.connect(str(address.path))
    except OSError:
        connection.close()
        raise
    return connection


def _try(place: Place, version: str) -> Link | OtherVersion | None:
    endpoint = read_endpoint(place)
    if endpoint is None:
        return None
    check_private(place.path.parent)  # or documents could go to somebody else's server
    return connect(endpoint, version)


def _start_once(place: Place, version: str, start: Sequence[str]) -> Link | OtherVersion:
    """Start a server unless another caller was faster."""
    make_private(place.path.parent)
    try:
        with FileLock(place.start_lock, timeout=_START_PATIENCE_S, mode=0o600):
            command = [*start, "--at", str(place.path)]
            return _try(place, version) or _start(place, version, command)
    except Timeout as err:
        raise AttachError(f"another process holds {place.start_lock}; end it") from err


def _start(place: Place, version: str, command: Sequence[str]) -> Link | OtherVersion:
    """Start a server that outlives us, and wait until it greets."""
    process = _spawn(command, place.log)
    deadline = time.monotonic() + _START_PATIENCE_S
    while time.monotonic() < deadline:
        link = _try(place, version)
        if link is not None:
            return link
        if process.poll() is not None:
            raise AttachError(f"the shared server did not start: {_last_line(place.log)}")
        time.sleep(_POLL_S)
    process.kill()
    raise AttachError(f"the shared server does not answer; {place.log} has the details")


def _spawn(command: Sequence[str], log: Path) -> "subprocess.Popen[bytes]":
    def private(path: str, flags: int) -> int:
        return os.open(path, flags, 0o600)

    with open(log, "wb", opener=private) as file:
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, creationflags=flags
            )
        # A session of its own: what the editor's terminal sends its processes is not for it.
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            cwd="/",
        )


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), f"{log} is empty")
