"""The program ``dgemma-ls``: the server without a subcommand, small tools with one.

Light by intent: ``--version`` and ``attach`` must not wait for torch or the protocol library, so
a command's module is imported when it is called.
"""

import argparse
import contextlib
import gc
import importlib
import io
import os
import sys
import traceback
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from dgemma_engine.errors import EngineError
from dgemma_ls.addresses import AddressError
from dgemma_ls.files import FileError
from dgemma_ls.loading import load_engine
from dgemma_ls.version import VERSION

if TYPE_CHECKING:
    from dgemma_ls.features.fill import Infiller

_BAD_INPUT = 2
_BUG = 70  # EX_SOFTWARE of sysexits.h
_INTERRUPTED = 130  # 128 + SIGINT, as the shell has it
_BROKEN_PIPE = 141  # 128 + SIGPIPE

_EPILOG = """\
an editor starts        dgemma-ls, or dgemma-ls attach to share one model with other editors
see that all is well    dgemma-ls doctor
try it on a file        dgemma-ls check FILE
help on one command     dgemma-ls COMMAND --help
"""


class _Command(Protocol):
    """What the module of a command has."""

    DESCRIPTION: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare its arguments."""

    def run(self, args: argparse.Namespace, *, load: "Callable[[str], Infiller]") -> int:
        """Do it; gives the exit code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A command's line in the help."""

    help: str
    module: str
    parses_itself: bool = False  # its module has a main(), and is heavy


_COMMANDS = {
    "attach": _Entry(help="serve this editor through a shared server", module="attach"),
    "serve": _Entry(help="be the shared server: one model for all editors", module="serve"),
    "doctor": _Entry(help="see whether everything that is needed is there", module="doctor"),
    "check": _Entry(help="try the server's work on a file, without an editor", module="check"),
    "fill": _Entry(help="fill a place in a file", module="fill"),
    "fix": _Entry(help="find and mend typos in files", module="fix"),
    "rewrite": _Entry(help="rewrite a selection of a file", module="rewrite"),
    "models": _Entry(help="list, fetch and verify models", module="models"),
    "replay": _Entry(help="repeat a recorded request", module="replay"),
    "bench": _Entry(help="measure speed and memory", module="bench", parses_itself=True),
    "eval": _Entry(
        help="measure how well the model does its work", module="evaluate", parses_itself=True
    ),
    "completion": _Entry(help="print the completion script of a shell", module="completion"),
}


def main(
    argv: Sequence[str] | None = None, *, load: "Callable[[str], Infiller]" = load_engine
) -> int:
    """Run the program and give its exit code; ``load`` makes the engine."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _tame_stdout()
    try:
        return _dispatch(arguments, load)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _drop_stdout()
        return _BROKEN_PIPE
    except Exception as err:  # noqa: BLE001 - a bug of ours ends in a clean exit, not mid-output
        if isinstance(err, _users_errors()):
            return _complain(str(err), _BAD_INPUT)
        traceback.print_exc()
        return _complain(f"unexpected {type(err).__name__}; please report the lines above", _BUG)


def build_parser(expanded: Collection[str] = tuple(_COMMANDS)) -> argparse.ArgumentParser:
    """Declare options and commands.

    Args:
        expanded: the commands whose own arguments are declared as well, which imports them.
    """
    parser = argparse.ArgumentParser(
        prog="dgemma-ls",
        description="Language server that fills code with DiffusionGemma, offline. "
        "Without a command it serves an editor on stdin and stdout.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"dgemma-ls {VERSION}")
    where = parser.add_argument_group(
        "where to serve",
        "Over a socket each connection is a session of its own, and all share one model.",
    ).add_mutually_exclusive_group()
    where.add_argument("--stdio", action="store_true", help="stdin and stdout (default)")
    where.add_argument("--tcp", metavar="HOST:PORT", help="a TCP port")
    where.add_argument("--ws", metavar="HOST:PORT", help="a WebSocket; needs dgemma-ls[ws]")
    where.add_argument("--socket", metavar="PATH", help="a Unix socket that only you can open")
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        help="with --tcp or --ws: let in only who brings the token in this file; "
        "needed where other machines can connect",
    )
    parser.add_argument("--log-file", metavar="FILE", help="write the server's log to this file")
    parser.add_argument("-v", "--verbose", action="store_true", help="log more")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for name, entry in _COMMANDS.items():
        if entry.parses_itself:
            commands.add_parser(name, help=entry.help, add_help=False)
            continue
        command = _import(entry) if name in expanded else None
        child = commands.add_parser(
            name,
            help=entry.help,
            description=command.DESCRIPTION if command else None,
            allow_abbrev=False,
        )
        if command:
            command.add_arguments(child)
    return parser


def _dispatch(arguments: list[str], load: "Callable[[str], Infiller]") -> int:
    first = _COMMANDS.get(arguments[0]) if arguments else None
    if first is not None and first.parses_itself:
        main_of_command = cast(Any, _import(first)).main
        options = {"load": load} if first.module == "evaluate" else {}
        return int(main_of_command(arguments[1:], **options))
    parser = build_parser(expanded=set(arguments) & set(_COMMANDS))
    args = parser.parse_args(arguments)
    if args.command is not None:
        command = _import(_COMMANDS[args.command])
        args.program = build_parser  # what completion describes
        code = command.run(args, load=load)
        sys.stdout.flush()  # a closed pipe shows here, not at exit where nobody catches it
        return code
    return _serve(args, parser)


def _serve(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if args.token_file is not None and not (args.tcp or args.ws):
        parser.error("--token-file goes with --tcp or --ws")
    if args.tcp or args.ws or args.socket:
        from dgemma_ls.commands.serve import serve_sockets

        return serve_sockets(args, version=VERSION)
    # Thousands of classes that stay: the collector would look through them 150 times meanwhile,
    # and through all of them again and again later.
    gc.disable()
    from dgemma_ls.server import serve_stdio

    gc.freeze()
    gc.enable()
    return serve_stdio(log_file=args.log_file, verbose=args.verbose)


def _import(entry: _Entry) -> _Command:
    module: Any = importlib.import_module(f"dgemma_ls.commands.{entry.module}")
    return cast(_Command, module)


def _users_errors() -> tuple[type[Exception], ...]:
    """What is not our fault; asked for when something has gone wrong, as it imports more."""
    from dgemma_ls.commands.arguments import InputError
    from dgemma_ls.daemon.attach import AttachError

    return (FileError, AddressError, AttachError, InputError, EngineError)


def _tame_stdout() -> None:
    """Keep line ends as they are, and let no character of a file fail in an odd locale."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace", newline="\n")


def _drop_stdout() -> None:
    """Point stdout at nothing, or Python complains once more when it flushes at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(sentence: str, code: int) -> int:
    print(f"dgemma-ls: error: {' '.join(sentence.split())}", file=sys.stderr)
    return code
