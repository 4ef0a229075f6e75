"""How proposals compete."""

import pytest

from dgemma_engine.types import Span
from dgemma_ls.proofread.decide import Weights, choose, load_weights
from dgemma_ls.proofread.proposals import Kind, Proposal

WEIGHTS = {kind: Weights(bias=-1.0, weights={"good": 2.0}, safe=0.9, suggest=0.5) for kind in Kind}


def proposal(
    new: str, place: tuple[int, int, int], kind: Kind = Kind.NONWORD, **features: float
) -> Proposal:
    span = Span(start=10 * place[1], end=10 * place[2])
    return Proposal(kind=kind, span=span, new_text=new, place=place, features=features)


def test_the_best_of_a_place_is_chosen_and_the_others_are_kept_in_order() -> None:
    rows = [proposal(new, (0, 3, 4), good=good) for new, good in (("a", 1), ("b", 3), ("c", 2))]
    (choice,) = choose(rows, WEIGHTS)
    assert choice.proposal.new_text == "b"
    assert choice.others == ("c", "a")


def test_rivals_share_the_odds() -> None:
    (alone,) = choose([proposal("a", (0, 3, 4), good=2)], WEIGHTS)
    (pair,) = choose([proposal(new, (0, 3, 4), good=2) for new in "ab"], WEIGHTS)
    assert pair.probability < 0.5 < alone.probability


def test_places_apart_are_decided_apart() -> None:
    rows = [proposal("a", (0, 3, 4), good=2), proposal("b", (0, 4, 5), good=2)]
    rows.append(proposal("c", (1, 3, 4), good=2))
    assert [choice.proposal.new_text for choice in choose(rows, WEIGHTS)] == ["a", "b", "c"]


def test_where_neighbours_alone_tell_places_beside_each_other_compete() -> None:
    rows = [
        proposal("be ", (0, 4, 4), Kind.MISSING, good=3),
        proposal("use", (0, 4, 5), Kind.GRAMMAR, good=2),
        proposal("it", (0, 3, 4), Kind.REALWORD, good=1),
    ]
    assert [choice.proposal.new_text for choice in choose(rows, WEIGHTS)] == ["be "]


def test_a_list_with_one_correction_settles_it_but_for_names() -> None:
    (listed,) = choose([proposal("a", (0, 3, 4), listed_alone=1.0)], WEIGHTS)
    (name,) = choose([proposal("a", (0, 3, 4), listed_alone=1.0, capital_inside=1.0)], WEIGHTS)
    assert listed.probability == pytest.approx(0.99)
    assert name.probability < 0.5


@pytest.mark.parametrize("with_model", [False, True])
def test_every_kind_has_weights_and_what_is_safe_is_suggested(with_model: bool) -> None:
    table = load_weights(with_model=with_model)
    assert set(table) == set(Kind)
    for weights in table.values():
        assert 0 < weights.suggest <= weights.safe <= 1
