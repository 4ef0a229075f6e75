"""Brackets and quotes against a naive count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.syntax import count_unpaired, find_unpaired
from tests.strategies import texts


@pytest.mark.parametrize(
    ("text", "n_unpaired"),
    [
        ("", 0),
        ("f([{}])", 0),
        ("f(", 1),
        (")", 1),
        (")(", 2),
        ("(]", 2),
        ("([)]", 2),
        ('say "hi"', 0),
        ('say "hi', 1),
        ("don't", 0),
    ],
)
def test_brackets_and_quotes_without_partner_are_counted(text: str, n_unpaired: int) -> None:
    assert count_unpaired(text) == n_unpaired


def naive_unpaired(text: str) -> list[int]:
    opened: list[int] = []
    unpaired = []
    for place, char in enumerate(text):
        if char in "([{":
            opened.append(place)
        elif char in ")]}":
            if opened and text[opened[-1]] + char in ("()", "[]", "{}"):
                opened.pop()
            else:
                unpaired.append(place)
    return sorted(unpaired + opened)


@given(st.one_of(texts(), st.text('([{}])"é𝒳', max_size=40)))
def test_the_fast_count_is_the_naive_one(text: str) -> None:
    assert find_unpaired(text) == tuple(naive_unpaired(text))
    assert count_unpaired(text) == len(naive_unpaired(text)) + text.count('"') % 2
