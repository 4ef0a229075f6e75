"""Attention in blocks must be attention under the masks that it stands for."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from dgemma_engine.model.attention import KeysValues, causal_mask
from dgemma_engine.train.blocks import BlockAttention

N_BATCH, N_HEADS, HEAD_DIM = 2, 4, 8
# (W, C, sliding window or None): one block and many, windows below, at and beyond a block.
SHAPES = [
    (32, 32, None),
    (32, 8, None),
    (48, 16, 1),
    (32, 8, 6),
    (32, 8, 8),
    (32, 8, 9),
    (32, 4, 14),
    (32, 16, 24),
    (32, 8, 100),
    (32, 32, 6),
]


def decoder_mask(window: int, block: int, sliding: int | None) -> Tensor:
    """What each canvas position sees: bool (W, 2 W), [encoder keys | noised keys].

    Encoder keys before its canvas (in sliding layers the last ``sliding - 1`` of them), and all
    noised keys of its own canvas.
    """
    position = torch.arange(window)
    start = (position // block * block)[:, None]
    before = position[None, :] < start
    if sliding is not None:
        before &= position[None, :] >= start - (sliding - 1)
    return torch.cat((before, start == (position // block * block)[None, :]), dim=1)


def tensors(n_heads: int, window: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(N_BATCH, n_heads, window, HEAD_DIM, generator=generator)
    return drawn.mul_(0.6).requires_grad_()


def masked(queries: Tensor, all_keys_values: list[KeysValues], mask: Tensor) -> Tensor:
    keys, values = (
        torch.cat(parts, dim=2).repeat_interleave(
            queries.shape[1] // all_keys_values[0][0].shape[1], dim=1
        )
        for parts in zip(*all_keys_values, strict=True)
    )
    return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=1.0)


@pytest.mark.parametrize(("window", "block", "sliding"), SHAPES)
@pytest.mark.parametrize("n_kv_heads", [1, 2])
def test_the_encoder_sees_what_a_causal_mask_shows(
    window: int, block: int, sliding: int | None, n_kv_heads: int
) -> None:
    queries = tensors(N_HEADS, window, 0)
    own = tensors(n_kv_heads, window, 1), tensors(n_kv_heads, window, 2)
    attend = BlockAttention(window, block, sliding=sliding, causal=True)

    expected = masked(queries, [own], causal_mask(window, 0, sliding))
    _same(attend(queries, None, own), expected, [queries, *own])


@pytest.mark.parametrize(("window", "block", "sliding"), SHAPES)
@pytest.mark.parametrize("n_kv_heads", [1, 2])
def test_the_decoder_sees_the_clean_past_and_its_own_canvas(
    window: int, block: int, sliding: int | None, n_kv_heads: int
) -> None:
    queries = tensors(N_HEADS, window, 0)
    past = tensors(n_kv_heads, window, 1), tensors(n_kv_heads, window, 2)
    new = tensors(n_kv_heads, window, 3), tensors(n_kv_heads, window, 4)
    attend = BlockAttention(window, block, sliding=sliding, causal=False)

    expected = masked(queries, [past, new], decoder_mask(window, block, sliding))
    _same(attend(queries, past, new), expected, [queries, *past, *new])


@pytest.mark.parametrize("sliding", [None, 9])
@pytest.mark.parametrize("causal", [True, False])
def test_under_autocast_only_rounding_differs(sliding: int | None, causal: bool) -> None:
    queries, *rest = (
        tensors(n_heads, 32, seed) for seed, n_heads in enumerate([N_HEADS] + [2] * 4)
    )
    past, new = (rest[0], rest[1]), (rest[2], rest[3])
    attend = BlockAttention(32, 8, sliding=sliding, causal=causal)
    expected = attend(queries, None if causal else past, new)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = attend(queries, None if causal else past, new)

    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), expected, atol=0.03, rtol=0.02)
    # And the full-precision masks are still there for a pass without.
    assert torch.equal(attend(queries, None if causal else past, new), expected)


def test_batches_of_another_size_get_masks_of_their_own() -> None:
    attend = BlockAttention(16, 8, sliding=5, causal=True)
    queries, keys, values = (tensors(heads, 16, seed) for seed, heads in enumerate((4, 2, 2)))
    both = attend(queries, None, (keys, values))

    torch.testing.assert_close(attend(queries[1:], None, (keys[1:], values[1:])), both[1:])


def _same(actual: Tensor, expected: Tensor, inputs: list[Tensor]) -> None:
    """The outputs are equal, and so are the gradients of all inputs."""
    torch.testing.assert_close(actual, expected, atol=2e-6, rtol=1e-5)
    weights = torch.randn(expected.shape, generator=torch.Generator().manual_seed(9))
    gradients = (
        torch.autograd.grad((out * weights).sum(), inputs, allow_unused=True)
        for out in (actual, expected)
    )
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, atol=5e-6, rtol=1e-5)
