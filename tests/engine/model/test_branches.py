"""A tree that is read piece by piece is what each of its branches is alone."""

from collections.abc import Sequence

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dgemma_engine.model.attention import KeysValues
from dgemma_engine.model.branches import Branches
from dgemma_engine.model.transformer import Masks, Transformer
from dgemma_engine.prefix_cache import PrefixCacheStore
from tests.engine.conftest import Pair

# Few tokens, so that branches begin alike; the window of the tiny checkpoints is 8.
requests = st.lists(
    st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), min_size=1, max_size=4),
    min_size=1,
    max_size=4,
)


@given(st.integers(0, 20), requests)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_branches_read_one_after_the_other_equal_each_branch_read_alone(
    dense: Pair, n_prefix: int, asked: list[list[list[int]]]
) -> None:
    model = dense.engine.model
    cache = dense.engine.encode([(7 * n) % 96 for n in range(n_prefix)]).kv
    tree = Branches(model, cache.n_tokens, cache.visible())
    with torch.inference_mode():
        for branches in asked:
            for branch, rows in zip(branches, tree.read(branches), strict=True):
                alone, _ = model.encode(
                    torch.tensor([branch]), cache.n_tokens, cache.visible(), want_output=True
                )
                assert alone is not None
                torch.testing.assert_close(tree.outputs[rows], alone[0], atol=1e-3, rtol=1e-4)


class _Counting(Transformer):
    """Knows how many tokens each pass read."""

    n_read: list[int]

    def encode_masked(
        self,
        ids: Tensor,
        positions: Tensor,
        past: Sequence[KeysValues] | None,
        masks: Masks,
        *,
        want_output: bool = True,
    ) -> tuple[Tensor | None, list[KeysValues]]:
        self.n_read.append(ids.shape[1])
        return super().encode_masked(ids, positions, past, masks, want_output=want_output)


def _counting(pair: Pair) -> _Counting:
    model = _Counting(pair.engine.config)
    model.load_state_dict(pair.engine.model.state_dict())
    model.n_read = []
    return model.eval()


@torch.inference_mode()
def test_no_token_is_read_twice_after_the_same_prefix(dense: Pair) -> None:
    model = _counting(dense)
    store = PrefixCacheStore(model)

    first = store.encode([1, 2, 3]).kv.branches(model)
    first.read([(4, 5), (4, 6), (4, 5, 7)])
    again = store.encode([1, 2, 3]).kv.branches(model)
    again.read([(4, 5, 7)])
    again.read([(4, 6, 7), (5,)])

    assert model.n_read == [3, 4, 2]


@torch.inference_mode()
def test_what_was_read_after_a_prefix_is_not_read_after_another(dense: Pair) -> None:
    model = _counting(dense)
    store = PrefixCacheStore(model)

    for ids in ([1, 2, 3], [1, 2, 3, 4], [1, 2]):
        store.encode(ids).kv.branches(model).read([(4, 5)])

    assert model.n_read == [3, 2, 1, 2, 2]


@torch.inference_mode()
def test_what_was_read_counts_as_memory_of_the_prefix(dense: Pair) -> None:
    model = dense.engine.model
    store = PrefixCacheStore(model)
    kv = store.encode([1, 2, 3]).kv
    before = store.n_bytes

    kv.branches(model).read([(4, 5)])

    copied = sum(2 * keys.nbytes * 5 // 3 for keys, _ in kv.visible())  # 3 rows, and 2 more
    assert store.n_bytes - before == copied + 2 * model.config.hidden_size * 4
