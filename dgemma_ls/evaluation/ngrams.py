"""N-gram counts over token ids, and interpolated Witten-Bell models on top of them.

The counts of one context length are one sorted array: the context's hash in the high bits, the
token that follows in the low ones. So what follows a context is a slice, forty million tokens fit
into a gigabyte, and a document's own counts take milliseconds to make.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.integer[Any]]
Probabilities = npt.NDArray[np.float64]

_ODD = np.random.default_rng(20).integers(2**63, size=16, dtype=np.uint64) * np.uint64(
    2
) + np.uint64(1)
_MIX = np.uint64(0x9E3779B97F4A7C15)


class NgramCounts:
    """What follows the contexts of 0 to ``n_context`` tokens in some streams of tokens."""

    def __init__(self, streams: Sequence[Ids], *, n_context: int, vocab_size: int) -> None:
        """Count; n-grams do not reach from one stream into the next.

        Contexts are told apart by a hash of 64 bits less those of a token; with forty million
        tokens of a vocabulary of 4,096 one look-up in a hundred million is wrong.
        """
        self.n_context = n_context
        self._token_bits = max(1, int(vocab_size - 1).bit_length())
        self._tables = [
            _count(np.concatenate([self._keys(ids, length) for ids in streams]))
            for length in range(n_context + 1)
        ]

    def followers(self, context: Sequence[int]) -> tuple[Ids, Probabilities]:
        """Give the tokens that followed a context of up to ``n_context`` tokens, and how often."""
        keys, counts = self._tables[len(context)]
        (first,) = self._keys(np.asarray([*context, 0]), len(context))
        last = first | np.uint64((1 << self._token_bits) - 1)
        found = slice(np.searchsorted(keys, first), np.searchsorted(keys, last, side="right"))
        tokens = (keys[found] - first).astype(np.int64)
        return tokens, counts[found].astype(np.float64)

    def _keys(self, ids: Ids, length: int) -> npt.NDArray[np.uint64]:
        """One key for each token that has ``length`` tokens before it."""
        n_keys = max(0, len(ids) - length)
        hashes = np.zeros(n_keys, dtype=np.uint64)
        for idx in range(length):
            hashes += (ids[idx : idx + n_keys].astype(np.uint64) + np.uint64(1)) * _ODD[idx]
        # The sum alone would leave the order of close contexts in the high bits.
        hashes ^= hashes >> np.uint64(32)
        hashes *= _MIX
        hashes ^= hashes >> np.uint64(29)
        bits = np.uint64(self._token_bits)
        hashes >>= bits
        hashes <<= bits
        hashes |= ids[length:].astype(np.uint64)
        return hashes


class WittenBell:
    """Interpolated Witten-Bell: the more kinds of token follow a context, the less it counts."""

    def __init__(
        self, counts: NgramCounts, *, vocab_size: int, base: "WittenBell | None" = None
    ) -> None:
        """Take counts, and what stands below the shortest context: ``base``, else all alike."""
        self._counts, self._vocab_size, self._base = counts, vocab_size, base

    @property
    def n_context(self) -> int:
        """Tokens that the model looks back."""
        below = 0 if self._base is None else self._base.n_context
        return max(self._counts.n_context, below)

    def next_token(self, before: Sequence[int]) -> Probabilities:
        """Give the probability of every token after ``before``; all are above zero."""
        if self._base is None:
            mixed = np.full(self._vocab_size, 1 / self._vocab_size)
        else:
            mixed = self._base.next_token(before)
        for length in range(min(self._counts.n_context, len(before)) + 1):
            tokens, counts = self._counts.followers(before[len(before) - length :])
            if not len(tokens):
                break  # a longer context is as unknown
            total = counts.sum() + len(tokens)
            mixed *= len(tokens) / total
            mixed[tokens] += counts / total
        return mixed


def _count(keys: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]:
    """Sort, and count equal keys; as ``np.unique`` does, with less memory at a time."""
    keys.sort()
    is_first = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
    starts = np.flatnonzero(is_first)
    counts = np.diff(starts, append=len(keys)).astype(np.uint32)
    return keys[starts], counts
