"""The document's statistics against a plain scan of its tokens."""

import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.infill.document import Blend, DocumentModel

V = 5
tokens = st.integers(0, V - 1)
streams = st.lists(st.lists(tokens, max_size=30), min_size=1, max_size=3)


def model(*ids: Sequence[int], n_context: int = 3) -> DocumentModel:
    return DocumentModel(ids, vocab_size=V, n_context=n_context)


def scanned(ids: Sequence[Sequence[int]], context: Sequence[int], token: int) -> tuple[float, int]:
    """Witten-Bell from the shortest context to the longest one that has followers."""
    p, n_matched = 1 / V, 0
    for length in range(1, len(context) + 1):
        followers = Counter(
            stream[start + length]
            for stream in ids
            for start in range(len(stream) - length)
            if list(stream[start : start + length]) == list(context[len(context) - length :])
        )
        if not followers:
            break
        n, kinds = followers.total(), len(followers)
        p = (followers[token] + kinds * p) / (n + kinds)
        n_matched = length
    return p, n_matched


@given(streams, st.lists(tokens, max_size=6))
def test_probabilities_are_those_of_a_plain_scan(ids: list[list[int]], context: list[int]) -> None:
    followers = model(*ids).after(context)
    for token in range(V):
        p, n_matched = scanned(ids, context[-3:], token)
        assert followers.of(token) == pytest.approx(p)
        assert followers.n_matched == n_matched


@given(streams, st.lists(tokens, max_size=6))
def test_probabilities_are_positive_and_add_up(ids: list[list[int]], context: list[int]) -> None:
    followers = model(*ids).after(context)
    values = [followers.of(token) for token in range(V)]
    assert min(values) > 0
    assert sum(values) == pytest.approx(1)


def test_what_ends_one_stream_is_not_followed_by_the_next() -> None:
    assert model([0, 1], [2, 3]).after([1]).n_matched == 0


def test_a_longer_match_counts_more() -> None:
    document = model([0, 1, 2, 3, 1, 4, 3, 1, 4])
    assert document.after([0, 1]).of(2) > document.after([1]).of(2)


@given(streams, st.lists(tokens, min_size=1, max_size=6), st.floats(0, 1), tokens)
def test_a_blend_lies_between_model_and_document(
    ids: list[list[int]], context: list[int], p_model: float, token: int
) -> None:
    document = model(*ids)
    p_document = document.after(context).of(token)
    half = Blend(document=document, weights=(0.5,)).probability(p_model, context, token)
    assert half == pytest.approx((p_model + p_document) / 2)
    ends = Blend(document=document, weights=(0.0,)).probability(p_model, context, token)
    assert ends == pytest.approx(p_model)
    assert math.log(half) <= 0
