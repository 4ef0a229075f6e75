"""Arguments that commands share: places in a file as people name them, whole numbers, models.

What does not fit is said in one sentence with the bounds.
"""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from dgemma_engine.types import Span
from dgemma_ls.features.fill import Infiller
from dgemma_ls.files import TextFile, read_text
from dgemma_ls.loading import EMBEDDED
from dgemma_ls.positions import LineIndex
from dgemma_ls.syntax import language_for_path
from dgemma_ls.types import Snapshot

EngineLoader = Callable[[str], Infiller]


class InputError(Exception):
    """The arguments do not fit the file; the message is one sentence with the bounds."""


class Place(NamedTuple):
    """A place in a file as people name it: both from 1, the column in characters."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


def add_common(parser: argparse.ArgumentParser, *, verb: str) -> None:
    """Declare what every command has that changes a place in a file."""
    parser.add_argument(
        "--model", metavar="DIR", default=EMBEDDED, help="model folder (default: the embedded one)"
    )
    parser.add_argument(
        "--candidates",
        metavar="N",
        type=read_count,
        default=3,
        help="most texts to offer (default: 3)",
    )
    parser.add_argument(
        "--seed",
        metavar="S",
        type=read_seed,
        default=0,
        help=f"same seed, same {verb} (default: 0)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, not a diff")
    parser.add_argument("--write", action="store_true", help="write the best text to the file")


def open_file(path: str) -> tuple[TextFile, Snapshot, LineIndex]:
    """Read a file as a document.

    Raises:
        FileError: if it cannot be read.
        InputError: if it is empty.
    """
    file = read_text(path)
    if not file.text:
        raise InputError(f"{file.path} is empty; write at least one line for the model to go by")
    snapshot = Snapshot(
        uri=str(file.path),
        version=0,
        language_id=language_for_path(file.path),
        text=file.text,
    )
    return file, snapshot, LineIndex(file.text)


def require_model(model: str) -> None:
    """Make sure that a model is there before torch is loaded.

    Raises:
        InputError: if the folder does not exist.
    """
    if model != EMBEDDED and not Path(model).is_dir():
        raise InputError(f"{model} is no model folder; leave out --model for the embedded one")


def span_of(file: TextFile, lines: LineIndex, at: Place, to: Place | None) -> Span:
    """Give the span between two places; a cursor where there is only one.

    Raises:
        InputError: if a place is past the end of its line or file, or they are in the wrong order.
    """
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


def read_place(text: str) -> Place:
    """Read LINE:COLUMN."""
    match = re.fullmatch(r"([1-9][0-9]*):([1-9][0-9]*)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not LINE:COLUMN, two numbers from 1")
    try:
        return Place(int(match[1]), int(match[2]))
    except ValueError:  # Python refuses numbers of more than 4,300 digits
        raise argparse.ArgumentTypeError("LINE:COLUMN has too many digits") from None


def read_count(text: str) -> int:
    """Read a whole number from 1."""
    return _whole_number(text, least=1)


def read_seed(text: str) -> int:
    """Read a whole number from 0."""
    return _whole_number(text, least=0)


def _whole_number(text: str, *, least: int) -> int:
    most = 2**63 - 1  # what a seeded generator takes
    if not re.fullmatch(r"-?[0-9]{1,19}", text) or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return int(text)
