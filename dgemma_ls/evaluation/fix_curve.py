"""Precision and recall as the threshold moves, and the picture of it beside other systems."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dgemma_ls.evaluation.fix_scores import LineEdit, Passage, judge_edits, total
from dgemma_ls.files import FileError

_N_POINTS = 40
_MIN_PRECISION_SHOWN = 0.5


@dataclass(frozen=True, slots=True)
class ScoredEdit:
    """An edit and how sure it is.

    Attributes:
        edit: of a line.
        score: higher is surer; comparable within one system.
    """

    edit: LineEdit
    score: float


@dataclass(frozen=True, slots=True)
class Point:
    """What a system reaches: shares of 1."""

    recall: float
    precision: float


def curve(passages: Sequence[Passage], edits: Sequence[Sequence[ScoredEdit]]) -> list[Point]:
    """Give precision by line and recall for thresholds from strict to lax.

    Args:
        passages: with one known error each; others are left out.
        edits: of each passage.
    """
    pairs = [
        (passage, of_passage)
        for passage, of_passage in zip(passages, edits, strict=True)
        if passage.target is not None
    ]
    scores = sorted({edit.score for _, of_passage in pairs for edit in of_passage}, reverse=True)
    step = max(1, len(scores) // _N_POINTS)
    points = []
    for least in [*scores[step - 1 :: step], *scores[-1:]]:
        figures = total(
            [
                judge_edits(passage, [scored.edit for scored in row if scored.score >= least])
                for passage, row in pairs
            ]
        )
        points.append(Point(recall=figures["recall"], precision=figures["precision"]))
    return points


def draw_curves(
    path: Path,
    title: str,
    curves: Mapping[str, Sequence[Point]],
    points: Mapping[str, Point],
) -> None:
    """Write the picture; the suffix says of what kind it is. Needs matplotlib.

    Args:
        path: the file.
        title: above it.
        curves: of systems whose threshold can be moved.
        points: of all others.

    Raises:
        FileError: the file cannot be written, or the suffix stands for no kind of picture.
    """
    # Figures of their own, without pyplot, need no display and leave nothing behind.
    figure = importlib.import_module("matplotlib.figure").Figure(
        figsize=(8, 5), layout="constrained"
    )
    axes = figure.subplots()
    for name, line in curves.items():
        axes.plot([p.recall for p in line], [p.precision for p in line], label=name)
    markers = "osD^v<>P*X"
    for row, (name, point) in enumerate(points.items()):
        axes.plot(
            [point.recall], [point.precision], markers[row % len(markers)], label=name, zorder=3
        )
    lowest = min((point.precision for point in points.values()), default=1.0)
    axes.set_ylim(min(_MIN_PRECISION_SHOWN, lowest - 0.03), 1.01)
    axes.set_xlim(left=0)
    axes.set_xlabel("recall")
    axes.set_ylabel("precision by line")
    axes.set_title(title, fontsize="medium")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small", loc="lower left")
    # No date and no random names: the same figures give the same file.
    metadata = {"Date": None} if path.suffix == ".svg" else None
    same_names = importlib.import_module("matplotlib").rc_context({"svg.hashsalt": "dgemma-ls"})
    try:
        with same_names:
            figure.savefig(path, dpi=110, metadata=metadata)
    except (OSError, ValueError) as err:
        raise FileError(f"{path} cannot be written: {err}") from err
