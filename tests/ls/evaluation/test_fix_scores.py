"""Fixes are judged as the scorer beside the development set does."""

import pytest

from dgemma_ls.evaluation.fix_scores import LineEdit, Passage, f_beta, judge_edits, total


def passage(wrong: str = "", right: str = "", kind: str = "nonword", word: str = "") -> Passage:
    return Passage(
        name="a",
        path="a.md",
        group=kind,
        repository="a/b",
        lines=("before it", wrong, "after it"),
        target=1 if right else None,
        right_line=right,
        right_word=word,
        residual=((0, "it", "them"),),
    )


WRONG = passage("this is teh word", "this is the word", word="the")


def test_the_authors_line_is_right() -> None:
    outcome = judge_edits(WRONG, [LineEdit(1, 8, 11, "the")])
    assert (outcome.right, outcome.wrong, outcome.elsewhere, outcome.n_bytes) == (True, 0, 0, 0)


def test_replacing_the_whole_line_is_judged_by_what_changes() -> None:
    assert judge_edits(WRONG, [LineEdit(1, 0, 16, "this is the word")]).right


def test_another_word_there_is_wrong_and_detected() -> None:
    outcome = judge_edits(WRONG, [LineEdit(1, 8, 11, "ten")])
    assert (outcome.right, outcome.detected, outcome.wrong) == (False, True, 1)
    assert outcome.n_bytes == 3


def test_edits_beside_it_count_against_precision() -> None:
    edits = [LineEdit(1, 8, 11, "the"), LineEdit(1, 12, 16, "work"), LineEdit(2, 0, 5, "past")]
    outcome = judge_edits(WRONG, edits)
    assert (outcome.right, outcome.wrong, outcome.elsewhere) == (True, 1, 1)


def test_known_other_errors_are_neither_good_nor_bad() -> None:
    assert judge_edits(WRONG, [LineEdit(0, 7, 9, "them")]).elsewhere == 0
    assert judge_edits(WRONG, [LineEdit(0, 0, 6, "behind")]).elsewhere == 1


@pytest.mark.parametrize("start", [5, 8])
def test_either_of_two_equal_words_may_go(start: int) -> None:
    twice = passage("it is is so", "it is so", kind="doubled", word="is")
    assert judge_edits(twice, [LineEdit(1, start - 3, start, "")]).right or start == 8
    assert judge_edits(twice, [LineEdit(1, 5, 8, "")]).right


def test_everything_in_a_clean_passage_is_false() -> None:
    outcome = judge_edits(passage("clean"), [LineEdit(1, 0, 5, "clear")])
    assert (outcome.elsewhere, outcome.wrong) == (1, 0)


def test_totals_are_shares_of_passages_and_edits() -> None:
    good = judge_edits(WRONG, [LineEdit(1, 8, 11, "the")])
    bad = judge_edits(WRONG, [LineEdit(1, 8, 11, "ten")])
    none = judge_edits(WRONG, [])
    figures = total([good, good, bad, none])
    assert (figures["precision"], figures["recall"], figures["detected"]) == (2 / 3, 0.5, 0.75)
    assert figures["f05"] == f_beta(2 / 3, 0.5) == pytest.approx(0.625)
    assert total([none])["precision"] == 1.0
