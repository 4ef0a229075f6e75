"""Keys and values of encoded tokens: append, truncate, and the part that a pass may see.

A cache is a value: appending or truncating gives another cache and leaves the old one valid, so
that several requests can share a prefix. Truncating shares storage; appending copies.

Full layers hold every token. A sliding layer needs only the last ``window - 1``, but holds some
more (``slack``), so that an edit a little further up can roll back instead of starting over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from dgemma_engine.config import ModelConfig
from dgemma_engine.model.attention import KeysValues

MIN_SLACK_TOKENS = 1024
"""Rows that sliding layers hold beyond what they need; the cost is bounded, a rollback is not."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KVCache:
    """The keys and values of ``n_tokens`` encoded tokens.

    Attributes:
        config: the model's shape.
        n_tokens: how many tokens were encoded; the next one gets this position.
        layers: per layer keys and values (B, H_kv, n_held, head_dim): the *last* ``n_held`` tokens.
        slack: tokens that sliding layers hold beyond their window.
    """

    config: ModelConfig
    n_tokens: int
    layers: tuple[KeysValues, ...]
    slack: int

    @classmethod
    def empty(
        cls,
        config: ModelConfig,
        *,
        dtype: torch.dtype,
        device: torch.device,
        n_batch: int = 1,
        slack: int = MIN_SLACK_TOKENS,
    ) -> "KVCache":
        """Make the cache of zero tokens."""
        layers = []
        for layer in config.layers:
            rows = torch.empty(
                n_batch, layer.n_kv_heads, 0, layer.head_dim, dtype=dtype, device=device
            )
            layers.append((rows, rows))
        return cls(config=config, n_tokens=0, layers=tuple(layers), slack=slack)

    @property
    def n_bytes(self) -> int:
        """Memory kept alive: a truncated cache holds on to the storage of the longer one."""
        return sum(
            keys.untyped_storage().nbytes() + values.untyped_storage().nbytes()
            for keys, values in self.layers
        )

    def visible(self) -> list[KeysValues]:
        """Give what the next token, or a canvas, sees: all rows, or the window's in sliding layers.

        The window counts the query itself, hence ``sliding_window - 1`` cached rows, the same for
        all canvas positions (the reference's ``DynamicSlidingWindowLayer``).
        """
        n_window = self.config.sliding_window - 1
        return [
            (_last(keys, n_window), _last(values, n_window)) if layer.is_sliding else (keys, values)
            for layer, (keys, values) in zip(self.config.layers, self.layers, strict=True)
        ]

    def append(self, new: Sequence[KeysValues]) -> "KVCache":
        """Give a cache with the tokens of one more encoder pass; ``new`` as ``layers``."""
        n_held = self.config.sliding_window - 1 + self.slack
        layers = []
        for layer, old_rows, new_rows in zip(self.config.layers, self.layers, new, strict=True):
            keys = torch.cat((old_rows[0], new_rows[0]), dim=2)
            values = torch.cat((old_rows[1], new_rows[1]), dim=2)
            if layer.is_sliding and keys.shape[2] > n_held:
                # A copy, not a view: a view would keep the dropped rows in memory.
                keys, values = _last(keys, n_held).clone(), _last(values, n_held).clone()
            layers.append((keys, values))
        return KVCache(
            config=self.config,
            n_tokens=self.n_tokens + new[0][0].shape[2],
            layers=tuple(layers),
            slack=self.slack,
        )

    def truncate(self, n_tokens: int) -> "KVCache | None":
        """Give the cache of the first ``n_tokens`` tokens.

        Returns:
            ``None`` if a sliding layer no longer holds the window before that point: those rows
            can only be had by encoding again from the start.

        Raises:
            ValueError: if ``n_tokens`` is not within the cache.
        """
        if not 0 <= n_tokens <= self.n_tokens:
            raise ValueError(f"cannot truncate {self.n_tokens} tokens to {n_tokens}")
        n_dropped = self.n_tokens - n_tokens
        layers = []
        for layer, (keys, values) in zip(self.config.layers, self.layers, strict=True):
            n_kept = keys.shape[2] - n_dropped
            n_needed = n_tokens
            if layer.is_sliding:
                n_needed = min(n_needed, self.config.sliding_window - 1)
            if n_kept < n_needed:
                return None
            layers.append((keys[:, :, :n_kept], values[:, :, :n_kept]))
        return KVCache(
            config=self.config, n_tokens=n_tokens, layers=tuple(layers), slack=self.slack
        )


def _last(rows: torch.Tensor, n: int) -> torch.Tensor:
    """The last ``n`` rows of (B, H, rows, head_dim), or all if there are fewer."""
    return rows[:, :, max(0, rows.shape[2] - n) :]
