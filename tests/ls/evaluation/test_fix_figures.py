"""Figures of a system over all, by kind of error and by type of file."""

from dgemma_ls.evaluation.fix_figures import sum_up
from dgemma_ls.evaluation.fix_scores import LineEdit, Passage


def passage(path: str, group: str, wrong: str, right: str = "") -> Passage:
    return Passage(
        name="a",
        path=path,
        group=group,
        repository="a/b",
        lines=(wrong,),
        target=0 if right else None,
        right_line=right,
        right_word="",
        residual=(),
    )


PASSAGES = [
    passage("a.md", "nonword", "teh one", "the one"),
    passage("b.md", "realword", "form one", "from one"),
    passage("c.py", "nonword", "# teh two", "# the two"),
    passage("d.py", "prose", "a clean line of ten words is not quite enough"),
    passage("e.md", "nonenglish", "das ist gut"),
]
EDITS = [
    [LineEdit(0, 0, 3, "the")],
    [],
    [LineEdit(0, 2, 5, "ten")],
    [LineEdit(0, 0, 1, "the")],
    [],
]


def test_kinds_and_types_are_told_apart() -> None:
    line = sum_up("mine", PASSAGES, EDITS, 2.0)
    assert (line.figures["recall"], line.figures["precision"]) == (1 / 3, 0.5)
    assert (line.figures["nonword"], line.figures["realword"]) == (0.5, 0.0)
    assert line.figures["doubled"] is None
    assert line.by_kind["nonword"]["errors"] == 2
    assert line.by_kind["nonword"]["precision"] == 0.5
    assert line.by_type["markdown"]["recall"] == 0.5
    assert line.by_type["python"]["recall"] == 0.0


def test_false_edits_are_those_of_clean_passages() -> None:
    line = sum_up("mine", PASSAGES, EDITS, 2.0)
    assert line.by_type["python"]["false_edits"] == 100.0
    assert line.by_type["markdown"]["false_edits"] == 0.0
    assert line.figures["false_english"] == 100.0
    assert line.figures["false_other"] == 0.0


def test_a_time_that_says_nothing_gives_no_speed() -> None:
    assert sum_up("mine", PASSAGES, EDITS, None).figures["words_per_second"] is None
