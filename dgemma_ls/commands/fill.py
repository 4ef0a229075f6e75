"""``dgemma-ls fill``: fill one span of one file and show it as a diff or JSON.

Walks the server's path without an editor: file → snapshot → engine → gate → edit.
"""

import argparse
import difflib
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from dgemma_engine.types import InfillResult, Span
from dgemma_ls.features.fill import Infiller, Proposal, judge, lengths_around, prepare
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.files import TextFile, read_text, write_text
from dgemma_ls.loading import EMBEDDED, load_engine
from dgemma_ls.positions import LineIndex, PositionEncoding
from dgemma_ls.syntax import language_for_path
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot

EngineLoader = Callable[[str], Infiller]

DESCRIPTION = (
    "Fill a place in a file and print the change as a diff. Exit code 0: filled, 1: refused, "
    "because no candidate was fit to be shown, 2: bad input."
)

_REFUSALS = {
    RefusalReason.NO_CANDIDATE: "the model had nothing to offer",
    RefusalReason.BREAKS_PARSE: "every candidate would add a syntax error",
    RefusalReason.EMPTY: "the model would change nothing",
    RefusalReason.REPEATS_SUFFIX: "the model only repeats what follows",
    RefusalReason.STALE: "the file changed meanwhile",
    RefusalReason.CANCELLED: "cancelled",
    RefusalReason.DEADLINE: "the time was up before there was a candidate",
}


class InputError(Exception):
    """The arguments do not fit the file; the message is one sentence with the bounds."""


class Place(NamedTuple):
    """A place in a file as people name it: both from 1, the column in characters."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``fill``."""
    parser.add_argument("file", metavar="FILE", help="a UTF-8 text file")
    parser.add_argument(
        "--at", metavar="LINE:COLUMN", type=_place, required=True, help="where to fill, from 1:1"
    )
    parser.add_argument(
        "--to", metavar="LINE:COLUMN", type=_place, help="replace the text from --at up to here"
    )
    parser.add_argument(
        "--model", metavar="DIR", default=EMBEDDED, help="model folder (default: the embedded one)"
    )
    parser.add_argument(
        "--candidates", metavar="N", type=_count, default=3, help="most texts to offer (default: 3)"
    )
    parser.add_argument(
        "--seed", metavar="S", type=_seed, default=0, help="same seed, same fill (default: 0)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, not a diff")
    parser.add_argument("--write", action="store_true", help="write the best text to the file")


def run(args: argparse.Namespace, *, load: EngineLoader = load_engine) -> int:
    """Fill, show, and write if asked to.

    Returns:
        0 when filled, 1 when refused.

    Raises:
        FileError: if the file cannot be read or written.
        InputError: if the arguments do not fit the file or the model.
        EngineError: if the model cannot be loaded or cannot serve the request.
    """
    file = read_text(args.file)
    if not file.text:
        raise InputError(f"{file.path} is empty; write at least one line for the model to go by")
    snapshot = Snapshot(
        uri=str(file.path),
        version=0,
        language_id=language_for_path(file.path),
        text=file.text,
    )
    lines = LineIndex(file.text)
    span = _span(file, lines, args.at, args.to)
    if args.model != EMBEDDED and not Path(args.model).is_dir():
        raise InputError(f"{args.model} is no model folder; leave out --model for the embedded one")
    check = GateCheck(snapshot, span)
    result = _infill(load(args.model), snapshot, span, args, check)
    outcome = judge(snapshot, span, result, limit=args.candidates, check=check)
    if args.write and not isinstance(outcome, Refusal):
        write_text(file, outcome[0].edit.apply(snapshot))
    if args.json:
        print(json.dumps(_as_json(lines, span, result, outcome)))
    elif not isinstance(outcome, Refusal):
        sys.stdout.write(_diff(snapshot, outcome[0].edit))
    # Only now, so that a reader who closed the pipe early learns of nothing.
    print(_summary(result, outcome), file=sys.stderr)
    return 1 if isinstance(outcome, Refusal) else 0


def _infill(
    engine: Infiller,
    snapshot: Snapshot,
    span: Span,
    args: argparse.Namespace,
    check: GateCheck,
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
    request = prepare(snapshot, span, lengths=lengths)
    return engine.infill(
        request.prefix,
        request.suffix,
        lengths=request.lengths,
        multiline=request.multiline,
        n_candidates=args.candidates,
        seed=args.seed,
        check=check,
    )


def _span(file: TextFile, lines: LineIndex, at: Place, to: Place | None) -> Span:
    start = _offset(file, lines, at)
    if to is None:
        return Span(start=start, end=start)
    if to < at:
        raise InputError(f"--to {to} lies before --at {at}; swap them")
    return Span(start=start, end=_offset(file, lines, to))


def _offset(file: TextFile, lines: LineIndex, place: Place) -> int:
    if place.line > lines.n_lines:
        raise InputError(f"{file.path}:{place} is past the end; the last line is {lines.n_lines}")
    start, end = lines.line_span(place.line - 1)
    if place.column - 1 > end - start:
        raise InputError(
            f"{file.path}:{place} is past the end of line {place.line}; "
            f"its last column is {end - start + 1}"
        )
    return start + place.column - 1


def _as_json(
    lines: LineIndex, span: Span, result: InfillResult, outcome: list[Proposal] | Refusal
) -> dict[str, object]:
    refused = outcome.reason.value if isinstance(outcome, Refusal) else None
    proposals = [] if isinstance(outcome, Refusal) else outcome
    return {
        "text": proposals[0].edit.new_text if proposals else None,
        "range": {"start": _json_place(lines, span.start), "end": _json_place(lines, span.end)},
        "candidates": [
            {"text": proposal.edit.new_text, "score": proposal.score} for proposal in proposals
        ],
        "forwards": result.forwards,
        "milliseconds": result.milliseconds,
        "refused": refused,
    }


def _json_place(lines: LineIndex, offset: int) -> dict[str, int]:
    position = lines.position_at(offset, PositionEncoding.UTF32)
    return {"line": position.line + 1, "column": position.character + 1}


def _diff(snapshot: Snapshot, edit: Edit) -> str:
    r"""Give a unified diff; for ``patch`` a line ends at ``\n`` only, whatever precedes it."""
    rows = difflib.unified_diff(
        _rows(snapshot.text),
        _rows(edit.apply(snapshot)),
        fromfile=snapshot.uri,
        tofile=f"{snapshot.uri} (filled)",
    )
    return "".join(
        row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows
    )


def _rows(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _summary(result: InfillResult, outcome: Sequence[Proposal] | Refusal) -> str:
    cost = f"{result.forwards} forwards, {result.milliseconds:.0f} ms"
    if isinstance(outcome, Refusal):
        return f"dgemma-ls: refused: {_REFUSALS[outcome.reason]} ({cost})"
    return cost


def _place(text: str) -> Place:
    match = re.fullmatch(r"([1-9][0-9]*):([1-9][0-9]*)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not LINE:COLUMN, two numbers from 1")
    try:
        return Place(int(match[1]), int(match[2]))
    except ValueError:  # Python refuses numbers of more than 4,300 digits
        raise argparse.ArgumentTypeError("LINE:COLUMN has too many digits") from None


def _count(text: str) -> int:
    return _whole_number(text, least=1)


def _seed(text: str) -> int:
    return _whole_number(text, least=0)


def _whole_number(text: str, *, least: int) -> int:
    most = 2**63 - 1  # what a seeded generator takes
    if not re.fullmatch(r"-?[0-9]{1,19}", text) or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return int(text)
