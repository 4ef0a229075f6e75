"""Attention of whole training windows in blocks, without computing what a mask would discard.

Under a mask, a canvas of a sliding layer would look at 1,024 keys to see at most 191 of them. Here
every block of queries gets just the keys that it may see: those before the block, then its own.
Scores are made by plain batched products: the fused kernel of torch for CPUs, which spares the
memory of the scores, takes three to five times as long at these sizes, forward and backward.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from dgemma_engine.model.attention import KeysValues


class BlockAttention:
    """Attention of W queries in blocks of C, to keys before each block and to the block itself."""

    def __init__(
        self,
        window: int,
        block: int,
        *,
        sliding: int | None,
        causal: bool,
        device: torch.device | None = None,
    ) -> None:
        """Lay out what every block sees.

        Args:
            window: W.
            block: C, divides W.
            sliding: keys that a query of a sliding layer sees; ``None`` for full layers.
            causal: whether a query sees only what stands before it, as in the encoder; else its
                whole block and the keys that the block's first token may see, as in the decoder.
            device: where the masks are wanted.
        """
        self.block = block
        self.n_before = window - block if sliding is None else -(-sliding // block) * block
        self._is_sliding = sliding is not None
        n_blocks = window // block
        starts = torch.arange(n_blocks, device=device)[:, None, None] * block
        query = starts + torch.arange(block, device=device)[None, :, None]
        before = torch.arange(self.n_before, device=device)
        # Full layers: the same first keys for all. Sliding: those directly before each block.
        key = before.expand(n_blocks, 1, -1)
        if self._is_sliding:
            key = starts - self.n_before + before
        seen = (key >= 0) & (key < starts) & torch.ones_like(query, dtype=torch.bool)
        own = torch.ones(block, block, dtype=torch.bool, device=device)
        if causal:
            own = own.tril()
        if sliding is not None:
            seen &= key > (query if causal else starts) - sliding
            if causal:
                own &= own.triu(1 - sliding)
        self._mask = torch.cat((seen, own.expand(n_blocks, -1, -1)), dim=2)  # (W / C, C, P + C)
        self._biases: dict[tuple[tuple[int, int, int], torch.dtype], Tensor] = {}

    def __call__(self, queries: Tensor, past: KeysValues | None, new: KeysValues) -> Tensor:
        """Attend.

        Args:
            queries: (B, H, W, head_dim).
            past: keys and values (B, H_kv, W, head_dim) that stand before each block; ``None`` if
                they are the queries' own.
            new: those of the queries.

        Returns:
            (B, H, W, head_dim).
        """
        keys, values = (
            torch.cat((self._before(earlier), self._blocks(own)), dim=2)
            for earlier, own in zip(new if past is None else past, new, strict=True)
        )
        n_batch, n_heads, n_tokens, head_dim = queries.shape
        n_kv_heads = keys.shape[1]
        n_groups = n_heads // n_kv_heads
        # Query heads that share a key head are more queries of that head: (B * W / C * H_kv, …).
        grouped = self._blocks(queries).reshape(-1, n_groups * self.block, head_dim)
        keys, values = keys.flatten(0, 1), values.flatten(0, 1)
        bias = self._bias((n_batch, n_kv_heads, n_groups), queries)
        scores = torch.baddbmm(bias, grouped, keys.transpose(1, 2))
        out = torch.softmax(scores, dim=-1) @ values
        out = out.view(n_batch, -1, n_heads, self.block, head_dim)
        return out.transpose(1, 2).reshape(n_batch, n_heads, n_tokens, head_dim)

    def _bias(self, shape: tuple[int, int, int], like: Tensor) -> Tensor:
        """Zero where a key is visible, minus infinity elsewhere: (B * W / C * H_kv, G * C, P + C).

        Args:
            shape: B, H_kv, and G query heads per key head.
            like: gives dtype and device.
        """
        dtype = _product_dtype(like)
        if (bias := self._biases.get((shape, dtype))) is None:
            n_batch, n_kv_heads, n_groups = shape
            hidden = ~self._mask.repeat(1, n_groups, 1).repeat_interleave(n_kv_heads, dim=0)
            hidden = hidden.repeat(n_batch, 1, 1)
            bias = torch.zeros(hidden.shape, dtype=dtype, device=like.device)
            self._biases[shape, dtype] = bias.masked_fill_(hidden, -torch.inf)
        return bias

    def _blocks(self, x: Tensor) -> Tensor:
        """(B, H, W, head_dim) → (B * W / C, H, C, head_dim)."""
        n_batch, n_heads, _, dim = x.shape
        blocks = x.reshape(n_batch, n_heads, -1, self.block, dim)
        return blocks.transpose(1, 2).flatten(0, 1)

    def _before(self, x: Tensor) -> Tensor:
        """(B, H, W, head_dim) → (B * W / C, H, P, head_dim), the keys before each block."""
        _, n_heads, n_tokens, dim = x.shape
        n_blocks = n_tokens // self.block
        if not self._is_sliding:
            first = x[:, None, :, : self.n_before]
            return first.expand(-1, n_blocks, -1, -1, -1).flatten(0, 1)
        padded = F.pad(x[:, :, : n_tokens - self.block], (0, 0, self.n_before, 0))
        near = padded.unfold(2, self.n_before, self.block)  # (B, H, W / C, head_dim, P)
        return near.permute(0, 2, 1, 4, 3).reshape(-1, n_heads, self.n_before, dim)


def _product_dtype(x: Tensor) -> torch.dtype:
    """The dtype of matrix products of ``x``: autocast's, where it is on."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
