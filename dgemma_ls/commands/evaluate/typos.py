"""``eval typos``: how well typos are fixed; for a file of pairs, which wording is preferred."""

import argparse
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dgemma_ls.commands.arguments import EngineLoader
from dgemma_ls.commands.evaluate.arguments import (
    add_common,
    add_model,
    check_model,
    check_written,
    count,
    names,
)
from dgemma_ls.commands.evaluate.running import exit_code, load_for, show, stopped_note, take
from dgemma_ls.commands.evaluate.typo_fixes import check_fixes, run_fixes
from dgemma_ls.evaluation.own_fixer import PARTS
from dgemma_ls.evaluation.reading import read
from dgemma_ls.evaluation.summary import Summary, lay_out
from dgemma_ls.evaluation.typos import METRICS, Pair, prefers_correction, read_pairs, sum_up

if TYPE_CHECKING:
    from dgemma_engine import Engine


def add_parser(tasks: "argparse._SubParsersAction[Any]") -> None:
    """Declare the task."""
    parser = tasks.add_parser(
        "typos",
        help="find and fix typos",
        description="Fix passages with one known error, and clean ones, beside whatever peers are "
        "installed. With a file of pairs: see whether the model finds corrected words more likely "
        "than the typos that they replaced, where the place is known.",
        allow_abbrev=False,
    )
    add_model(parser)
    parser.add_argument(
        "--data",
        metavar="PATH",
        type=Path,
        help="a folder of pairs.jsonl and clean.jsonl, or a .jsonl of before_line, after_line, "
        "context_before, context_after, repo and kind (default: a control set, synthetic errors in "
        "the repository's held-out documents)",
    )
    parser.add_argument(
        "--without",
        metavar="A,B,…",
        type=names(PARTS),
        default=(),
        help=f"leave out of our own fixes: {', '.join(PARTS)}",
    )
    parser.add_argument(
        "--ablate", action="store_true", help="a row without each of these parts in turn, too"
    )
    parser.add_argument(
        "--alone",
        action="store_true",
        help="a row of the model alone, too: no list, rules, lexicon",
    )
    parser.add_argument(
        "--by-type", action="store_true", help="recall, precision and false edits by type of file"
    )
    parser.add_argument(
        "--picture",
        metavar="FILE",
        type=Path,
        help="draw precision against recall; needs matplotlib",
    )
    parser.add_argument(
        "--cases", metavar="N", type=count, default=400, help="passages of the control set"
    )
    parser.add_argument(
        "--context",
        metavar="N",
        type=count,
        default=448,
        help="tokens to read before the word at most (default: 448)",
    )
    add_common(parser, seed_of="the intervals")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, load: EngineLoader) -> int:
    """Fix the passages or compare the pairs; print, write, give the exit code."""
    check_model(args)
    check_written(args.json, args.picture)
    check_fixes(args)
    if args.data is None or args.data.is_dir():
        return run_fixes(args, load)
    pairs = read_pairs(args.data)
    engine = load_for(args, load)
    preferred = take(_compare_all(args, pairs, engine), len(pairs), noun="pairs")
    if preferred:
        done = pairs[: len(preferred)]
        summary = Summary(
            task="typos",
            clusters="repositories",
            settings={
                "model": args.model,
                "data": str(args.data),
                "seed": args.seed,
                "context": args.context,
            },
            figures=tuple(sum_up(done, preferred, seed=args.seed)),
            notes=(
                "the place of the typo is given",
                *stopped_note(len(done), len(pairs), "pairs"),
            ),
        )
        kinds = {figure.group: figure.group for figure in summary.figures}
        show(summary, [lay_out(summary, "typos, by kind", kinds, METRICS)], args.json)
    return exit_code(len(preferred), len(pairs))


def _compare_all(
    args: argparse.Namespace, pairs: Sequence[Pair], engine: "Engine"
) -> Generator[bool, None, None]:
    for pair in pairs:
        yield prefers_correction(
            pair,
            engine.tokenizer,
            partial(read, engine),
            context=args.context,
            bos_id=engine.config.bos_token_id,
        )
