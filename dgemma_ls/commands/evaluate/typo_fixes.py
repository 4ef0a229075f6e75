"""The part of ``eval typos`` that fixes passages: our tiers, ablations, peers, a picture."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dgemma_ls.commands.arguments import EngineLoader, InputError
from dgemma_ls.commands.evaluate.arguments import HOLDOUT
from dgemma_ls.commands.evaluate.running import load_for
from dgemma_ls.evaluation.alone_fixer import fix_alone
from dgemma_ls.evaluation.cases import read_documents
from dgemma_ls.evaluation.control import draw_control
from dgemma_ls.evaluation.fix_curve import Point, ScoredEdit, curve, draw_curves
from dgemma_ls.evaluation.fix_figures import KINDS, Line, sum_up
from dgemma_ls.evaluation.fix_scores import Passage, read_passages
from dgemma_ls.evaluation.fixers import installed_peers, missing_peers
from dgemma_ls.evaluation.layout import Table, to_text
from dgemma_ls.evaluation.own_fixer import PARTS, Compare, fix_passages, remembered
from dgemma_ls.evaluation.picture import can_draw
from dgemma_ls.evaluation.progress import Progress

if TYPE_CHECKING:
    from dgemma_engine import Engine

ALONE = "model alone"
_HYBRID = "all parts"


@dataclass(kw_only=True)
class _Results:
    lines: list[Line] = field(default_factory=list)
    scored: dict[str, list[list[ScoredEdit]]] = field(default_factory=dict)


def check_fixes(args: argparse.Namespace) -> None:
    """Complain at once of what could not be done after the work.

    Raises:
        InputError: the picture or the model alone cannot be had.
    """
    if args.picture is not None and not can_draw():
        raise InputError("--picture needs matplotlib; install dgemma-ls[eval], or leave it out")
    if args.alone and "model" in args.without:
        raise InputError("--alone is the model alone; leave out --without model")


def run_fixes(args: argparse.Namespace, load: EngineLoader) -> int:
    """Fix the passages by every system, print the tables, write JSON and the picture.

    Raises:
        FileError: the data are missing or damaged.
        InputError: there is no control set to draw from.
    """
    passages = _passages(args)
    engine = None if "model" in args.without else load_for(args, load)
    compare = None if engine is None else remembered(engine.compare)
    results = _Results()
    _add_own(results, passages, compare, args.without, with_scored=args.picture is not None)
    if args.ablate:
        for part in PARTS:
            if part not in args.without:
                without = (*args.without, part)
                _add_own(results, passages, compare, without, note=f"without {part}")
    if args.alone and engine is not None:
        _add_alone(results, passages, engine)
    for name, fixer in installed_peers().items():
        started = time.perf_counter()
        edits = fixer(passages)
        results.lines.append(sum_up(name, passages, edits, time.perf_counter() - started))
    data = "control set" if args.data is None else str(args.data)
    preamble = _preamble(args, passages, data)
    tables = [_table(results.lines)]
    if args.by_type:
        tables += [_by_type(results.lines, name) for name in ("recall", "precision", "false_edits")]
    sys.stdout.write(to_text(preamble, tables))
    if args.json:
        _write_json(args, results.lines, data)
    if args.picture is not None:
        _draw(args, results, passages)
    return 0


def _add_own(
    results: _Results,
    passages: Sequence[Passage],
    compare: Compare | None,
    without: Sequence[str],
    *,
    note: str = "",
    with_scored: bool = False,
) -> None:
    progress = Progress(len(passages), sys.stderr, noun="passages")
    result = fix_passages(
        passages, compare, without=without, with_scored=with_scored, on_done=progress.show
    )
    progress.end()
    ending = f", {note}" if note else ""
    # Ablations find most answers of the model remembered: their time says nothing.
    seconds = None if note else result.seconds
    results.lines += [
        sum_up(tier.value + ending, passages, edits, seconds)
        for tier, edits in result.edits.items()
    ]
    if with_scored:
        results.scored[_HYBRID] = result.scored


def _add_alone(results: _Results, passages: Sequence[Passage], engine: "Engine") -> None:
    progress = Progress(len(passages), sys.stderr, noun="passages")
    result = fix_alone(passages, engine, on_done=progress.show)
    progress.end()
    results.lines.append(sum_up(ALONE, passages, result.edits, result.seconds))
    results.scored[ALONE] = result.scored


def _passages(args: argparse.Namespace) -> list[Passage]:
    if args.data is not None:
        return read_passages(args.data)
    if not HOLDOUT.exists():
        raise InputError(
            "the held-out documents come with the repository only; name a folder with --data"
        )
    return draw_control(read_documents(HOLDOUT), args.cases, seed=args.seed)


def _preamble(args: argparse.Namespace, passages: Sequence[Passage], data: str) -> list[str]:
    n_pairs = sum(passage.target is not None for passage in passages)
    lines = [
        f"data {data}: {n_pairs} errors, {len(passages) - n_pairs} clean passages, "
        f"{sum(passage.n_words for passage in passages):,} words",
        f"model {args.model}" + (f", without {', '.join(args.without)}" if args.without else ""),
    ]
    missing = missing_peers()
    if missing:
        lines.append(f"left out, as not on the path: {', '.join(missing)}")
    return lines


def _table(lines: Sequence[Line]) -> Table:
    columns = {
        "precision": "precision",
        "precision_passage": "by passage",
        "recall": "recall",
        "f05": "F0.5",
        **{kind: kind for kind in KINDS},
        "false_english": "false/1000 EN",
        "false_other": "other",
        "words_per_second": "words/s",
    }
    return Table(
        title="typos fixed",
        header=("system", *columns.values()),
        rows=tuple(
            (line.system, *(_cell(name, line.figures[name]) for name in columns)) for line in lines
        ),
    )


def _by_type(lines: Sequence[Line], name: str) -> Table:
    types = list(lines[0].by_type)
    counts = [lines[0].by_type[of_type]["errors"] or 0.0 for of_type in types]
    titles = {
        "recall": "recall by type of file (errors)",
        "precision": "precision by line, by type of file (errors)",
        "false_edits": "false edits in 1,000 words of clean passages, by type of file (errors)",
    }
    return Table(
        title=titles[name],
        header=("system", *(f"{t} ({n:.0f})" for t, n in zip(types, counts, strict=True))),
        rows=tuple(
            (line.system, *(_cell(name, line.by_type[of_type][name]) for of_type in types))
            for line in lines
        ),
    )


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if name == "words_per_second" else f"{value:.3f}"


def _write_json(args: argparse.Namespace, lines: Sequence[Line], data: str) -> None:
    rows = [
        {"system": line.system, **line.figures, "by_kind": line.by_kind, "by_type": line.by_type}
        for line in lines
    ]
    settings = {"data": data, "model": args.model, "seed": args.seed, "without": args.without}
    content: dict[str, Any] = {"task": "typos", "settings": settings, "systems": rows}
    Path(args.json).write_text(json.dumps(content, indent=1) + "\n")


def _draw(args: argparse.Namespace, results: _Results, passages: Sequence[Passage]) -> None:
    points = {
        line.system: Point(
            recall=line.figures["recall"] or 0.0, precision=line.figures["precision"] or 0.0
        )
        for line in results.lines
        if "," not in line.system
    }
    n_pairs = sum(passage.target is not None for passage in passages)
    draw_curves(
        args.picture,
        f"{n_pairs} known errors, model {args.model}",
        {name: curve(passages, scored) for name, scored in results.scored.items()},
        points,
    )
