"""``eval humaneval-infilling``: gaps in functions whose tests say whether a fill is right.

Programs that a model wrote a part of are run, in the sandbox of ``evaluation/sandbox.py``.
"""

import argparse
import hashlib
import random
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dgemma_ls.commands.arguments import EngineLoader, InputError
from dgemma_ls.commands.evaluate.arguments import (
    add_common,
    add_jobs,
    add_model,
    add_steps,
    check_model,
    check_written,
    count,
)
from dgemma_ls.commands.evaluate.running import (
    exit_code,
    load_for,
    show,
    stopped_note,
    take,
    work_setup,
)
from dgemma_ls.evaluation import sandbox
from dgemma_ls.evaluation.humaneval import (
    METRICS,
    SPLITS,
    Problem,
    Sample,
    ask,
    gold,
    read_problems,
    sample_from_json,
    sample_to_json,
    sum_up,
)
from dgemma_ls.evaluation.journal import Journal
from dgemma_ls.evaluation.pool import each
from dgemma_ls.evaluation.summary import Summary, lay_out
from dgemma_ls.files import FileError

if TYPE_CHECKING:
    from dgemma_engine import Engine

_SKETCH_BYTES = 1 << 16

Samples = list[Sample]


def add_parser(tasks: "argparse._SubParsersAction[Any]") -> None:
    """Declare the task."""
    parser = tasks.add_parser(
        "humaneval-infilling",
        help="fill gaps in functions and run their tests",
        description="Fill the gaps of HumanEval-Infilling and run each function's tests in a "
        "sandbox. Ctrl-C ends the run and shows what is done.",
        allow_abbrev=False,
    )
    add_model(parser)
    parser.add_argument(
        "--data", metavar="DIR", type=Path, required=True, help="folder of the benchmark's files"
    )
    parser.add_argument(
        "--split", choices=tuple(SPLITS), default="single-line", help="(default: single-line)"
    )
    parser.add_argument("--rows", metavar="N", type=count, help="draw N gaps (default: all)")
    parser.add_argument(
        "--samples", metavar="N", type=count, default=1, help="fills of each gap (default: 1)"
    )
    parser.add_argument(
        "--oracle-length", action="store_true", help="tell the engine each gap's length"
    )
    parser.add_argument(
        "--gold",
        action="store_true",
        help="run the benchmark's own solutions instead of a model's; all must pass",
    )
    parser.add_argument(
        "--resume",
        metavar="FILE",
        type=Path,
        help=".jsonl that each finished gap is written to; a run cut short goes on from there",
    )
    add_steps(parser)
    add_jobs(parser)
    add_common(parser, seed_of="the first fill; the next ones count up")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, load: EngineLoader) -> int:
    """Fill the gaps, run the tests; print, write, give the exit code."""
    check_written(args.json, args.resume)
    if not sandbox.can_run():
        raise InputError("humaneval-infilling needs Linux or macOS: it runs programs in a sandbox")
    problems = _chosen(args, read_problems(args.data, args.split))
    if args.gold:
        settings = _settings(args, {"model": "the benchmark's own solutions"})
        setup: Callable[[], Callable[[Problem], Samples]] = _replay_gold
    else:
        check_model(args)
        engine = load_for(args, load)
        settings = _settings(
            args,
            {
                "model": args.model,
                "weights": _sketch(engine),
                "steps": args.steps or engine.infill_settings.n_steps,
                "oracle_length": args.oracle_length,
            },
        )
        setup = work_setup(_make_work, args, engine=engine, load=load)
    samples = _run(args, problems, setup, settings)
    if samples:
        summary = Summary(
            task="humaneval-infilling",
            clusters="functions",
            settings=settings,
            figures=tuple(sum_up(args.split, problems, samples, seed=args.seed)),
            notes=(*_notes(), *stopped_note(len(samples), len(problems), "gaps")),
        )
        table = lay_out(summary, "HumanEval-Infilling", {args.split: args.split}, METRICS)
        show(summary, [table], args.json)
    return exit_code(len(samples), len(problems))


def _chosen(args: argparse.Namespace, problems: list[Problem]) -> list[Problem]:
    """Draw rows; asking for more keeps the first ones."""
    if args.rows is None:
        return problems
    random.Random(f"{args.seed} rows").shuffle(problems)  # noqa: S311 - an experiment, no secret
    return problems[: args.rows]


def _settings(args: argparse.Namespace, more: Mapping[str, Any]) -> dict[str, Any]:
    """What the outcome of a gap depends on, and with which gaps were drawn."""
    return {**more, "split": args.split, "samples": args.samples, "seed": args.seed}


def _sketch(engine: "Engine") -> str:
    """Tell apart models of one name, without reading all of a large one."""
    digest = hashlib.sha256()
    for path in sorted(engine.tokenizer.path.parent.glob("*.safetensors")):
        size = path.stat().st_size
        with path.open("rb") as file:
            digest.update(f"{path.name} {size} ".encode() + file.read(_SKETCH_BYTES))
            file.seek(max(0, size - _SKETCH_BYTES))
            digest.update(file.read())
    return digest.hexdigest()[:12]


def _run(
    args: argparse.Namespace,
    problems: Sequence[Problem],
    setup: Callable[[], Callable[[Problem], Samples]],
    settings: Mapping[str, Any],
) -> dict[str, Samples]:
    """Give the samples of each gap by its name, those of earlier runs included."""
    with ExitStack() as stack:
        journal, samples = None, {}
        if args.resume is not None:
            journal = stack.enter_context(Journal(args.resume, settings))
            samples = _earlier(args.resume, journal, problems)
        left = [problem for problem in problems if problem.task_id not in samples]
        results = each(setup, left, n_jobs=args.jobs) if left else _nothing()
        done = take(_kept(results, left, journal), len(left), noun="gaps")
    return samples | {
        problem.task_id: of_problem for problem, of_problem in zip(left, done, strict=False)
    }


def _earlier(path: Path, journal: Journal, problems: Sequence[Problem]) -> dict[str, Samples]:
    known = {problem.task_id for problem in problems}
    try:
        samples = {
            str(row["task_id"]): [sample_from_json(sample) for sample in row["samples"]]
            for row in journal.rows
        }
    except (KeyError, TypeError, AttributeError, ValueError) as err:
        raise FileError(
            f"{path} has a line that is no finished gap ({err}); name a new file to begin one"
        ) from err
    return {task_id: of_problem for task_id, of_problem in samples.items() if task_id in known}


def _kept(
    results: Generator[Samples, None, None], problems: Sequence[Problem], journal: Journal | None
) -> Generator[Samples, None, None]:
    """Write each result down before it counts."""
    try:
        for problem, samples in zip(problems, results, strict=True):
            if journal is not None:
                journal.write(
                    {
                        "task_id": problem.task_id,
                        "samples": [sample_to_json(sample) for sample in samples],
                    }
                )
            yield samples
    finally:
        results.close()


def _nothing() -> Generator[Samples, None, None]:
    yield from ()


def _make_work(args: argparse.Namespace, engine: "Engine") -> Callable[[Problem], Samples]:
    one = partial(
        ask, engine, split=args.split, n_steps=args.steps, length_known=args.oracle_length
    )
    return partial(_several, one, range(args.seed, args.seed + args.samples))


def _several(
    ask_with_seed: Callable[..., Sample], seeds: Sequence[int], problem: Problem
) -> Samples:
    return [ask_with_seed(problem, seed=seed) for seed in seeds]


def _replay_gold() -> Callable[[Problem], Samples]:
    return _gold


def _gold(problem: Problem) -> Samples:
    return [gold(problem)]


def _notes() -> list[str]:
    if sandbox.network_is_cut():
        return []
    return ["the network was not cut off: this system does not let a process do that"]
