"""Which closers a gap owes."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dgemma_engine.infill.brackets import closers_due


@pytest.mark.parametrize(
    ("prefix", "suffix", "due"),
    [
        ("f(", ")\n", b""),
        ("f(", "\n", b")"),
        ("f(g[", ")", b"]"),
        ("f({[", "", b")}]"),
        ("f(x)\n", "g(y)\n", b""),
        ("f(", "g(y))\n", b""),
        ("", ")", None),
        ("f(", "]", None),
        ("f)(", ")", b""),
    ],
)
def test_what_is_open_before_and_not_closed_after_is_due(
    prefix: str, suffix: str, due: bytes | None
) -> None:
    assert closers_due(prefix, suffix) == due


@st.composite
def balanced(draw: st.DrawFn, depth: int = 3) -> str:
    if not depth:
        return "a"
    inner = draw(balanced(depth - 1))
    opener, closer = draw(st.sampled_from(["()", "[]", "{}", "  "]))
    return f"{opener}{inner}{closer}" + draw(st.sampled_from(["", "b", inner]))


def unmatched(text: str) -> tuple[str, int]:
    """Closers without their opener, in order, and how many openers stay open."""
    n_open, closers = 0, ""
    for char in text:
        if char in "([{":
            n_open += 1
        elif char in ")]}":
            if n_open:
                n_open -= 1
            else:
                closers += char
    return closers, n_open


@given(text=balanced(), cuts=st.tuples(st.integers(0, 60), st.integers(0, 60)))
def test_what_was_cut_out_is_what_is_due(text: str, cuts: tuple[int, int]) -> None:
    start, end = sorted(min(cut, len(text)) for cut in cuts)
    closers, n_open = unmatched(text[start:end])
    assume(not n_open)  # else the suffix closes what nobody sees opened
    due = closers_due(text[:start], text[end:])
    assert due is not None
    assert due.decode()[::-1] == closers
