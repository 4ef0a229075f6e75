"""``dgemma-ls serve``: the process that holds the weights for all of a user's editors.

Also what ``--tcp``, ``--ws`` and ``--socket`` do: the same sessions over an address of one's own.
"""

import argparse
import logging
import os
import re
import sys
import threading
from functools import partial
from pathlib import Path

from dgemma_ls import logs
from dgemma_ls.addresses import Address, SocketPath, parse_tcp, require_guard
from dgemma_ls.daemon.place import Place, check_socket_path, default_place
from dgemma_ls.files import FileError
from dgemma_ls.version import VERSION

DESCRIPTION = (
    "Hold one copy of the model for all editors of this user. `dgemma-ls attach` starts it when "
    "needed; run it by hand to see its log or to keep it from ending."
)

DEFAULT_IDLE_TIMEOUT_S = 600

_EXIT_PATIENCE_S = 0.5  # for the engine's current step
_MIN_TOKEN_CHARS = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``serve``."""
    add_place_arguments(parser)
    parser.add_argument("--log-file", metavar="FILE", help="log to this file, not to stderr")
    parser.add_argument("-v", "--verbose", action="store_true", help="log more")


def add_place_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``serve`` and ``attach`` have in common."""
    parser.add_argument(
        "--at",
        metavar="PATH",
        type=Path,
        help="the Unix socket to use, or a file that ends in .json and will name a port "
        "(default: one for this version in the user's runtime folder)",
    )
    parser.add_argument(
        "--idle-timeout",
        metavar="SECONDS",
        type=_seconds,
        default=DEFAULT_IDLE_TIMEOUT_S,
        help="end when no editor has been there for so long; 0 never ends "
        f"(default: {DEFAULT_IDLE_TIMEOUT_S})",
    )


def place_of(args: argparse.Namespace, version: str) -> Place:
    """Give the place that the arguments mean."""
    return default_place(version) if args.at is None else Place(path=args.at.absolute())


def run(args: argparse.Namespace, *, load: object = None) -> int:
    """Serve until idle, or until a signal.

    Raises:
        AddressError: if one cannot listen there, or somebody does already.
        FileError: if the log file cannot be opened.
    """
    from dgemma_ls.daemon.host import share

    _set_up_logs(args)
    version = VERSION
    engines = share(
        place_of(args, version), version=version, idle_timeout_s=args.idle_timeout or None
    )
    return _end(engines.close(_EXIT_PATIENCE_S))


def serve_sockets(args: argparse.Namespace, *, version: str) -> int:
    """Serve on the address that ``--tcp``, ``--ws`` or ``--socket`` names.

    Raises:
        AddressError: if it cannot be used, or is open to others without a token.
        FileError: if the log or token file cannot be read.
    """
    from dgemma_ls.engines import Engines
    from dgemma_ls.server import create_server, load_engine
    from dgemma_ls.transports import serve_streams
    from dgemma_ls.websocket import serve_websockets

    token = None if args.token_file is None else read_token(Path(args.token_file))
    tcp = parse_tcp(args.tcp or args.ws) if args.tcp or args.ws else None
    if tcp is not None:
        require_guard(tcp, token)
    _set_up_logs(args)
    engines = Engines(load_engine)
    create = partial(create_server, hire=engines.lease)
    if tcp is None:
        path = Path(args.socket).absolute()
        check_socket_path(path)
        serve_streams(SocketPath(path=path), create=create, version=version, ready=_announce)
    elif args.ws:
        serve_websockets(tcp, create=create, token=token, ready=_announce)
    else:
        serve_streams(tcp, create=create, version=version, token=token, ready=_announce)
    return _end(engines.close(_EXIT_PATIENCE_S))


def read_token(path: Path) -> str:
    """Read a secret from a file that only its owner can read.

    Raises:
        FileError: if it cannot be read, is too short, or others can read it.
    """
    try:
        token = path.read_text(encoding="utf-8").strip()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as err:
        reason = err.strerror if isinstance(err, OSError) else "not UTF-8 text"
        raise FileError(f"cannot read the token in {path}: {reason}") from err
    if sys.platform != "win32" and mode & 0o077:
        raise FileError(f"others can read the token in {path}; run chmod 600 on it")
    if not re.fullmatch(rf"[!-~]{{{_MIN_TOKEN_CHARS},1024}}", token):
        raise FileError(
            f"the token in {path} must be {_MIN_TOKEN_CHARS} visible ASCII characters or more; "
            "make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return token


def _announce(address: Address) -> None:
    print(f"dgemma-ls: listening on {address}", file=sys.stderr, flush=True)


def _set_up_logs(args: argparse.Namespace) -> None:
    try:
        logs.set_up(log_file=args.log_file, verbose=args.verbose)
    except OSError as err:
        raise FileError(
            f"cannot log to {args.log_file}: {err.strerror}; choose another file"
        ) from err


def _end(ended: bool) -> int:
    if not ended or threading.active_count() > 1:
        logging.shutdown()
        os._exit(0)  # a step in a kernel cannot be interrupted
    return 0


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,3})?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return float(text)
