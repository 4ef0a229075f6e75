"""``eval infill``: spans cut out of held-out code, filled by every system.

The systems are the engine's proposers alone, its whole answer, and baselines that do without what
the model has learnt.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dgemma_ls.commands.arguments import EngineLoader, InputError
from dgemma_ls.commands.evaluate.arguments import (
    add_cases,
    add_common,
    add_model,
    add_shards,
    check_documents,
    check_model,
    check_written,
    data_name,
    names,
)
from dgemma_ls.commands.evaluate.running import (
    draw,
    exit_code,
    load_for,
    stopped_note,
    work_through,
    write,
)
from dgemma_ls.evaluation.ablations import ABLATIONS, make_ablations
from dgemma_ls.evaluation.baselines import check_shards, count_shards, make_baselines
from dgemma_ls.evaluation.cases import Case, read_documents
from dgemma_ls.evaluation.picture import can_draw
from dgemma_ls.evaluation.picture import draw as draw_picture
from dgemma_ls.evaluation.report import Report, make_report, to_json
from dgemma_ls.evaluation.runner import Outcome, ask
from dgemma_ls.evaluation.systems import (
    BASELINES,
    ENGINE_SYSTEMS,
    SHIPPED,
    SHIPPED_UNKNOWN,
    UNTRAINED,
    System,
    forget_other_cases,
    make_systems,
)
from dgemma_ls.evaluation.tables import as_markdown, as_text
from dgemma_ls.evaluation.untrained import MAX_PARAMETERS, make_untrained, n_parameters

if TYPE_CHECKING:
    from dgemma_engine import Engine
    from dgemma_ls.evaluation.ngrams import NgramCounts

_SYSTEMS = (*BASELINES, UNTRAINED, *ENGINE_SYSTEMS, *ABLATIONS)
_GROUPS = {
    "baselines": BASELINES,
    "engine": ENGINE_SYSTEMS,
    "ablations": ("denoiser", SHIPPED, SHIPPED_UNKNOWN, "gated", "suggested", *ABLATIONS),
}
"""Several systems by one name; the ablations come with what they are variants of."""

_NEEDS_SHARDS = ("5-gram", "ppm+5-gram")
_WEIGHTS_SEED = 0


def add_parser(tasks: "argparse._SubParsersAction[Any]") -> None:
    """Declare the task."""
    parser = tasks.add_parser(
        "infill",
        help="fill spans of held-out code",
        description="Cut spans out of held-out code and compare ways to fill them. Ctrl-C ends the "
        "run and shows what is done.",
        allow_abbrev=False,
    )
    add_model(parser)
    add_cases(parser)
    parser.add_argument(
        "--systems",
        metavar="A,B,…",
        type=_systems,
        default=_SYSTEMS,
        help=f"ways to fill: {', '.join(_SYSTEMS)}; or several of them: {', '.join(_GROUPS)}"
        " (default: all)",
    )
    add_common(parser, seed_of="the cases")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the tables")
    parser.add_argument("--picture", metavar="FILE", type=Path, help="draw them; needs matplotlib")
    add_shards(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, load: EngineLoader) -> int:
    """Fill the cases, print tables, write files; give the exit code."""
    _check(args)
    documents = read_documents(args.data)
    engine = load_for(args, load)
    contest = _make_contest(args, engine)
    cases = draw(args, documents, engine)
    done = work_through(cases, _make_work, args, engine=engine, load=load)
    # A case that went to another process came back as a copy, document and all.
    outcomes = [
        replace(outcome, case=case)
        for case, of_case in zip(cases, done, strict=False)
        for outcome in of_case
    ]
    if outcomes:
        notes = [*contest.notes, *stopped_note(len(done), len(cases))]
        if args.jobs > 1:
            notes.append(f"timed while {args.jobs} processes shared the machine")
        _show(args, contest.systems, outcomes, notes)
    return exit_code(len(done), len(cases))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contest:
    """The systems asked for, what to do before each case, and notes for the report."""

    systems: list[System]
    before_case: list[Callable[[Case], None]]
    notes: list[str]


def _check(args: argparse.Namespace) -> None:
    """Complain at once of what would otherwise fail after the work is done."""
    check_documents(args)
    check_model(args)
    check_written(args.json, args.markdown, args.picture)
    if args.picture is not None and not can_draw():
        raise InputError("--picture needs matplotlib; install dgemma-ls[eval], or leave it out")
    wanted = [name for name in args.systems if name in _NEEDS_SHARDS]
    if wanted and args.shards is None and args.systems != _SYSTEMS:
        raise InputError(
            f"{wanted[0]} needs token shards to count; name their folder with --shards"
        )


def _systems(text: str) -> tuple[str, ...]:
    """Parse names of systems and of groups of them."""
    parts = (part.strip() for part in text.split(","))
    named = [name for part in parts for name in _GROUPS.get(part, (part,))]
    return tuple(dict.fromkeys(names(_SYSTEMS)(",".join(named))))


def _make_contest(args: argparse.Namespace, engine: "Engine") -> _Contest:
    """Choose the systems; what is heavy is counted when the first case needs it."""
    tokenizer = engine.tokenizer
    before_case: list[Callable[[Case], None]] = []
    notes: list[str] = []
    counts: Callable[[], NgramCounts] | None = None
    if args.shards is None:
        notes.append("the 5-gram is left out: it needs token shards (--shards)")
    elif set(args.systems) & set(_NEEDS_SHARDS):
        check_shards(args.shards, tokenizer.path)
        counts = cache(partial(_count, args.shards, tokenizer.path, len(tokenizer.token_bytes)))
        before_case.append(partial(_call, counts))
    systems = make_baselines(tokenizer, shard_counts=counts)
    n_steps = args.steps or 0
    if set(args.systems) - set(BASELINES):
        n_steps = args.steps or engine.infill_settings.n_steps
    if UNTRAINED in args.systems and n_parameters(engine) > MAX_PARAMETERS:
        notes.append(
            "the untrained model is left out: a second one of"
            f" {n_parameters(engine):,} weights would not fit in"
        )
    elif UNTRAINED in args.systems:
        untrained, prepare = make_untrained(engine, n_steps=n_steps, seed=_WEIGHTS_SEED)
        systems.append(untrained)
        before_case.append(prepare)
    if set(args.systems) & {*ENGINE_SYSTEMS, *ABLATIONS}:
        systems += make_systems(engine, n_steps=n_steps)
        systems += make_ablations(engine, n_steps=n_steps)
        before_case.append(partial(forget_other_cases, engine))
    chosen = [system for system in systems if system.name in args.systems]
    return _Contest(systems=chosen, before_case=before_case, notes=notes)


def _make_work(args: argparse.Namespace, engine: "Engine") -> Callable[[Case], list[Outcome]]:
    contest = _make_contest(args, engine)
    return partial(
        ask, systems=contest.systems, tokenizer=engine.tokenizer, before_case=contest.before_case
    )


def _count(folder: Path, tokenizer_path: Path, vocab_size: int) -> "NgramCounts":
    sys.stderr.write(f"counting n-grams in {folder}\n")
    return count_shards(folder, tokenizer_path, vocab_size)


def _call(counts: "Callable[[], NgramCounts]", case: Case) -> None:
    """Count before the clock runs."""
    counts()


def _show(
    args: argparse.Namespace,
    systems: Sequence[System],
    outcomes: Sequence[Outcome],
    notes: Sequence[str],
) -> None:
    report: Report = make_report(
        outcomes, systems, model=args.model, data=data_name(args.data), seed=args.seed, notes=notes
    )
    sys.stdout.write(as_text(report))
    if args.json is not None:
        write(args.json, to_json(report))
    if args.markdown is not None:
        write(args.markdown, as_markdown(report))
    if args.picture is not None:
        draw_picture(report, args.picture)
