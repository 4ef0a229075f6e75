"""The figures of one system's edits: over all, by kind of error and by type of file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dgemma_ls.evaluation.fix_scores import (
    NON_ENGLISH,
    LineEdit,
    Outcome,
    Passage,
    judge_edits,
    total,
)
from dgemma_ls.proofread.proposals import Kind
from dgemma_ls.syntax import language_for_path

KINDS = tuple(kind.value for kind in Kind)
Figures = dict[str, float | None]
Rows = Sequence[tuple[Passage, Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one system reached.

    Attributes:
        system: its name.
        figures: over all.
        by_kind: of the errors of each kind.
        by_type: of the passages of each type of file.
    """

    system: str
    figures: Figures
    by_kind: dict[str, Figures]
    by_type: dict[str, Figures]


def sum_up(
    system: str,
    passages: Sequence[Passage],
    edits: Sequence[Sequence[LineEdit]],
    seconds: float | None,
) -> Line:
    """Give the figures of one system.

    Args:
        system: its name.
        passages: all of them.
        edits: of each.
        seconds: that they took, if they were measured.
    """
    outcomes = [judge_edits(p, e) for p, e in zip(passages, edits, strict=True)]
    rows = list(zip(passages, outcomes, strict=True))
    by_kind = {
        kind: _of_pairs(of_kind)
        for kind in KINDS
        if (of_kind := [row for row in rows if row[0].group == kind])
    }
    figures = _of_pairs(rows)
    figures |= {kind: by_kind[kind]["recall"] if kind in by_kind else None for kind in KINDS}
    for name, foreign in (("false_english", False), ("false_other", True)):
        figures[name] = _false_edits(
            [row for row in rows if (row[0].group == NON_ENGLISH) == foreign]
        )
    n_words = sum(passage.n_words for passage in passages)
    figures["words_per_second"] = None if seconds is None else n_words / max(seconds, 1e-9)
    return Line(system=system, figures=figures, by_kind=by_kind, by_type=_grouped(rows, file_type))


def file_type(passage: Passage) -> str:
    """Give the language of a passage's file, by its name."""
    return language_for_path(passage.path)


def _grouped(rows: Rows, key: Callable[[Passage], str]) -> dict[str, Figures]:
    names = [key(passage) for passage, _ in rows]
    found = {}
    for name in sorted(set(names), key=lambda name: (-names.count(name), name)):
        of_group = [row for row, other in zip(rows, names, strict=True) if other == name]
        found[name] = _of_pairs(of_group) | {"false_edits": _false_edits(of_group)}
    return found


def _of_pairs(rows: Rows) -> Figures:
    outcomes = [outcome for passage, outcome in rows if passage.target is not None]
    if not outcomes:
        return {"errors": 0.0, "precision": None, "recall": None, "f05": None}
    pairs = total(outcomes)
    names = ("precision", "precision_passage", "recall", "f05", "detected", "wrong")
    return {"errors": float(len(outcomes)), **{name: pairs[name] for name in names}}


def _false_edits(rows: Rows) -> float | None:
    """Give the edits in 1,000 words of clean passages."""
    clean = [row for row in rows if row[0].target is None]
    n_words = sum(passage.n_words for passage, _ in clean)
    return 1000 * sum(outcome.elsewhere for _, outcome in clean) / n_words if n_words else None
