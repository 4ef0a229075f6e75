"""Counts and probabilities against dictionaries."""

import random
from collections import Counter

import numpy as np
import pytest

from dgemma_ls.evaluation.ngrams import NgramCounts, WittenBell

VOCAB = 11
RNG = random.Random(2)
STREAMS = [[RNG.randrange(4) for _ in range(n)] for n in (80, 50, 2, 0)]


def counts(n_context: int = 3, streams: list[list[int]] = STREAMS) -> NgramCounts:
    arrays = [np.array(stream, dtype=np.int64) for stream in streams]
    return NgramCounts(arrays, n_context=n_context, vocab_size=VOCAB)


def naive_followers(context: tuple[int, ...]) -> Counter[int]:
    n = len(context)
    return Counter(
        stream[idx]
        for stream in STREAMS
        for idx in range(n, len(stream))
        if tuple(stream[idx - n : idx]) == context
    )


def naive_probability(before: tuple[int, ...], token: int, n_context: int) -> float:
    value = 1 / VOCAB
    for n in range(min(n_context, len(before)) + 1):
        seen = naive_followers(before[len(before) - n :])
        if seen:
            total = sum(seen.values()) + len(seen)
            value = (seen[token] + len(seen) * value) / total
    return value


def test_followers_are_those_of_a_dictionary() -> None:
    table = counts()
    contexts = [(), (0,), (9,), (3, 1), (1, 3), *(tuple(STREAMS[0][i : i + 3]) for i in range(40))]
    for context in contexts:
        tokens, numbers = table.followers(context)
        assert dict(zip(tokens.tolist(), numbers.tolist(), strict=True)) == dict(
            naive_followers(context)
        )


def test_no_count_reaches_from_one_stream_into_the_next() -> None:
    table = counts(1, [[1, 2], [3, 4]])
    assert table.followers((2,))[0].tolist() == []
    assert table.followers((3,))[0].tolist() == [4]


def test_probabilities_are_the_textbook_s_and_add_up() -> None:
    model = WittenBell(counts(), vocab_size=VOCAB)
    for before in [(), (2,), (9, 1), tuple(STREAMS[1][:7]), (1, 1, 1, 1)]:
        probabilities = model.next_token(before)
        assert probabilities.sum() == pytest.approx(1.0)
        for token in range(VOCAB):
            assert probabilities[token] == pytest.approx(naive_probability(before, token, 3))


def test_the_base_answers_where_the_counts_know_nothing() -> None:
    base = WittenBell(counts(1, [[7, 8] * 20]), vocab_size=VOCAB)
    model = WittenBell(counts(2, [[]]), vocab_size=VOCAB, base=base)

    assert np.array_equal(model.next_token((7,)), base.next_token((7,)))
    assert model.n_context == 2
    assert int(model.next_token((5, 7)).argmax()) == 8
