"""``dgemma-ls attach``: what an editor starts in place of a server of its own."""

import argparse
import os
import sys

from dgemma_ls.addresses import parse_tcp
from dgemma_ls.daemon.attach import AttachError, Link, connect, connect_or_start, forward
from dgemma_ls.daemon.place import Endpoint, default_place
from dgemma_ls.version import VERSION

DESCRIPTION = (
    "Serve this editor on stdin and stdout through the shared server, which is started if it does "
    "not run. All editors of a user then use one copy of the model."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``attach``."""
    from dgemma_ls.commands.serve import add_place_arguments

    add_place_arguments(parser)
    parser.add_argument("--stdio", action="store_true", help="as always; some editors add it")
    parser.add_argument(
        "--remote",
        metavar="HOST:PORT",
        help="use a server that runs with --tcp, also on another machine; none is started",
    )
    parser.add_argument(
        "--token-file", metavar="FILE", help="with --remote: the file with its token"
    )


def run(args: argparse.Namespace, *, load: object = None) -> int:
    """Forward until the editor or the server ends.

    Raises:
        AddressError: if the address cannot be read.
        AttachError: if there is no server and none can be started.
        FileError: if the token cannot be read.
    """
    version = VERSION
    link = _remote(args, version) if args.remote else _local(args, version)
    code = forward(link, sys.stdin.buffer, sys.stdout.buffer)
    sys.stdout.flush()
    os._exit(code)  # a thread may hang in a read of stdin


def _local(args: argparse.Namespace, version: str) -> Link:
    from dgemma_ls.commands.serve import place_of

    start = [sys.executable, "-m", "dgemma_ls", "serve", "--idle-timeout", f"{args.idle_timeout:g}"]
    return connect_or_start(
        place_of(args, version), version=version, start=start, own_place=default_place(version)
    )


def _remote(args: argparse.Namespace, version: str) -> Link:
    from pathlib import Path

    from dgemma_ls.commands.serve import read_token

    token = None if args.token_file is None else read_token(Path(args.token_file))
    link = connect(Endpoint(address=parse_tcp(args.remote), token=token), version)
    if link is None:
        raise AttachError(f"no dgemma-ls answers at {args.remote}; start it there with --tcp")
    if isinstance(link, Link):
        return link
    raise AttachError(
        f"the server at {args.remote} is of version {link.version}, we are {version}; "
        "install the same version on both sides"
    )
