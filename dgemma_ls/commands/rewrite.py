"""``dgemma-ls rewrite``: rewrite a selection of a file and show it as a diff or JSON."""

import argparse

from dgemma_ls.commands.arguments import (
    EngineLoader,
    InputError,
    add_common,
    open_file,
    read_count,
    read_place,
    require_model,
    span_of,
)
from dgemma_ls.commands.outcome import conclude
from dgemma_ls.features import rewrite
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.features.rewrite import Wish
from dgemma_ls.loading import load_engine

DESCRIPTION = (
    "Rewrite a selection of a file and print the change as a diff. Exit code 0: rewritten, "
    "1: refused, because nothing else was fit to be shown, 2: bad input."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``rewrite``."""
    parser.add_argument("file", metavar="FILE", help="a UTF-8 text file")
    parser.add_argument(
        "--at",
        metavar="LINE:COLUMN",
        type=read_place,
        required=True,
        help="where the selection begins, from 1:1",
    )
    parser.add_argument(
        "--to", metavar="LINE:COLUMN", type=read_place, required=True, help="where it ends"
    )
    parser.add_argument(
        "--strength",
        metavar="S",
        type=_strength,
        default=rewrite.DEFAULT_STRENGTH,
        help="share of its tokens that are noised: 0.15 mends, 0.4 polishes, 0.7 rewrites, "
        f"1 replaces (default: {rewrite.DEFAULT_STRENGTH})",
    )
    parser.add_argument(
        "--max-changed", metavar="N", type=read_count, help="most tokens that may change"
    )
    parser.add_argument(
        "--instruction",
        metavar="TEXT",
        default="",
        help="what to do, in words; for models that follow instructions",
    )
    add_common(parser, verb="rewrite")


def run(args: argparse.Namespace, *, load: EngineLoader = load_engine) -> int:
    """Rewrite, show, and write if asked to.

    Returns:
        0 when rewritten, 1 when refused.

    Raises:
        FileError: if the file cannot be read or written.
        InputError: if the arguments do not fit the file.
        EngineError: if the model cannot be loaded or cannot serve the request.
    """
    file, snapshot, lines = open_file(args.file)
    span = span_of(file, lines, args.at, args.to)
    if not snapshot.text[span.start : span.end].strip():
        raise InputError(
            f"{file.path}: from {args.at} to {args.to} there is no text to rewrite; choose another"
            " selection"
        )
    require_model(args.model)
    wish = Wish(strength=args.strength, instruction=args.instruction, max_changed=args.max_changed)
    request = rewrite.prepare(snapshot, span, wish)
    check = GateCheck(snapshot, request.span)
    result = rewrite.ask(
        load(args.model), request, check=check, n_candidates=args.candidates, seed=args.seed
    )
    outcome = rewrite.finish(snapshot, request, result, limit=args.candidates, check=check)
    return conclude(
        *(file, snapshot, lines, request.span, result, outcome),
        done="rewritten",
        as_json=args.json,
        write=args.write,
    )


def _strength(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and at most 1")
    return value
