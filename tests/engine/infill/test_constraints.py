"""The best allowed sequence, against trying out every sequence there is."""

import itertools
import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.infill.automata import (
    Automaton,
    BalancedBrackets,
    Between,
    Both,
    Identifier,
    Number,
    StringBody,
    Utf8,
)
from dgemma_engine.infill.constraints import (
    Candidates,
    TokenAutomaton,
    most_probable,
    top_candidates,
)
from tests.engine.infill.test_automata import accepts

AUTOMATA: list[Automaton[Any]] = [
    Identifier(),
    Number(),
    StringBody(b"'"),
    BalancedBrackets(max_depth=2),
    Utf8(),
    Both(BalancedBrackets(), Both(StringBody(b"`"), Utf8())),
    Between(Identifier(), begun=(True, b""), after=b"0", head=b"(a"),
    Between(StringBody(b"'"), begun=True, after=b"'"),
]
PIECES = (b"a", b"(", b")", b"(a", b"a)", b")a", b"\n", b"'", b"0", b".1", b"\\", b"\xc3", b"\xa9[")

vocabularies = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6, unique=True)


@st.composite
def marginals(draw: st.DrawFn) -> tuple[list[bytes], list[Candidates]]:
    """A vocabulary of up to six tokens and a token without text, and up to five positions."""
    vocabulary = [*draw(vocabularies), b""]
    log_prob = st.floats(-9, -0.01, allow_nan=False)
    candidates = []
    for _ in range(draw(st.integers(1, 5))):
        ids = draw(st.lists(st.integers(0, len(vocabulary) - 1), min_size=1, unique=True))
        values = sorted((draw(log_prob) for _ in ids), reverse=True)
        candidates.append(list(zip(ids, values, strict=True)))
    return vocabulary, candidates


def best_by_trying_all(
    vocabulary: list[bytes], candidates: list[Candidates], automaton: Automaton[Any]
) -> float:
    best = -math.inf
    for choice in itertools.product(*candidates):
        texts = [vocabulary[token] for token, _ in choice]
        if all(texts) and accepts(automaton, b"".join(texts)):
            best = max(best, sum(log_prob for _, log_prob in choice))
    return best


@pytest.mark.parametrize("automaton", AUTOMATA, ids=lambda it: type(it).__name__)
@given(drawn=marginals(), n_scouts=st.sampled_from([1, 1, 2, 8]))
def test_the_result_is_allowed_and_nothing_allowed_is_more_probable(
    automaton: Automaton[Any], drawn: tuple[list[bytes], list[Candidates]], n_scouts: int
) -> None:
    vocabulary, candidates = drawn
    best = best_by_trying_all(vocabulary, candidates, automaton)

    found = most_probable(candidates, TokenAutomaton(automaton, vocabulary), n_scouts=n_scouts)

    if best == -math.inf:
        assert found is None
        return
    assert found is not None
    assert math.isclose(found.log_probability, best, abs_tol=1e-9)
    of_position = [dict(position) for position in candidates]
    assert len(found.ids) == len(candidates)
    total = sum(values[token] for values, token in zip(of_position, found.ids, strict=True))
    assert math.isclose(total, found.log_probability, abs_tol=1e-9)
    texts = [vocabulary[token] for token in found.ids]
    assert all(texts)
    assert accepts(automaton, b"".join(texts))


@given(first=marginals(), second=marginals())
def test_what_is_remembered_of_one_search_does_not_change_the_next(
    first: tuple[list[bytes], list[Candidates]], second: tuple[list[bytes], list[Candidates]]
) -> None:
    vocabulary = first[0]
    others = [
        [(token % len(vocabulary), value) for token, value in position] for position in second[1]
    ]
    machine = TokenAutomaton(BalancedBrackets(), vocabulary)
    alone = most_probable(others, TokenAutomaton(BalancedBrackets(), vocabulary))
    most_probable(first[1], machine)
    assert most_probable(others, machine) == alone


@given(drawn=marginals(), max_states=st.integers(1, 3))
def test_with_few_states_the_result_is_still_allowed(
    drawn: tuple[list[bytes], list[Candidates]], max_states: int
) -> None:
    vocabulary, candidates = drawn
    machine = TokenAutomaton(BalancedBrackets(), vocabulary)
    exact = most_probable(candidates, machine)
    found = most_probable(candidates, machine, max_states=max_states)
    if found is not None:
        assert exact is not None
        assert found.log_probability <= exact.log_probability + 1e-9
        assert accepts(BalancedBrackets(), b"".join(vocabulary[token] for token in found.ids))


def test_the_quick_search_is_not_taken_for_the_answer() -> None:
    """One scout closes the bracket in the first token; opening it first is worth more."""
    vocabulary = [b"()", b"(", b")", b"x"]
    candidates: list[Candidates] = [[(0, -1.0), (1, -1.1)], [(2, -0.1), (3, -0.5)]]
    found = most_probable(candidates, TokenAutomaton(BalancedBrackets(), vocabulary), n_scouts=1)
    assert found is not None
    assert found.ids == (1, 2)


def test_a_position_without_candidates_has_no_result() -> None:
    machine = TokenAutomaton(Identifier(), [b"a"])
    assert most_probable([[(0, -1.0)], []], machine) is None


def test_an_id_beyond_the_vocabulary_is_never_chosen() -> None:
    machine = TokenAutomaton(Identifier(), [b"a"])
    found = most_probable([[(7, -0.1), (0, -3.0)]], machine)
    assert found is not None
    assert found.ids == (0,)


def test_candidates_are_the_best_tokens_that_are_not_forbidden() -> None:
    log_probs = torch.tensor([[-3.0, -1.0, -torch.inf, -2.0], [-1.0, -torch.inf, -torch.inf, -4.0]])
    assert top_candidates(log_probs, 3) == [
        [(1, -1.0), (3, -2.0), (0, -3.0)],
        [(0, -1.0), (3, -4.0)],
    ]
    assert top_candidates(log_probs, 2)[0] == [(1, -1.0), (3, -2.0)]
    assert len(top_candidates(log_probs)[0]) == 3  # the vocabulary is smaller than the default
