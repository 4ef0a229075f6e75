"""How usual words are beside each other: counts of three words in permissive technical prose.

Scored by stupid backoff (Brants et al. 2007): the relative frequency of the longest stretch that
was counted, times 0.4 for each word left away. All places of a document are scored in one go.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

Ids = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]

CODE, BREAK = 0, 1
"""Ids of what is no word (and of unknown words), and of punctuation."""

_HASH_BITS = 21  # two megabytes; one in six keys that are not there passes
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_BACKOFF = np.log(0.4)
_PER_OCTAVE = 8.0


class NGrams:
    """Counts of one, two and three words. Immutable."""

    def __init__(self, tables: dict[str, npt.NDArray[np.generic]]) -> None:
        """Take the tables as ``make_tables.py`` writes them."""
        words = tables["words"].tobytes().decode().split("\n")
        self._ids = {word: idx for idx, word in enumerate(words)}
        self._counts = tables["counts"].astype(np.float64)
        self._log_counts = np.log(np.maximum(self._counts, 0.5))
        self._total = float(self._counts.sum())
        self._pairs = _Table(tables["pairs"], tables["pairs_log2"] * np.log(2) / _PER_OCTAVE)
        self._triples = _Table(tables["triples"], tables["triples_log2"] * np.log(2) / _PER_OCTAVE)

    def id(self, word: str) -> int:
        """Give a word's id; :data:`CODE` for one that was not counted."""
        return self._ids.get(word.lower().replace("’", "'"), CODE)

    def count(self, word: str) -> int:
        """Give how often a word was counted."""
        idx = self.id(word)
        return 0 if idx == CODE else int(self._counts[idx])

    def log_probability(self, rows: Ids) -> Scores:
        """Score the last words of stretches after those before them.

        Args:
            rows: (N, 3) ids.

        Returns:
            (N,) nats.
        """
        first, second, third = rows.astype(np.uint64).T
        before, pair = first << 16 | second, second << 16 | third
        n_triple, has_triple = self._triples.look_up(before << 16 | third)
        n_before, has_before = self._pairs.look_up(before)
        n_pair, has_pair = self._pairs.look_up(pair)
        by_triple = n_triple - n_before
        by_pair = _BACKOFF + n_pair - self._log_counts[rows[:, 1]]
        by_word = 2 * _BACKOFF + self._log_counts[rows[:, 2]] - np.log(self._total)
        return np.where(has_triple & has_before, by_triple, np.where(has_pair, by_pair, by_word))

    def score(self, rows: Ids) -> Scores:
        """Score stretches after their first two words.

        Args:
            rows: (N, A) ids.

        Returns:
            (N,) nats.
        """
        n_rows, width = rows.shape
        windows = np.stack([rows[:, at - 2 : at + 1] for at in range(2, width)], axis=1)
        scores = self.log_probability(windows.reshape(-1, 3))
        return np.asarray(scores.reshape(n_rows, width - 2).sum(axis=1))

    def n_attested(self, rows: Ids) -> npt.NDArray[np.int64]:
        """Count the stretches of three in each row that were counted as they are.

        Args:
            rows: (N, A) ids.

        Returns:
            (N,) counts.
        """
        ids = rows.astype(np.uint64)
        pairs = ids[:, :-2] << np.uint64(16) | ids[:, 1:-1]
        keys = (pairs << np.uint64(16) | ids[:, 2:]).astype(np.uint64)
        found = self._triples.look_up(keys)[1]
        return np.asarray(found.sum(axis=1))


@cache
def load_ngrams() -> NGrams:
    """Read the tables that come with the package, once."""
    with as_file(files("dgemma_ls.proofread") / "data" / "ngrams.safetensors") as path:
        return NGrams(load_file(path))


class _Table:
    """Sorted keys with values. Most of what is asked is not there, which a hash tells quickly."""

    def __init__(self, keys: npt.NDArray[np.generic], values: npt.NDArray[np.floating]) -> None:
        self._keys = keys.astype(np.uint64)
        self._values = values
        self._may_be_there = np.zeros(1 << _HASH_BITS, dtype=np.bool_)
        self._may_be_there[_hashed(self._keys)] = True

    def look_up(self, wanted: npt.NDArray[np.uint64]) -> tuple[Scores, npt.NDArray[np.bool_]]:
        """Give the value of each key, 0 where there is none, and whether there is one."""
        values, found = np.zeros(wanted.shape), np.zeros(wanted.shape, dtype=np.bool_)
        may_be_there = self._may_be_there[_hashed(wanted)]
        likely = wanted[may_be_there]
        at = np.minimum(np.searchsorted(self._keys, likely), len(self._keys) - 1)
        is_there = self._keys[at] == likely
        values[may_be_there] = np.where(is_there, self._values[at], 0.0)
        found[may_be_there] = is_there
        return values, found


def _hashed(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    return np.asarray((keys * _MULTIPLIER) >> np.uint64(64 - _HASH_BITS))


def context_ids(
    ids: Sequence[int], start: int, end: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Give two neighbours on each side of a stretch; sentence breaks stand outside the text."""
    before = (*(BREAK, BREAK), *ids[max(0, start - 2) : start])[-2:]
    after = (*ids[end : end + 2], BREAK, BREAK)[:2]
    return (before[0], before[1]), (after[0], after[1])
