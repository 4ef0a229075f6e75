"""``dgemma-ls eval``: how well a model does its work, on documents that it has not seen.

``eval infill`` cuts spans out of held-out code and lets every system fill them: the engine's
proposers alone, its whole answer, and baselines that do without a model.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dgemma_ls.commands.fill import EngineLoader, InputError
from dgemma_ls.evaluation.cases import BUCKETS, DEFAULT_BUCKETS, Case, draw_cases, read_documents
from dgemma_ls.evaluation.progress import Progress
from dgemma_ls.evaluation.systems import (
    BASELINES,
    ENGINE_SYSTEMS,
    System,
    forget_other_cases,
    make_systems,
)
from dgemma_ls.files import FileError
from dgemma_ls.loading import EMBEDDED, load_engine

if TYPE_CHECKING:
    from dgemma_engine import Engine
    from dgemma_ls.evaluation.report import Report
    from dgemma_ls.evaluation.runner import Outcome

HOLDOUT = Path(__file__).resolve().parents[2] / "benchmarks" / "holdout" / "holdout.jsonl.gz"
"""The documents of a checkout; an installed package does not have them."""

_NEEDS_SHARDS = ("5-gram", "ppm+5-gram")
_STOPPED = 130  # 128 + SIGINT, as the shell has it


def main(argv: Sequence[str], *, load: EngineLoader = load_engine) -> int:
    """Evaluate, print tables, write files; give the exit code.

    Returns:
        0, or 130 when Ctrl-C ended the run early; then the tables are of what was done.

    Raises:
        FileError: if a file cannot be read or written.
        InputError: if the arguments do not fit each other.
        EngineError: if the model cannot be loaded.
    """
    args = _parser().parse_args(argv)
    _check(args)
    documents = read_documents(args.data)
    engine = cast("Engine", load(args.model))
    systems, before_case, notes = _systems(args, engine)
    cases = draw_cases(
        documents,
        engine.tokenizer,
        buckets=args.buckets,
        n_per_bucket=args.cases,
        seed=args.seed,
    )
    if not cases:
        raise InputError(f"{args.data} has no document long enough to cut a span out of")
    outcomes, n_done = _run(cases, systems, engine, before_case)
    if n_done < len(cases):
        notes.append(f"stopped after {n_done} of {len(cases)} cases")
    if outcomes:
        _show(args, systems, outcomes, notes)
    return 0 if n_done == len(cases) else _STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dgemma-ls eval", description="Measure how well a model does its work."
    )
    tasks = parser.add_subparsers(metavar="TASK", required=True)
    infill = tasks.add_parser(
        "infill",
        help="fill spans of held-out code",
        description="Cut spans out of held-out code and compare ways to fill them. Ctrl-C ends the "
        "run and shows what is done.",
        allow_abbrev=False,
    )
    infill.add_argument(
        "--model", metavar="DIR", default=EMBEDDED, help="model folder (default: the embedded one)"
    )
    infill.add_argument(
        "--data",
        metavar="FILE",
        type=Path,
        default=HOLDOUT,
        help=".jsonl or .jsonl.gz of documents",
    )
    infill.add_argument(
        "--cases", metavar="N", type=_count, default=200, help="spans per bucket (default: 200)"
    )
    infill.add_argument(
        "--buckets",
        metavar="A,B,…",
        type=_names(tuple(BUCKETS)),
        default=DEFAULT_BUCKETS,
        help=f"kinds of span: {', '.join(BUCKETS)} (default: all but 1-4)",
    )
    infill.add_argument("--seed", metavar="S", type=int, default=0, help="of the cases")
    infill.add_argument(
        "--steps", metavar="N", type=_count, help="denoising steps (default: the checkpoint's)"
    )
    infill.add_argument(
        "--systems",
        metavar="A,B,…",
        type=_names((*BASELINES, *ENGINE_SYSTEMS)),
        help=f"ways to fill: {', '.join((*BASELINES, *ENGINE_SYSTEMS))} (default: all)",
    )
    infill.add_argument("--json", metavar="FILE", type=Path, help="write the figures")
    infill.add_argument("--markdown", metavar="FILE", type=Path, help="write the tables")
    infill.add_argument("--picture", metavar="FILE", type=Path, help="draw them; needs matplotlib")
    infill.add_argument(
        "--shards", metavar="DIR", type=Path, help="token shards of training text, for the 5-gram"
    )
    return parser


def _check(args: argparse.Namespace) -> None:
    """Complain at once of what would otherwise fail after the work is done."""
    if args.data == HOLDOUT and not HOLDOUT.exists():
        raise InputError(
            "the held-out documents come with the repository only; name a file with --data"
        )
    if args.model != EMBEDDED and not Path(args.model).expanduser().is_dir():
        raise InputError(f"{args.model} is no model folder; leave out --model for the embedded one")
    for path in filter(None, (args.json, args.markdown, args.picture)):
        if not path.parent.is_dir() or path.is_dir():
            raise InputError(f"{path} cannot be written; name a file in a folder that exists")
    if args.picture is not None:
        from dgemma_ls.evaluation.picture import can_draw

        if not can_draw():
            raise InputError("--picture needs matplotlib; install dgemma-ls[eval], or leave it out")
    wanted = [name for name in args.systems or () if name in _NEEDS_SHARDS]
    if wanted and args.shards is None:
        raise InputError(
            f"{wanted[0]} needs token shards to count; name their folder with --shards"
        )


def _systems(
    args: argparse.Namespace, engine: "Engine"
) -> tuple[list[System], Callable[[Case], None], list[str]]:
    """Give the systems asked for, what to do before each case, and notes for the report."""
    from dgemma_ls.evaluation.baselines import count_shards, make_baselines

    tokenizer = engine.tokenizer
    wanted = args.systems or (*BASELINES, *ENGINE_SYSTEMS)
    counts, notes = None, []
    if args.shards is None:
        notes.append("the 5-gram is left out: it needs token shards (--shards)")
    elif set(wanted) & set(_NEEDS_SHARDS):
        print(f"counting n-grams in {args.shards}", file=sys.stderr)
        counts = count_shards(args.shards, tokenizer.path, len(tokenizer.token_bytes))
    systems = make_baselines(tokenizer, shard_counts=counts)
    before_case: Callable[[Case], None] = _nothing
    if set(wanted) & set(ENGINE_SYSTEMS):
        n_steps = args.steps or engine.infill_settings.n_steps
        systems += make_systems(engine, n_steps=n_steps)
        before_case = partial(forget_other_cases, engine)
    return [system for system in systems if system.name in wanted], before_case, notes


def _nothing(case: Case) -> None:
    """Baselines need no preparation."""


def _run(
    cases: Sequence[Case],
    systems: Sequence[System],
    engine: "Engine",
    before_case: Callable[[Case], None],
) -> "tuple[list[Outcome], int]":
    """Run until done or until Ctrl-C; give the outcomes and the number of cases done."""
    from dgemma_ls.evaluation.runner import run

    outcomes: list[Outcome] = []
    n_done = 0
    progress = Progress(len(cases), sys.stderr)
    try:
        for of_case in run(cases, systems, engine.tokenizer, before_case=before_case):
            outcomes += of_case
            n_done += 1
            progress.show(n_done)
    except KeyboardInterrupt:
        pass  # the report says so
    finally:
        progress.end()
    return outcomes, n_done


def _show(
    args: argparse.Namespace,
    systems: Sequence[System],
    outcomes: "Sequence[Outcome]",
    notes: Sequence[str],
) -> None:
    from dgemma_ls.evaluation.picture import draw
    from dgemma_ls.evaluation.report import make_report, to_json
    from dgemma_ls.evaluation.tables import as_markdown, as_text

    data = "benchmarks/holdout" if args.data == HOLDOUT else str(args.data)
    report: Report = make_report(
        outcomes, systems, model=args.model, data=data, seed=args.seed, notes=notes
    )
    sys.stdout.write(as_text(report))
    if args.json is not None:
        _write(args.json, to_json(report))
    if args.markdown is not None:
        _write(args.markdown, as_markdown(report))
    if args.picture is not None:
        draw(report, args.picture)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as err:
        raise FileError(f"{path} cannot be written: {err.strerror or err}") from err


def _names(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        names = tuple(name.strip() for name in text.split(","))
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return names

    return parse


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)
