"""``dgemma-ls fill``: fill one span of one file and show it as a diff or JSON.

Walks the server's path without an editor: file → snapshot → engine → gate → edit.
"""

import argparse
import re

from dgemma_engine.types import InfillResult, Slot, SlotKind, Span
from dgemma_ls.commands.arguments import (
    EngineLoader,
    InputError,
    add_common,
    open_file,
    read_place,
    require_model,
    span_of,
)
from dgemma_ls.commands.outcome import conclude
from dgemma_ls.features.fill import Infiller, judge, lengths_around, prepare
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.loading import load_engine
from dgemma_ls.types import Snapshot

_CLOSED = r"""[^"'`]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`"""
_OPEN_STRING = re.compile(rf"""(?:{_CLOSED})*+(?P<quote>["'`])(?:(?!(?P=quote))[^\\]|\\.)*\\?""")
"""A line up to a place in a string: closed ones, then one that is not."""

DESCRIPTION = (
    "Fill a place in a file and print the change as a diff. Exit code 0: filled, 1: refused, "
    "because no candidate was fit to be shown, 2: bad input."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``fill``."""
    parser.add_argument("file", metavar="FILE", help="a UTF-8 text file")
    parser.add_argument(
        "--at",
        metavar="LINE:COLUMN",
        type=read_place,
        required=True,
        help="where to fill, from 1:1",
    )
    parser.add_argument(
        "--to", metavar="LINE:COLUMN", type=read_place, help="replace the text from --at up to here"
    )
    parser.add_argument(
        "--slot",
        metavar="KIND",
        choices=[kind.value for kind in SlotKind],
        help="what the place takes, where only that may stand there: "
        + ", ".join(kind.value for kind in SlotKind),
    )
    add_common(parser, verb="fill")


def run(args: argparse.Namespace, *, load: EngineLoader = load_engine) -> int:
    """Fill, show, and write if asked to.

    Returns:
        0 when filled, 1 when refused.

    Raises:
        FileError: if the file cannot be read or written.
        InputError: if the arguments do not fit the file or the model.
        EngineError: if the model cannot be loaded or cannot serve the request.
    """
    file, snapshot, lines = open_file(args.file)
    span = span_of(file, lines, args.at, args.to)
    slot = None if args.slot is None else _slot(SlotKind(args.slot), snapshot, span)
    require_model(args.model)
    check = GateCheck(snapshot, span)
    result = _infill(load(args.model), snapshot, span, args, check, slot)
    outcome = judge(snapshot, span, result, limit=args.candidates, check=check)
    return conclude(
        *(file, snapshot, lines, span, result, outcome),
        done="filled",
        as_json=args.json,
        write=args.write,
    )


def _infill(
    engine: Infiller,
    snapshot: Snapshot,
    span: Span,
    args: argparse.Namespace,
    check: GateCheck,
    slot: Slot | None,
) -> InfillResult:
    lengths = None
    if span.start < span.end:
        n_tokens = len(engine.tokenizer.encode(snapshot.text[span.start : span.end]))
        if n_tokens > engine.max_span_tokens:
            raise InputError(
                f"the span has {n_tokens} tokens, more than the model's canvas of "
                f"{engine.max_span_tokens}; choose a shorter one"
            )
        lengths = lengths_around(max(n_tokens, 1), engine.max_span_tokens)
    request = prepare(snapshot, span, lengths=lengths, check=check)
    return engine.infill(
        request.prefix,
        request.suffix,
        lengths=request.lengths,
        multiline=request.multiline,
        n_candidates=args.candidates,
        seed=args.seed,
        slot=slot,
        check=check,
    )


def _slot(kind: SlotKind, snapshot: Snapshot, span: Span) -> Slot:
    """Give the slot; the quotation mark of a string is the one that the line leaves open."""
    if kind is not SlotKind.STRING:
        return Slot(kind=kind)
    line = re.split(r"[\r\n]", snapshot.text[: span.start])[-1]
    match = _OPEN_STRING.fullmatch(line)
    if match is None:
        raise InputError("no string is open at this place of its line; leave out --slot")
    return Slot(kind=kind, quote=match["quote"])
