"""How tasks run: load, draw, work with progress until done or Ctrl-C, write."""

import argparse
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from dgemma_ls.commands.arguments import EngineLoader, InputError
from dgemma_ls.commands.evaluate.arguments import (
    check_documents,
    check_model,
    check_written,
    data_name,
)
from dgemma_ls.evaluation.cases import BUCKETS, Case, Document, draw_cases, read_documents
from dgemma_ls.evaluation.layout import Table
from dgemma_ls.evaluation.pool import each
from dgemma_ls.evaluation.progress import Progress
from dgemma_ls.evaluation.summary import ALL, Figure, Summary, as_text, to_json
from dgemma_ls.files import FileError

if TYPE_CHECKING:
    from dgemma_engine import Engine

STOPPED = 130  # 128 + SIGINT, as the shell has it

Item = TypeVar("Item")
Result = TypeVar("Result")


def load_for(args: argparse.Namespace, load: EngineLoader) -> "Engine":
    """Load the model that the arguments name."""
    return cast("Engine", load(args.model))


def draw(args: argparse.Namespace, documents: Sequence[Document], engine: "Engine") -> list[Case]:
    """Draw the cases that the arguments ask for.

    Raises:
        InputError: there are none.
    """
    cases = draw_cases(
        documents,
        engine.tokenizer,
        buckets=args.buckets,
        n_per_bucket=args.cases,
        seed=args.seed,
    )
    if not cases:
        raise InputError(f"{args.data} has no document long enough to cut a span out of")
    return cases


def run_cases(
    args: argparse.Namespace,
    load: EngineLoader,
    *,
    task: str,
    make_work: "Callable[[argparse.Namespace, Engine], Callable[[Case], Result]]",
    sum_up: Callable[..., Sequence[Figure]],
    tables: Callable[[Summary], list[Table]],
) -> int:
    """Run a task that measures one thing on every case of unknown length.

    Args:
        args: of the command line, with all that ``add_cases`` declares.
        load: gives the engine.
        task: its name.
        make_work: gives an engine's function of a case; importable from its module.
        sum_up: gives figures of cases and results; takes ``seed``.
        tables: lays the summary out.

    Returns:
        The exit code.
    """
    check_documents(args)
    check_model(args)
    check_written(args.json)
    documents = read_documents(args.data)
    engine = load_for(args, load)
    cases = draw(args, documents, engine)
    outcomes = work_through(cases, make_work, args, engine=engine, load=load)
    if outcomes:
        summary = Summary(
            task=task,
            clusters="files",
            settings=case_settings(args, engine),
            figures=tuple(sum_up(cases[: len(outcomes)], outcomes, seed=args.seed)),
            notes=tuple(stopped_note(len(outcomes), len(cases))),
        )
        show(summary, tables(summary), args.json)
    return exit_code(len(outcomes), len(cases))


def work_through(
    cases: Sequence[Item],
    make_work: "Callable[[argparse.Namespace, Engine], Callable[[Item], Result]]",
    args: argparse.Namespace,
    *,
    engine: "Engine",
    load: EngineLoader,
) -> list[Result]:
    """Work through cases in as many processes as the arguments ask for.

    Args:
        cases: what to work on.
        make_work: gives an engine's function, in each process anew; importable from its module.
        args: of the command line; ``jobs`` is the number of processes.
        engine: of this process.
        load: gives the other processes theirs.

    Returns:
        Results in the cases' order; fewer than there are cases after Ctrl-C.

    Raises:
        InputError: a process died.
    """
    setup = work_setup(make_work, args, engine=engine, load=load)
    return take(each(setup, cases, n_jobs=args.jobs), len(cases), noun="cases")


def work_setup(
    make_work: "Callable[[argparse.Namespace, Engine], Callable[[Item], Result]]",
    args: argparse.Namespace,
    *,
    engine: "Engine",
    load: EngineLoader,
) -> Callable[[], Callable[[Item], Result]]:
    """Say how a process comes by its function: with the engine at hand, or with one of its own."""
    if args.jobs == 1:
        return partial(make_work, args, engine)
    return partial(_load_and_make, make_work, args, load)


def take(results: Generator[Result, None, None], n_items: int, *, noun: str) -> list[Result]:
    """Take results as they come, until the last or Ctrl-C, telling how far it is."""
    taken: list[Result] = []
    progress = Progress(n_items, sys.stderr, noun=noun)
    try:
        with closing(results):
            for result in results:
                taken.append(result)
                progress.show(len(taken))
    except KeyboardInterrupt:
        pass  # the report says so
    except BrokenProcessPool as err:
        raise InputError(
            "a process of --jobs ended before its work, perhaps for want of memory; try fewer"
        ) from err
    finally:
        progress.end()
    return taken


def stopped_note(n_done: int, n_items: int, noun: str = "cases") -> list[str]:
    """What a report says of a run cut short; nothing of a whole one."""
    return [f"stopped after {n_done} of {n_items} {noun}"] if n_done < n_items else []


def n_steps(args: argparse.Namespace, engine: "Engine") -> int:
    """The denoising steps asked for, else what suits the checkpoint."""
    return args.steps or engine.infill_settings.n_steps


def case_settings(args: argparse.Namespace, engine: "Engine") -> dict[str, Any]:
    """What the figures of cases depend on."""
    return {
        "model": args.model,
        "data": data_name(args.data),
        "seed": args.seed,
        "steps": n_steps(args, engine),
    }


def case_groups() -> dict[str, str]:
    """Columns of a table by bucket, and over all."""
    return {**{name: bucket.title for name, bucket in BUCKETS.items()}, ALL: ALL}


def exit_code(n_done: int, n_items: int) -> int:
    """0 for a whole run, 130 for one cut short."""
    return 0 if n_done == n_items else STOPPED


def show(summary: Summary, tables: Sequence[Table], json_path: Path | None) -> None:
    """Print the tables and write the figures."""
    sys.stdout.write(as_text(summary, tables))
    if json_path is not None:
        write(json_path, to_json(summary))


def write(path: Path, text: str) -> None:
    """Write a file.

    Raises:
        FileError: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as err:
        raise FileError(f"{path} cannot be written: {err.strerror or err}") from err


def _load_and_make(
    make_work: "Callable[[argparse.Namespace, Engine], Callable[[Item], Result]]",
    args: argparse.Namespace,
    load: EngineLoader,
) -> Callable[[Item], Result]:
    return make_work(args, load_for(args, load))
