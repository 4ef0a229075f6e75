"""Where a shared server listens, and the files around that place.

A place is a path. It is a Unix socket, or, where there are none, a file that names a port of this
machine and the token that one needs there. Both belong to the user alone.
"""

import hashlib
import json
import os
import socket
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from dgemma_ls.addresses import Address, AddressError, SocketPath, TcpAddress

_MAX_SOCKET_PATH_BYTES = 103  # macOS; Linux takes 107


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The path of a shared server; its other files lie beside it."""

    path: Path

    @property
    def has_port(self) -> bool:
        """Whether it stands for a port of this machine instead of a Unix socket."""
        return self.path.suffix == ".json"

    @property
    def start_lock(self) -> Path:
        """Held by the one who starts a server here."""
        return self.path.with_suffix(".start.lock")

    @property
    def host_lock(self) -> Path:
        """Held by the server as long as it lives."""
        return self.path.with_suffix(".host.lock")

    @property
    def log(self) -> Path:
        """What a server that ``attach`` started has to say."""
        return self.path.with_suffix(".log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What a client needs to connect."""

    address: Address
    token: str | None


def default_place(version: str, *, port: bool | None = None) -> Place:
    """Give the place that this installation shares with nobody else.

    Its name comes from the version, the interpreter and the package's folder, so that an older
    server that still runs after an upgrade is not found, and ends by itself when it is idle.

    Args:
        version: of this package.
        port: whether to use a port; ``None`` does so where there are no Unix sockets.
    """
    package = Path(__file__).resolve().parents[1]
    identity = "\0".join((version, os.path.realpath(sys.executable), str(package)))
    key = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    use_port = not _has_unix_sockets() if port is None else port
    return Place(path=_runtime_folder() / f"{key}.{'json' if use_port else 'sock'}")


def make_private(folder: Path) -> None:
    """Make a folder that only its owner can enter, or see that it is one.

    Raises:
        AddressError: if it is somebody else's, or others can enter it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as err:
        raise AddressError(f"cannot make the folder {folder}: {err.strerror}") from err
    check_private(folder)


def check_private(folder: Path) -> None:
    """See that nobody else can put a socket of theirs into a folder.

    Raises:
        AddressError: if it is somebody else's, or others can enter it.
    """
    try:
        state = folder.lstat()
    except OSError as err:
        raise AddressError(f"cannot look at the folder {folder}: {err.strerror}") from err
    if not stat.S_ISDIR(state.st_mode):
        raise AddressError(f"{folder} is no folder; remove it")
    if sys.platform != "win32":
        if state.st_uid != os.getuid():
            raise AddressError(f"{folder} belongs to somebody else; use a folder of your own")
        if state.st_mode & 0o077:
            raise AddressError(f"others can enter {folder}; use a folder of mode 700")


def check_socket_path(path: Path) -> None:
    """Refuse a path that no Unix socket can have.

    Raises:
        AddressError: in this case.
    """
    if not _has_unix_sockets():
        raise AddressError("this system has no Unix sockets; use a path that ends in .json")
    if len(os.fsencode(path)) > _MAX_SOCKET_PATH_BYTES:
        raise AddressError(
            f"{path} is too long for a socket ({_MAX_SOCKET_PATH_BYTES} bytes at most); "
            "set XDG_RUNTIME_DIR to a shorter folder"
        )


def read_endpoint(place: Place) -> Endpoint | None:
    """Say how to connect to a place; ``None`` if nobody has listened there, or its file is odd."""
    if not place.has_port:
        there = os.path.lexists(place.path)
        return Endpoint(address=SocketPath(path=place.path), token=None) if there else None
    try:
        value = json.loads(place.path.read_text(encoding="utf-8"))
        address = TcpAddress(host=str(value["host"]), port=int(value["port"]))
        return Endpoint(address=address, token=str(value["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_endpoint(place: Place, address: TcpAddress, token: str) -> None:
    """Publish a port and its token, all at once and for the owner alone."""
    new = place.path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"host": address.host, "port": address.port, "token": token}, file)
    new.replace(place.path)


def _runtime_folder() -> Path:
    """The user's own folder for such things; where there is none, one beside other users'."""
    if sys.platform == "win32":
        return user_cache_path("dgemma-ls", appauthor=False) / "run"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and Path(runtime).is_dir():
        return Path(runtime) / "dgemma-ls"
    # In a folder with the sticky bit nobody else can replace it, and check_private() looks.
    return Path(tempfile.gettempdir()) / f"dgemma-ls-{os.getuid()}"


def _has_unix_sockets() -> bool:
    return hasattr(socket, "AF_UNIX") and sys.platform != "win32"
