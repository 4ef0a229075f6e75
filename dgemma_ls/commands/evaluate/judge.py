"""``eval judge``: whether the right text is among the candidates, and whether it comes first."""

import argparse
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from dgemma_ls.commands.arguments import EngineLoader
from dgemma_ls.commands.evaluate.arguments import add_cases, add_common, add_model
from dgemma_ls.commands.evaluate.running import case_groups, n_steps, run_cases
from dgemma_ls.evaluation.cases import Case
from dgemma_ls.evaluation.judging import (
    METRICS,
    ORIGIN_METRICS,
    ORIGINS,
    Judged,
    measure_judge,
    sum_up,
)
from dgemma_ls.evaluation.layout import Table
from dgemma_ls.evaluation.summary import Summary, lay_out

if TYPE_CHECKING:
    from dgemma_engine import Engine


def add_parser(tasks: "argparse._SubParsersAction[Any]") -> None:
    """Declare the task."""
    parser = tasks.add_parser(
        "judge",
        help="find the truth among the candidates",
        description="Fill spans of held-out code of which nobody tells the length, and see whether "
        "the truth is among all candidates, and whether the judge puts it first.",
        allow_abbrev=False,
    )
    add_model(parser)
    add_cases(parser)
    add_common(parser, seed_of="the cases")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, load: EngineLoader) -> int:
    """Ask for all candidates of the cases; print, write, give the exit code."""
    return run_cases(args, load, task="judge", make_work=_make_work, sum_up=sum_up, tables=_tables)


def _tables(summary: Summary) -> list[Table]:
    return [
        lay_out(summary, "candidates and choice, any length", case_groups(), METRICS),
        lay_out(summary, "by proposer", ORIGINS, ORIGIN_METRICS),
    ]


def _make_work(args: argparse.Namespace, engine: "Engine") -> Callable[[Case], Judged]:
    return partial(measure_judge, engine, n_steps=n_steps(args, engine))
