"""Precision and recall as the threshold moves."""

from pathlib import Path

import pytest

from dgemma_ls.evaluation.fix_curve import Point, ScoredEdit, curve, draw_curves
from dgemma_ls.evaluation.fix_scores import LineEdit, Passage
from dgemma_ls.files import FileError


def passage(wrong: str, right: str) -> Passage:
    return Passage(
        name="a",
        path="a.md",
        group="nonword",
        repository="a/b",
        lines=(wrong,),
        target=0 if right else None,
        right_line=right,
        right_word="",
        residual=(),
    )


PASSAGES = [passage("teh one", "the one"), passage("teh two", "the two"), passage("clean", "")]


def test_a_lower_threshold_brings_recall_and_costs_precision() -> None:
    edits = [
        [ScoredEdit(LineEdit(0, 0, 3, "the"), 0.9)],
        [ScoredEdit(LineEdit(0, 0, 3, "ten"), 0.5)],
        [ScoredEdit(LineEdit(0, 0, 5, "clear"), 0.99)],
    ]
    points = curve(PASSAGES, edits)
    assert points[0] == Point(recall=0.5, precision=1.0)
    assert points[-1] == Point(recall=0.5, precision=0.5)


def test_a_system_that_does_nothing_has_no_curve() -> None:
    assert curve(PASSAGES, [[], [], []]) == []


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_a_picture_is_drawn_the_same_each_time(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("matplotlib")
    written = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.{suffix}"
        line = [Point(recall=0.1, precision=1.0), Point(recall=0.5, precision=0.8)]
        draw_curves(path, "title", {"all": line}, {"list": Point(recall=0.3, precision=0.9)})
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert written[0]


def test_an_unknown_kind_of_picture_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    with pytest.raises(FileError, match="cannot be written"):
        draw_curves(tmp_path / "a.xyz", "title", {}, {"a": Point(recall=0.5, precision=0.5)})
