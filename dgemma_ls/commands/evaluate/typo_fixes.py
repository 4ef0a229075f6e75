"""The part of ``eval typos`` that fixes passages: our tiers, ablations, peers, one table."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dgemma_ls.commands.arguments import EngineLoader, InputError
from dgemma_ls.commands.evaluate.arguments import HOLDOUT
from dgemma_ls.commands.evaluate.running import load_for
from dgemma_ls.evaluation.cases import read_documents
from dgemma_ls.evaluation.control import draw_control
from dgemma_ls.evaluation.fix_scores import (
    NON_ENGLISH,
    LineEdit,
    Passage,
    judge_edits,
    read_passages,
    total,
)
from dgemma_ls.evaluation.fixers import installed_peers
from dgemma_ls.evaluation.layout import Table, to_text
from dgemma_ls.evaluation.own_fixer import PARTS, fix_passages
from dgemma_ls.evaluation.progress import Progress

if TYPE_CHECKING:
    from dgemma_engine import Engine

_KINDS = ("nonword", "realword", "doubled", "missing", "grammar")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one system reached."""

    system: str
    figures: dict[str, float | None]


def run_fixes(args: argparse.Namespace, load: EngineLoader) -> int:
    """Fix the passages by every system, print the table, write JSON.

    Raises:
        FileError: the data are missing or damaged.
        InputError: there is no control set to draw from.
    """
    passages = _passages(args)
    engine = None if "model" in args.without else load_for(args, load)
    lines = _own(passages, engine, args.without)
    if args.ablate:
        for part in PARTS:
            if part not in args.without:
                without = (*args.without, part)
                lines += _own(passages, engine, without, note=f"without {part}")
    for name, fixer in installed_peers().items():
        started = time.perf_counter()
        edits = fixer(passages)
        lines.append(sum_up(name, passages, edits, time.perf_counter() - started))
    n_pairs = sum(passage.target is not None for passage in passages)
    data = "control set" if args.data is None else str(args.data)
    preamble = [
        f"data {data}: {n_pairs} errors, {len(passages) - n_pairs} clean passages, "
        f"{sum(passage.n_words for passage in passages):,} words",
        f"model {args.model}" + (f", without {', '.join(args.without)}" if args.without else ""),
    ]
    sys.stdout.write(to_text(preamble, [_table(lines)]))
    if args.json:
        rows = [{"system": line.system, **line.figures} for line in lines]
        settings = {"data": data, "model": args.model, "seed": args.seed, "without": args.without}
        content: dict[str, Any] = {"task": "typos", "settings": settings, "systems": rows}
        Path(args.json).write_text(json.dumps(content, indent=1) + "\n")
    return 0


def sum_up(
    system: str, passages: Sequence[Passage], edits: Sequence[Sequence[LineEdit]], seconds: float
) -> Line:
    """Give the figures of one system.

    Args:
        system: its name.
        passages: all of them.
        edits: of each.
        seconds: that they took.
    """
    outcomes = [judge_edits(p, e) for p, e in zip(passages, edits, strict=True)]
    rows = list(zip(passages, outcomes, strict=True))
    pairs = total([outcome for passage, outcome in rows if passage.target is not None])
    figures: dict[str, float | None] = {
        name: pairs[name]
        for name in ("precision", "precision_passage", "recall", "f05", "detected", "wrong")
    }
    for kind in _KINDS:
        of_kind = [outcome for passage, outcome in rows if passage.group == kind]
        figures[kind] = total(of_kind)["recall"] if of_kind else None
    for name, foreign in (("false_english", False), ("false_other", True)):
        clean = [
            (passage, outcome)
            for passage, outcome in rows
            if passage.target is None and (passage.group == NON_ENGLISH) == foreign
        ]
        n_words = sum(passage.n_words for passage, _ in clean)
        n_false = sum(outcome.elsewhere for _, outcome in clean)
        figures[name] = 1000 * n_false / n_words if n_words else None
    figures["words_per_second"] = sum(passage.n_words for passage in passages) / max(seconds, 1e-9)
    return Line(system=system, figures=figures)


def _own(
    passages: Sequence[Passage],
    engine: "Engine | None",
    without: Sequence[str],
    note: str = "",
) -> list[Line]:
    progress = Progress(len(passages), sys.stderr, noun="passages")
    compare = None if engine is None else partial(engine.compare)
    result = fix_passages(passages, compare, without=without, on_done=progress.show)
    progress.end()
    ending = f", {note}" if note else ""
    return [
        sum_up(tier.value + ending, passages, edits, result.seconds)
        for tier, edits in result.edits.items()
    ]


def _passages(args: argparse.Namespace) -> list[Passage]:
    if args.data is not None:
        return read_passages(args.data)
    if not HOLDOUT.exists():
        raise InputError(
            "the held-out documents come with the repository only; name a folder with --data"
        )
    return draw_control(read_documents(HOLDOUT), args.cases, seed=args.seed)


def _table(lines: Sequence[Line]) -> Table:
    columns = {
        "precision": "precision",
        "precision_passage": "by passage",
        "recall": "recall",
        "f05": "F0.5",
        **{kind: kind for kind in _KINDS},
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


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if name == "words_per_second" else f"{value:.3f}"
