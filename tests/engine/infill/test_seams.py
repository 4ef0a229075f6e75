"""├ ┤ stand around the text that fills a gap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.infill.copy import Copy
from dgemma_engine.infill.proposals import Scored, best_first
from dgemma_engine.infill.seams import Seam, seam_of
from tests.strategies import texts


def check(marked: str, *, n_repeated: int = 0, repeats_line: bool = False) -> None:
    prefix, _, rest = marked.partition("├")
    text, _, suffix = rest.partition("┤")
    assert seam_of(text, prefix, suffix) == Seam(n_repeated=n_repeated, repeats_line=repeats_line)


def test_a_text_that_says_nothing_twice_is_clean() -> None:
    check("x = f(├a, b┤)\n")
    check("if a:\n    b()\n├else:┤\n    c()\nelse:\n")  # short lines come again
    check("f(├g(x)┤)")


def test_the_beginning_of_the_suffix_said_again() -> None:
    check("f(├a, b)\nx┤)\nx = 1\n", n_repeated=3)
    check("f(├a, b)\nx┤, b)\nx = 1\n", n_repeated=6)
    check("f(├a)  ┤)  \n", n_repeated=0)  # a bracket and blanks are no repetition
    check("├return x┤return x\n", n_repeated=8)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_the_line_above_or_below_said_again(line_end: str) -> None:
    for marked in (
        "    x = load()\n    x = ├load()┤\n",
        "    x = load()\n\n    x = ├load()┤\n",
        "    x = ├load()┤\n    x = load()\n",
        "├first(1)\nsecond(2)┤\n\nsecond(2)\n",
    ):
        check(marked.replace("\n", line_end), repeats_line=True)
    check("    x = load()\n    y = ├load()┤\n".replace("\n", line_end))


@given(text=texts(20), prefix=texts(20), suffix=texts(20))
def test_what_is_counted_stands_on_both_sides(text: str, prefix: str, suffix: str) -> None:
    seam = seam_of(text, prefix, suffix)
    repeated = text[len(text) - seam.n_repeated :]
    assert suffix.startswith(repeated)


@given(scores=st.lists(st.floats(-9, 0), min_size=1, max_size=6))
def test_bad_seams_come_last_and_scores_decide_the_rest(scores: list[float]) -> None:
    scored = [
        Scored(
            proposal=Copy(ids=(n,), n_left=1, n_right=1),
            text=f"a{n}" if n % 2 else f"a{n}, rest)",
            score=score,
        )
        for n, score in enumerate(scores)
    ]
    ranked = best_first(scored, ("f(", ", rest)\n"))
    clean = [seam_of(one.text, "f(", ", rest)\n").is_clean for one in ranked]
    assert clean == sorted(clean, reverse=True)
    for wanted in (True, False):
        kept = [
            one.score for one, is_clean in zip(ranked, clean, strict=True) if is_clean is wanted
        ]
        assert kept == sorted(kept, reverse=True)
