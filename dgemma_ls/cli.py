"""The program ``dgemma-ls``: the server without a subcommand, small tools with one.

Light by intent: ``--version`` must not wait for torch or the protocol library, so whatever is
heavy is imported where it is used.
"""

import argparse
import contextlib
import io
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from dgemma_engine.errors import EngineError
from dgemma_ls.commands import fill
from dgemma_ls.files import FileError
from dgemma_ls.loading import load_engine

_BAD_INPUT = 2
_BUG = 70  # EX_SOFTWARE of sysexits.h
_INTERRUPTED = 130  # 128 + SIGINT, as the shell has it
_BROKEN_PIPE = 141  # 128 + SIGPIPE


def main(argv: Sequence[str] | None = None, *, load: fill.EngineLoader = load_engine) -> int:
    """Run the program and give its exit code; ``load`` makes the engine."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _tame_stdout()
    try:
        return _dispatch(arguments, load)
    except (FileError, fill.InputError, EngineError) as err:
        return _complain(str(err), _BAD_INPUT)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _drop_stdout()
        return _BROKEN_PIPE
    except Exception as err:  # noqa: BLE001 - a bug of ours ends in a clean exit, not mid-output
        traceback.print_exc()
        return _complain(f"unexpected {type(err).__name__}; please report the lines above", _BUG)


def _dispatch(arguments: list[str], load: fill.EngineLoader) -> int:
    if arguments[:1] == ["bench"]:  # it declares its own arguments, and is heavy
        from dgemma_ls.commands.bench import main as bench

        return bench(arguments[1:])
    if arguments[:1] == ["eval"]:  # as bench
        from dgemma_ls.commands.evaluate import main as evaluate

        return evaluate(arguments[1:], load=load)
    args = _parser().parse_args(arguments)
    if args.command == "fill":
        code = fill.run(args, load=load)
        sys.stdout.flush()  # a closed pipe shows here, not at exit where nobody catches it
        return code
    from dgemma_ls.server import serve_stdio

    return serve_stdio(log_file=args.log_file, verbose=args.verbose)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dgemma-ls",
        description="Language server that fills code with DiffusionGemma, offline. "
        "Without a command it serves an editor on stdin and stdout.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"dgemma-ls {_version()}")
    parser.add_argument("--stdio", action="store_true", help="serve on stdin and stdout (default)")
    parser.add_argument("--log-file", metavar="FILE", help="write the server's log to this file")
    parser.add_argument("--verbose", action="store_true", help="log more")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    fill.add_arguments(
        commands.add_parser(
            "fill",
            help="fill a place in a file",
            description=fill.DESCRIPTION,
            allow_abbrev=False,
        )
    )
    commands.add_parser("bench", help="measure speed and memory", add_help=False)
    commands.add_parser("eval", help="measure how well the model does its work", add_help=False)
    return parser


def _version() -> str:
    try:
        return version("dgemma-ls")
    except PackageNotFoundError:
        return "(not installed)"


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
