"""Bridges: endings by a search that looks at every place, joins by a loop that encodes anew."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.infill.bridge import Bridge, find_endings, propose_bridges
from dgemma_engine.infill.causal import Continuation
from tests.engine.conftest import Pair, branches_after

PREFIX = "def f(self, path):\n    return self."

texts = st.lists(st.integers(0, 4), max_size=40)


def _endings(before: str, after: str, *, n_tokens: int = 3) -> list[str]:
    found = find_endings([*map(ord, before)], [*map(ord, after)], n_tokens=n_tokens)
    return ["".join(map(chr, ending)) for ending in found]


def test_what_stood_before_the_same_suffix_is_an_ending_of_every_length() -> None:
    assert _endings("call(a, key); call(b, ", "); x") == ["y", "ey", "key"]


def test_the_longer_match_comes_first() -> None:
    assert _endings("1); 2) ", ") ", n_tokens=1) == ["2", "1"]


def test_of_equal_matches_the_nearest_before_the_gap_comes_first() -> None:
    assert _endings("1) 2) ", ") 3) ", n_tokens=1) == ["2", "1", "3"]


def test_without_a_suffix_there_is_no_ending() -> None:
    assert _endings("1) 2) ", "") == []


@given(before=texts, after=texts, n_tokens=st.integers(1, 5))
def test_every_ending_stands_before_the_first_token_of_the_suffix(
    before: list[int], after: list[int], n_tokens: int
) -> None:
    endings = find_endings(before, after, n_tokens=n_tokens)

    stand_there = {
        tuple(text[place - n : place])
        for text in (before, after)
        for place in range(1, len(text))
        for n in range(1, min(n_tokens, place) + 1)
        if after and text[place] == after[0]
    }
    assert set(endings) <= stand_there
    assert len(endings) == len(set(endings))
    assert bool(endings) == bool(stand_there)


def _bridges(
    pair: Pair,
    paths: list[Continuation],
    endings: list[tuple[int, ...]],
    *,
    lengths: range = range(1, 9),
    n_proposals: int = 100,
    forbidden: int = -1,
) -> list[Bridge]:
    *known, last = pair.engine.tokenizer.encode(PREFIX)
    return propose_bridges(
        pair.engine.model,
        branches_after(pair, known),
        last,
        paths,
        endings,
        lengths=lengths,
        n_proposals=n_proposals,
        accept=lambda ids: forbidden not in ids,
    )


def _path(*ids: int, log_prob: float) -> Continuation:
    return Continuation(ids=ids, log_prob=log_prob, log_follow=0.0)


PATHS = [_path(20, log_prob=-1.0), _path(20, 21, log_prob=-2.5), _path(30, 31, 32, log_prob=-2.0)]
ENDINGS = [(40,), (41, 42), (21,), (43, 44, 45, 46)]


@torch.inference_mode()
def test_bridges_are_scored_by_their_path_and_the_first_token_beyond_it(textual: Pair) -> None:
    bridges = _bridges(textual, PATHS, ENDINGS)

    known = textual.engine.tokenizer.encode(PREFIX)
    wanted: dict[tuple[int, ...], float] = {}
    for path in [_path(log_prob=0.0), *PATHS]:
        output, _ = textual.engine.model.encode(
            torch.tensor([[*known, *path.ids]]), 0, None, want_output=True
        )
        assert output is not None
        log_probs = textual.engine.model.logits(output[0, -1]).log_softmax(dim=-1)
        for ending in ENDINGS:
            score = path.log_prob + log_probs[ending[0]].item() - 0.5 * (len(ending) - 1)
            ids = (*path.ids, *ending)
            wanted[ids] = max(score, wanted.get(ids, -math.inf))
    wanted.pop((20, 21))  # which is a path already
    assert {bridge.ids for bridge in bridges} == set(wanted)
    for bridge in bridges:
        assert math.isclose(bridge.log_prob, wanted[bridge.ids], abs_tol=1e-4)
    assert [b.log_prob for b in bridges] == sorted((b.log_prob for b in bridges), reverse=True)


def test_a_bridge_has_one_of_the_lengths_that_are_asked_for(textual: Pair) -> None:
    assert {
        len(bridge.ids) for bridge in _bridges(textual, PATHS, ENDINGS, lengths=range(4, 6))
    } == {
        4,
        5,
    }


def test_only_the_likeliest_are_given_that_are_accepted(textual: Pair) -> None:
    bridges = _bridges(textual, PATHS, ENDINGS)
    forbidden = bridges[0].ids[-1]

    assert _bridges(textual, PATHS, ENDINGS, n_proposals=3) == bridges[:3]
    assert _bridges(textual, PATHS, ENDINGS, forbidden=forbidden) == [
        bridge for bridge in bridges if forbidden not in bridge.ids
    ]


def test_without_endings_nothing_is_read(textual: Pair) -> None:
    assert _bridges(textual, PATHS, []) == []
