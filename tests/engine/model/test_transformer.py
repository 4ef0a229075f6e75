"""Several continuations in one pass are what each of them is alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.attention import causal_mask
from tests.engine.conftest import Pair

# The window of the tiny checkpoints is 8: prefixes and branches lie on both sides of it.
branches_of = st.lists(
    st.lists(st.integers(0, 95), min_size=1, max_size=12), min_size=1, max_size=4
)


@given(st.integers(0, 20), branches_of)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_branches_read_together_equal_each_branch_read_alone(
    dense: Pair, n_prefix: int, branches: list[list[int]]
) -> None:
    model = dense.engine.model
    cache = dense.engine.encode([(7 * n) % 96 for n in range(n_prefix)]).kv
    with torch.inference_mode():
        together = model.encode_branches(branches, cache.n_tokens, cache.visible())
        for branch, output in zip(branches, together, strict=True):
            alone, _ = model.encode(
                torch.tensor([branch]), cache.n_tokens, cache.visible(), want_output=True
            )
            assert alone is not None
            torch.testing.assert_close(output, alone[0], atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("window", [None, 3])
def test_a_query_sees_itself_and_what_its_window_holds_before_it(window: int | None) -> None:
    visible = causal_mask(4, 2, window)

    for query in range(4):
        for key in range(6):
            distance = query + 2 - key
            assert visible[query, key] == (0 <= distance < (window or 100))


def test_a_chunk_of_a_prefix_gives_the_same_cache_as_the_whole(dense: Pair) -> None:
    model = dense.engine.model
    ids = torch.arange(20)[None] % 96
    empty = KVCache.empty(model.config, dtype=torch.float32, device=torch.device("cpu"))
    with torch.inference_mode():
        whole = empty.append(model.encode(ids, 0, empty.visible())[1])
        chunked = empty
        for chunk in (ids[:, :7], ids[:, 7:8], ids[:, 8:]):
            new = model.encode(chunk, chunked.n_tokens, chunked.visible())[1]
            chunked = chunked.append(new)
    for (keys, values), (other_keys, other_values) in zip(
        whole.visible(), chunked.visible(), strict=True
    ):
        torch.testing.assert_close(keys, other_keys, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(values, other_values, atol=1e-4, rtol=1e-4)
