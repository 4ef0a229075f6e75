"""Attention of both layer kinds: rotary embedding, projections, masks.

Sliding layers see a window of keys and have their own value projection. Full layers see every
key, use wider heads, rotate only part of each head, and have no value projection: their values
are the normed output of the key projection. The scale is 1; the norms of queries and keys do its
job. Source: transformers ``DiffusionGemma{Encoder,Decoder}TextAttention``.
"""

import functools
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dgemma_engine.config import LayerConfig, ModelConfig
from dgemma_engine.model.layers import RMSNorm, rms_norm

KeysValues = tuple[Tensor, Tensor]
"""Keys (after norm and rotation) and values (after norm), each (B, H_kv, S, head_dim)."""

Attend = Callable[[Tensor, KeysValues | None, KeysValues], Tensor]
"""Attention proper: queries (B, H, S, head_dim), past and new keys and values → like queries."""

Rotation = tuple[Tensor, Tensor]
"""Cosines and sines, each (S, head_dim)."""


@functools.cache
def inverse_frequencies(layer: LayerConfig, device: torch.device) -> Tensor:
    """Rotary frequencies (head_dim / 2,) in float32; zero for pairs that do not rotate.

    The exponent is divided by the whole head_dim even where only a fraction rotates
    ("proportional" RoPE), and pairs are (t, t + head_dim / 2).
    """
    # Remembered, so it must also serve a caller with gradients.
    with torch.inference_mode(False):
        n_rotating = int(layer.rope_fraction * layer.head_dim // 2)
        exponents = torch.arange(0, 2 * n_rotating, 2, dtype=torch.float32, device=device)
        frequencies = 1.0 / layer.rope_theta ** (exponents / layer.head_dim)
        return F.pad(frequencies, (0, layer.head_dim // 2 - n_rotating))


def rotation(positions: Tensor, layer: LayerConfig, dtype: torch.dtype) -> Rotation:
    """Cosines and sines for absolute ``positions`` (S,); float32 inside, then cast."""
    angles = positions.float()[:, None] * inverse_frequencies(layer, positions.device)
    angles = torch.cat((angles, angles), dim=-1)  # (S, head_dim)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate(x: Tensor, by: Rotation) -> Tensor:
    """Apply the rotation to (B, S, H, head_dim)."""
    cos, sin = by[0][:, None], by[1][:, None]  # (S, 1, head_dim)
    left, right = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-right, left), dim=-1) * sin


def causal_mask(
    n_queries: int, n_past: int, window: int | None, device: torch.device | None = None
) -> Tensor:
    """Which keys each query of an encoder pass sees.

    Args:
        n_queries: S, new tokens; they are the last keys.
        n_past: cached keys directly before them.
        window: keys visible to one query, itself included; ``None`` for full layers.
        device: where the mask is wanted.

    Returns:
        bool (S, n_past + S), true where visible.
    """
    query_pos = torch.arange(n_past, n_past + n_queries, device=device)[:, None]
    key_pos = torch.arange(n_past + n_queries, device=device)[None, :]
    visible = key_pos <= query_pos
    if window is not None:
        visible &= key_pos > query_pos - window
    return visible


class Attention(nn.Module):
    """Grouped-query attention of one layer."""

    def __init__(self, config: ModelConfig, layer: LayerConfig) -> None:
        super().__init__()
        self.head_dim, self.n_kv_heads = layer.head_dim, layer.n_kv_heads
        self.n_heads, self.eps = config.n_heads, config.rms_norm_eps
        query_dim, kv_dim = self.n_heads * self.head_dim, self.n_kv_heads * self.head_dim
        self.q_proj = nn.Linear(config.hidden_size, query_dim, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, kv_dim, bias=False)
        self.v_proj = (
            nn.Linear(config.hidden_size, kv_dim, bias=False) if layer.is_sliding else None
        )
        self.o_proj = nn.Linear(query_dim, config.hidden_size, bias=False)
        self.q_norm = RMSNorm(self.head_dim, self.eps)
        self.k_norm = RMSNorm(self.head_dim, self.eps)

    def keys_values(self, x: Tensor, by: Rotation) -> KeysValues:
        """Project (B, S, D) to keys and values as the cache holds them."""
        raw_keys = self.k_proj(x).unflatten(-1, (self.n_kv_heads, self.head_dim))
        raw_values = (
            raw_keys
            if self.v_proj is None
            else self.v_proj(x).unflatten(-1, (self.n_kv_heads, self.head_dim))
        )
        keys = rotate(self.k_norm(raw_keys), by)
        values = rms_norm(raw_values, None, self.eps)  # normed, never rotated
        return keys.transpose(1, 2), values.transpose(1, 2)

    def forward(
        self, x: Tensor, by: Rotation, past: KeysValues | None, mask: Tensor | Attend | None
    ) -> tuple[Tensor, KeysValues]:
        """Attend from (B, S, D) to the past and to itself.

        Args:
            x: (B, S, D), normed input.
            by: rotation of the S positions.
            past: cached keys and values (B or 1, H_kv, P, head_dim), before the S new ones.
            mask: bool (S, P + S), true where visible; ``None`` lets everything be seen; a function
                attends in the place of torch's, as training does.

        Returns:
            Output (B, S, D), and the keys and values of the S new tokens.
        """
        queries = rotate(self.q_norm(self.q_proj(x).unflatten(-1, (-1, self.head_dim))), by)
        queries = queries.transpose(1, 2)
        new = self.keys_values(x, by)
        attend = mask if callable(mask) else functools.partial(self._attend, mask=mask)
        out = attend(queries, past, new)
        projected: Tensor = self.o_proj(out.transpose(1, 2).flatten(2))
        return projected, new

    def _attend(
        self, queries: Tensor, past: KeysValues | None, new: KeysValues, mask: Tensor | None
    ) -> Tensor:
        n_batch, _, n_queries, _ = queries.shape
        keys, values = new
        if past is not None:
            keys = torch.cat((past[0].expand(n_batch, -1, -1, -1), keys), dim=2)
            values = torch.cat((past[1].expand(n_batch, -1, -1, -1), values), dim=2)
        # Query heads that share a key head are laid out as more queries of that one head, which
        # spares repeating keys and values: (B, H_kv, H/H_kv * S, head_dim).
        n_groups = self.n_heads // self.n_kv_heads
        grouped = queries.reshape(n_batch, self.n_kv_heads, n_groups * n_queries, self.head_dim)
        if mask is not None:
            mask = mask.repeat(n_groups, 1)
        out = F.scaled_dot_product_attention(grouped, keys, values, attn_mask=mask, scale=1.0)
        return out.reshape(queries.shape)
