"""A tree that is read piece by piece is what each of its branches is alone."""

from collections.abc import Sequence

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.attention import KeysValues
from dgemma_engine.model.branches import Branches
from dgemma_engine.model.transformer import Masks, Transformer
from tests.engine.conftest import Pair, branches_after

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
    prefix = [(7 * n) % 96 for n in range(n_prefix)]
    cache, tree = dense.engine.encode(prefix).kv, branches_after(dense, prefix)
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
def test_no_token_is_read_twice(dense: Pair) -> None:
    model = _counting(dense)
    tree = Branches(
        model,
        0,
        KVCache.empty(model.config, dtype=torch.float32, device=torch.device("cpu")).visible(),
    )

    tree.read([(4, 5), (4, 6), (4, 5, 7)])
    tree.read([(4, 5, 7)])
    tree.read([(4, 6, 7), (5,)])

    assert model.n_read == [4, 2]
