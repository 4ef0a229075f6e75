"""Candidates of a request are distinct to whoever looks at them."""

import math

from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.infill.copy import Copy
from dgemma_engine.infill.proposals import Scored, best_first
from dgemma_engine.infill.seams import seam_of
from tests.engine.conftest import Pair

AROUND = ("f(", ")\n")


def look(text: str) -> str:
    """A text with every run of white space as one blank, and none at its ends."""
    words, word = [], ""
    for char in text + " ":
        if not char.isspace():
            word += char
        elif word:
            words.append(word)
            word = ""
    return " ".join(words)


scored = st.lists(
    st.builds(
        lambda text, score, n: Scored(
            proposal=Copy(ids=(1,) * n, n_left=1, n_right=1), text=text, score=score
        ),
        st.text("ab \t\n\u00a0", min_size=1, max_size=5),
        st.floats(-9, 0),
        st.integers(1, 4),
    ),
    max_size=12,
)


@given(scored)
def test_no_two_candidates_look_the_same_and_each_look_has_its_best(proposed: list[Scored]) -> None:
    ranked = best_first(proposed, AROUND)

    looks = [look(one.text) for one in ranked]
    assert len(set(looks)) == len(looks)
    assert set(looks) == {look(one.text) for one in proposed}
    for one in ranked:
        clean = seam_of(one.text, *AROUND).is_clean
        rivals = [
            other.score
            for other in proposed
            if look(other.text) == look(one.text) and seam_of(other.text, *AROUND).is_clean >= clean
        ]
        assert one.score >= max(rivals, default=-math.inf)


def test_several_candidates_of_one_batch_look_different(textual: Pair) -> None:
    for seed in range(4):
        result = textual.engine.infill("x = [", "]\n", seed=seed, n_candidates=5)
        looks = [look(candidate.text) for candidate in result.candidates]
        assert 2 <= len(set(looks)) == len(looks) <= 5
