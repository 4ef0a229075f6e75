"""What usual neighbours tell."""

import numpy as np
import pytest

from dgemma_ls.proofread.ngrams import BREAK, load_ngrams

NGRAMS = load_ngrams()


def gain(old: str, new: str) -> float:
    def row(text: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
        ids = [NGRAMS.id(word) if word.isalpha() else BREAK for word in text.split()]
        return np.array([ids])

    return float((NGRAMS.score(row(new)) - NGRAMS.score(row(old)))[0])


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("is read from the file", "is read form the file"),
        ("it will return the value", "it will returns the value"),
        ("when the value is", "when the the value is"),
        ("value can be used to", "value can used to"),
    ],
)
def test_what_people_write_is_likelier(right: str, wrong: str) -> None:
    assert gain(wrong, right) > 3
    assert gain(right, wrong) < 0


def test_scores_do_not_depend_on_the_rows_beside() -> None:
    rows = np.array([[5, 6, 7, 8], [0, 1, 2, 3], [9, 9, 9, 9]])
    together = NGRAMS.score(rows)
    alone = [NGRAMS.score(rows[at : at + 1])[0] for at in range(3)]
    assert together == pytest.approx(alone)


def test_probabilities_are_no_more_than_one() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2_000, size=(5_000, 3))
    assert NGRAMS.log_probability(rows).max() <= 0.2  # counts are kept to an eighth of an octave
