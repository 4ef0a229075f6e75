"""``eval length``: how well the engine guesses the length of a gap, and what a guess costs."""

import argparse
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from dgemma_ls.commands.arguments import EngineLoader
from dgemma_ls.commands.evaluate.arguments import add_cases, add_common, add_model
from dgemma_ls.commands.evaluate.running import case_groups, n_steps, run_cases
from dgemma_ls.evaluation.cases import Case
from dgemma_ls.evaluation.layout import Table
from dgemma_ls.evaluation.lengths import METRICS, LengthOutcome, measure_length, sum_up
from dgemma_ls.evaluation.summary import Summary, lay_out

if TYPE_CHECKING:
    from dgemma_engine import Engine


def add_parser(tasks: "argparse._SubParsersAction[Any]") -> None:
    """Declare the task."""
    parser = tasks.add_parser(
        "length",
        help="guess how long a span is",
        description="Fill spans of held-out code of which nobody tells the length, and compare the "
        "answer's number of tokens with the truth's.",
        allow_abbrev=False,
    )
    add_model(parser)
    add_cases(parser)
    add_common(parser, seed_of="the cases")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, load: EngineLoader) -> int:
    """Fill the cases with and without their length; print, write, give the exit code."""
    return run_cases(args, load, task="length", make_work=_make_work, sum_up=sum_up, tables=_tables)


def _tables(summary: Summary) -> list[Table]:
    return [lay_out(summary, "length of the answer, in tokens", case_groups(), METRICS)]


def _make_work(args: argparse.Namespace, engine: "Engine") -> Callable[[Case], LengthOutcome]:
    return partial(measure_length, engine, n_steps=n_steps(args, engine))
