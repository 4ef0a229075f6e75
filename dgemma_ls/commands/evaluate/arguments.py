"""Arguments that several tasks take, and what can be said against their values before the work."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from dgemma_ls.commands.arguments import InputError
from dgemma_ls.evaluation.cases import BUCKETS, DEFAULT_BUCKETS
from dgemma_ls.loading import EMBEDDED

HOLDOUT = Path(__file__).resolve().parents[3] / "benchmarks" / "holdout" / "holdout.jsonl.gz"
"""The documents of a checkout; an installed package does not have them."""


def add_model(parser: argparse.ArgumentParser) -> None:
    """Declare the model."""
    parser.add_argument(
        "--model", metavar="DIR", default=EMBEDDED, help="model folder (default: the embedded one)"
    )


def add_documents(parser: argparse.ArgumentParser) -> None:
    """Declare the documents."""
    parser.add_argument(
        "--data",
        metavar="FILE",
        type=Path,
        default=HOLDOUT,
        help=".jsonl or .jsonl.gz of documents (default: the held-out ones of the repository)",
    )


def add_cases(parser: argparse.ArgumentParser) -> None:
    """Declare what is cut out of the documents, and how the engine is asked."""
    add_documents(parser)
    parser.add_argument(
        "--cases", metavar="N", type=count, default=200, help="spans per bucket (default: 200)"
    )
    parser.add_argument(
        "--buckets",
        metavar="A,B,…",
        type=names(tuple(BUCKETS)),
        default=DEFAULT_BUCKETS,
        help=f"kinds of span: {', '.join(BUCKETS)} (default: all but 1-4)",
    )
    add_steps(parser)
    add_jobs(parser)


def add_steps(parser: argparse.ArgumentParser) -> None:
    """Declare the denoising steps."""
    parser.add_argument(
        "--steps", metavar="N", type=count, help="denoising steps (default: the checkpoint's)"
    )


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Declare the processes."""
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=count,
        default=1,
        help="processes to spread the work over, each with a model of its own and one thread "
        "(default: 1, this one)",
    )


def add_shards(parser: argparse.ArgumentParser) -> None:
    """Declare the training text for n-grams."""
    parser.add_argument(
        "--shards", metavar="DIR", type=Path, help="token shards of training text, for the 5-gram"
    )


def add_common(parser: argparse.ArgumentParser, seed_of: str) -> None:
    """Declare seed and JSON, which every task takes."""
    parser.add_argument(
        "--seed", metavar="S", type=whole_number, default=0, help=f"of {seed_of} (default: 0)"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures")


def check_model(args: argparse.Namespace) -> None:
    """Complain of a model that is not there.

    Raises:
        InputError: it is no folder.
    """
    if args.model != EMBEDDED and not Path(args.model).expanduser().is_dir():
        raise InputError(f"{args.model} is no model folder; leave out --model for the embedded one")


def check_documents(args: argparse.Namespace) -> None:
    """Complain of documents that did not come with the package.

    Raises:
        InputError: none were named, and the repository's are not there.
    """
    if args.data == HOLDOUT and not HOLDOUT.exists():
        raise InputError(
            "the held-out documents come with the repository only; name a file with --data"
        )


def check_written(*paths: Path | None) -> None:
    """Complain at once of what would otherwise fail after the work is done.

    Raises:
        InputError: a file cannot be written.
    """
    for path in filter(None, paths):
        if not path.parent.is_dir() or path.is_dir():
            raise InputError(f"{path} cannot be written; name a file in a folder that exists")


def data_name(path: Path) -> str:
    """What reports call the documents."""
    return "benchmarks/holdout" if path == HOLDOUT else str(path)


def names(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """Make a parser for names with commas between them."""

    def parse(text: str) -> tuple[str, ...]:
        parsed = tuple(name.strip() for name in text.split(","))
        for name in parsed:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return parsed

    return parse


def count(text: str) -> int:
    """Parse a number of things."""
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def whole_number(text: str) -> int:
    """Parse a seed."""
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2**63 - 1")
    return int(text)
