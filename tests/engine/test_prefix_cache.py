"""Whatever was encoded before, the cache of a prefix equals a fresh encoding of it."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dgemma_engine.prefix_cache import PrefixCache, PrefixCacheStore
from tests.engine.conftest import Pair
from tests.engine.oracle import random_canvas, random_ids

MAX_LOGIT_DIFFERENCE = 1e-5
"""The same sums over pieces of other lengths; 4e-6 was seen."""

MAX_ROW_DIFFERENCE = 1e-4
"""Keys are of magnitude 5 and come from the amplifying norms; 3e-5 was seen."""

SLACK = 5
CANVAS = random_canvas(1, 8, seed=1)
TOKENS = st.integers(0, 95)

Edit = tuple[int, float, float, list[int]]
"""Which document, where (as shares of its length) and what to put there."""

edits = st.tuples(
    st.integers(0, 2), st.floats(0, 1), st.floats(0, 1), st.lists(TOKENS, max_size=12)
)


def store_of(pair: Pair, *, budget_bytes: int = 2**20, slack: int = SLACK) -> PrefixCacheStore:
    return PrefixCacheStore(pair.engine.model, budget_bytes=budget_bytes, slack_tokens=slack)


def encode(store: PrefixCacheStore, ids: list[int]) -> PrefixCache:
    with torch.inference_mode():
        return store.encode(ids)


def assert_equals_a_fresh_encoding(pair: Pair, cache: PrefixCache, ids: list[int]) -> None:
    assert cache.token_ids == tuple(ids)
    assert cache.kv.n_tokens == len(ids)
    fresh = encode(store_of(pair), ids)
    for ours, theirs in zip(cache.kv.visible(), fresh.kv.visible(), strict=True):
        for rows, expected in zip(ours, theirs, strict=True):
            torch.testing.assert_close(rows, expected, rtol=0, atol=MAX_ROW_DIFFERENCE)
    torch.testing.assert_close(
        pair.engine.denoise(cache, CANVAS),
        pair.engine.denoise(fresh, CANVAS),
        rtol=0,
        atol=MAX_LOGIT_DIFFERENCE,
    )


def test_one_other_token_would_be_noticed(steady: Pair) -> None:
    """The tolerances above tell a right cache from a wrong one."""
    ids = random_ids(30, seed=1)
    right = steady.engine.denoise(encode(store_of(steady), ids), CANVAS)
    for idx in (0, 10, 29):
        wrong = [*ids[:idx], (ids[idx] + 1) % 96, *ids[idx + 1 :]]
        logits = steady.engine.denoise(encode(store_of(steady), wrong), CANVAS)
        assert (logits - right).abs().max() > 30 * MAX_LOGIT_DIFFERENCE


def apply(edit: Edit, documents: list[list[int]]) -> list[int]:
    idx, a, b, new = edit
    ids = documents[idx]
    start, end = sorted((round(a * len(ids)), round(b * len(ids))))
    documents[idx] = [*ids[:start], *new, *ids[end:]]
    return documents[idx]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    lengths=st.lists(st.integers(0, 40), min_size=3, max_size=3),
    script=st.lists(edits, min_size=1, max_size=6),
    budget_bytes=st.sampled_from([0, 30_000, 2**20]),
)
def test_after_any_edits_the_cache_equals_a_fresh_encoding(
    steady: Pair, lengths: list[int], script: list[Edit], budget_bytes: int
) -> None:
    store = store_of(steady, budget_bytes=budget_bytes)
    # The documents share a beginning, as files with one licence header do.
    documents = [[7, 7, 7, *random_ids(length, seed=idx)] for idx, length in enumerate(lengths)]
    held: list[tuple[PrefixCache, torch.Tensor]] = []
    for document in documents:
        encode(store, document)
    for edit in script:
        ids = apply(edit, documents)
        cache = encode(store, ids)
        assert_equals_a_fresh_encoding(steady, cache, ids)
        assert store.n_bytes <= budget_bytes
        held.append((cache, steady.engine.denoise(cache, CANVAS)))
    # Whoever holds an earlier cache still can use it.
    for cache, logits in held:
        assert torch.equal(steady.engine.denoise(cache, CANVAS), logits)


def test_only_what_follows_the_common_prefix_is_encoded_again(steady: Pair) -> None:
    store = store_of(steady, slack=20)
    ids = random_ids(60, seed=1)
    encode(store, ids)
    assert store.n_encoded_tokens == 60

    for edited, n_new in (
        ([*ids, 1, 2, 3], 3),  # typed at the end
        (ids, 0),  # deleted again
        ([*ids[:58], 94, 95], 2),  # the last two replaced
        ([*ids[:57], 93, *ids[58:]], 3),  # one changed near the end
    ):
        before = store.n_encoded_tokens
        cache = encode(store, edited)
        assert store.n_encoded_tokens - before == n_new
        assert_equals_a_fresh_encoding(steady, cache, edited)


def test_an_edit_beyond_the_ring_starts_over_and_is_right(steady: Pair) -> None:
    store = store_of(steady)
    ids = random_ids(60, seed=1)
    encode(store, ids)
    edited = [*ids[:30], 95, *ids[30:]]

    cache = encode(store, edited)

    assert store.n_encoded_tokens == 60 + 61
    assert_equals_a_fresh_encoding(steady, cache, edited)


def test_with_the_default_slack_an_edit_far_up_is_still_a_rollback(steady: Pair) -> None:
    store = PrefixCacheStore(steady.engine.model)
    ids = random_ids(300, seed=1)
    encode(store, ids)

    cache = encode(store, [*ids[:20], 5])

    assert store.n_encoded_tokens <= 301
    assert_equals_a_fresh_encoding(steady, cache, [*ids[:20], 5])


def test_interleaved_documents_do_not_evict_each_other_within_the_budget(steady: Pair) -> None:
    store = store_of(steady)
    first, second = random_ids(50, seed=1), random_ids(50, seed=2)
    first[0], second[0] = 1, 2
    encode(store, first)
    encode(store, second)
    for n_typed in range(1, 4):
        first, second = [*first, n_typed], [*second, n_typed]
        encode(store, first)
        encode(store, second)

    assert store.n_encoded_tokens == 100 + 6


def test_typing_does_not_pile_up_caches(steady: Pair) -> None:
    store = store_of(steady)
    ids = random_ids(40, seed=1)
    encode(store, ids)
    n_bytes = store.n_bytes
    for token in range(20):
        ids = [*ids, token]
        encode(store, ids)

    assert store.n_bytes < 1.6 * n_bytes


def test_the_least_recently_used_prefix_goes_first(steady: Pair) -> None:
    ids = [[idx, *random_ids(30, seed=idx)] for idx in range(3)]
    one = store_of(steady)
    encode(one, ids[0])
    store = store_of(steady, budget_bytes=2 * one.n_bytes)
    encode(store, ids[0])
    encode(store, ids[1])
    encode(store, ids[0])  # used again: the other one is older now
    encode(store, ids[2])

    before = store.n_encoded_tokens
    encode(store, ids[0])
    assert store.n_encoded_tokens == before
    encode(store, ids[1])
    assert store.n_encoded_tokens == before + 31


def test_a_prefix_larger_than_the_budget_is_encoded_but_not_remembered(steady: Pair) -> None:
    store = store_of(steady, budget_bytes=1000)
    ids = random_ids(40, seed=1)

    cache = encode(store, ids)

    assert store.n_bytes == 0
    assert_equals_a_fresh_encoding(steady, cache, ids)


def test_the_budget_counts_the_memory_that_is_really_held(steady: Pair) -> None:
    """Long prefixes are cut down to their first tokens; then the long ones are forgotten."""
    long = [[idx, *random_ids(99, seed=idx)] for idx in range(8)]
    one = store_of(steady, slack=1000)
    encode(one, long[0])
    budget_bytes = 5 * one.n_bytes
    store = store_of(steady, budget_bytes=budget_bytes, slack=1000)
    for ids in (*long[:4], *[ids[:4] for ids in long[:4]], *long[4:]):
        encode(store, ids)

    storages = {
        rows.untyped_storage().data_ptr(): rows.untyped_storage().nbytes()
        for entry in store._entries
        for layer in entry.kv.layers
        for rows in layer
    }
    assert sum(storages.values()) <= budget_bytes


def test_the_empty_prefix_is_a_prefix(steady: Pair) -> None:
    store = store_of(steady)
    cache = encode(store, [])
    assert cache.kv.n_tokens == 0
    assert steady.engine.denoise(cache, CANVAS).shape == (1, 8, 96)
    assert_equals_a_fresh_encoding(steady, encode(store, [5]), [5])
    assert_equals_a_fresh_encoding(steady, encode(store, []), [])


def test_clearing_forgets_everything(steady: Pair) -> None:
    store = store_of(steady)
    ids = random_ids(20, seed=1)
    encode(store, ids)
    store.clear()
    assert store.n_bytes == 0
    encode(store, ids)
    assert store.n_encoded_tokens == 40


def test_a_long_prefix_is_encoded_in_pieces_that_equal_the_whole(steady: Pair) -> None:
    """More tokens than one encoder pass takes."""
    ids = random_ids(1100, seed=1)
    cache = encode(store_of(steady), ids)
    model = steady.engine.model
    with torch.inference_mode():
        _, whole = model.encode(torch.tensor([ids]), 0, None)
    for (keys, values), (all_keys, all_values), layer in zip(
        cache.kv.visible(), whole, model.config.layers, strict=True
    ):
        n_rows = 7 if layer.is_sliding else 1100
        torch.testing.assert_close(keys, all_keys[:, :, -n_rows:], rtol=0, atol=MAX_ROW_DIFFERENCE)
        torch.testing.assert_close(
            values, all_values[:, :, -n_rows:], rtol=0, atol=MAX_ROW_DIFFERENCE
        )
