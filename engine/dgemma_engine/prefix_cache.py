"""Which token prefixes are encoded: match, roll back, extend, forget.

Between two keystrokes nearly all of the prefix stays the same; only what follows the longest
common token prefix is encoded again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from dgemma_engine.kv_cache import MIN_SLACK_TOKENS, KVCache
from dgemma_engine.model.transformer import Transformer

DEFAULT_BUDGET_BYTES = 512 * 2**20
_CHUNK_TOKENS = 512
"""Tokens per encoder pass: bounds the size of the attention mask."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PrefixCache:
    """An encoded prefix: what ``Engine.denoise`` reads. A value; stays valid for its holder.

    Attributes:
        token_ids: the tokens.
        kv: their keys and values.
    """

    token_ids: tuple[int, ...]
    kv: KVCache


class PrefixCacheStore:
    """Remembers encoded prefixes up to a byte budget; the least recently used go first."""

    def __init__(
        self,
        model: Transformer,
        *,
        budget_bytes: int = DEFAULT_BUDGET_BYTES,
        slack_tokens: int = MIN_SLACK_TOKENS,
    ) -> None:
        """Take the model, the budget, and the tokens that sliding layers hold for rolling back."""
        weight = model.embed_tokens.weight
        self._model, self._budget_bytes = model, budget_bytes
        self._empty = PrefixCache(
            token_ids=(),
            kv=KVCache.empty(
                model.config, dtype=weight.dtype, device=weight.device, slack=slack_tokens
            ),
        )
        self._entries: list[PrefixCache] = []  # least recently used first
        self.n_encoded_tokens = 0
        """Tokens that went through the encoder so far: what caching is meant to keep low."""

    @property
    def n_bytes(self) -> int:
        """Memory held by the remembered prefixes."""
        return sum(entry.kv.n_bytes for entry in self._entries)

    def encode(self, token_ids: Sequence[int]) -> PrefixCache:
        """Give the cache of exactly these tokens, encoding as few of them as possible."""
        ids = tuple(token_ids)
        if known := next((entry for entry in self._entries if entry.token_ids == ids), None):
            self._remember(known)  # used just now
            return known
        source, start = self._longest_match(ids)
        kv = self.extend(start, ids[start.n_tokens :])
        cache = PrefixCache(token_ids=ids, kv=kv)
        if source is not None:
            self._entries.remove(source)
            # A prefix that was only extended is of no further use on its own.
            if len(source.token_ids) > start.n_tokens:
                self._entries.append(source)  # used just now
        self._remember(cache)
        return cache

    def extend(self, kv: KVCache, token_ids: Sequence[int]) -> KVCache:
        """Encode more tokens after ``kv``; nothing is remembered."""
        device = self._model.embed_tokens.weight.device
        ids = torch.tensor([token_ids], dtype=torch.long, device=device)
        for start in range(0, len(token_ids), _CHUNK_TOKENS):
            chunk = ids[:, start : start + _CHUNK_TOKENS]
            _, new = self._model.encode(chunk, kv.n_tokens, kv.visible())
            kv = kv.append(new)
        self.n_encoded_tokens += len(token_ids)
        return kv

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def _longest_match(self, ids: tuple[int, ...]) -> tuple[PrefixCache | None, KVCache]:
        """The entry that shares most with ``ids``, and its cache rolled back to what it shares.

        An entry whose sliding layers no longer hold the rows needed is passed over.
        """
        shared = [(_n_common(entry.token_ids, ids), entry) for entry in self._entries]
        for n_common, entry in sorted(shared, key=lambda pair: pair[0], reverse=True):
            if n_common and (rolled_back := entry.kv.truncate(n_common)) is not None:
                return entry, rolled_back
        return None, self._empty.kv

    def _remember(self, cache: PrefixCache) -> None:
        self._entries = [entry for entry in self._entries if entry.token_ids != cache.token_ids]
        self._entries.append(cache)
        while self._entries and self.n_bytes > self._budget_bytes:
            self._entries.pop(0)


def _n_common(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Length of the longest common prefix."""
    limit = min(len(a), len(b))
    if a[:limit] == b[:limit]:
        return limit
    return next(idx for idx in range(limit) if a[idx] != b[idx])
