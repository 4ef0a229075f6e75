"""Which words there are, how frequent they are, and what lies one or two letters away.

The table is SCOWL's large American, British and Canadian lists, with frequencies of general English
and of permissive documentation, and the technical words of the latter; see ``data/README.md``.
"""

import gzip
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

AMERICAN, BRITISH, CANADIAN = 1, 2, 4
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ALPHABET = frozenset(_LETTERS + "'")
_ISE = re.compile(r"is(?=(?:e|ed|es|er|ers|ing|able|ation|ations)$)")
_TENTHS = 10.0
_BITS = np.full(128, 1 << len(_LETTERS), dtype=np.uint32)
_BITS[[ord(letter) for letter in _LETTERS]] = 1 << np.arange(len(_LETTERS), dtype=np.uint32)
_N_BITS = np.array([at.bit_count() for at in range(1 << 14)], dtype=np.uint8)
_MIN_LETTERS_FOR_TWO = 6  # below, too much lies two letters away


class Lexicon:
    """The words of English technical prose. Immutable once made."""

    def __init__(self, rows: dict[str, tuple[float, int]]) -> None:
        """Take for each lowercase word its Zipf frequency and the variants that have it."""
        self._rows = rows
        self._by_length: dict[int, tuple[list[str], npt.NDArray[np.uint32]]] = {}  # with letters
        self._by_rest: dict[float, dict[str, list[str]]] = {}  # by frequency
        self._two_away = lru_cache(maxsize=4096)(self._find_two_away)
        self._one_away = lru_cache(maxsize=16384)(self._find_one_away)

    def knows(self, word: str) -> bool:
        """Say whether a word, in any case and with any ending of possession, is one."""
        lower = word.lower().replace("’", "'")
        if lower in self._rows:
            return True
        if "'" in lower:
            for ending in ("'s", "s'", "'"):
                if lower.endswith(ending) and lower[: -len(ending)] in self._rows:
                    return True
        # British spelling of what only the American list or technical texts have.
        return "is" in lower and any(
            lower[: at.start()] + "iz" + lower[at.start() + 2 :] in self._rows
            for at in _ISE.finditer(lower)
        )

    def zipf(self, word: str) -> float:
        """Give the decimal logarithm of a word's count in a billion words; 0 if never counted."""
        row = self._rows.get(word.lower().replace("’", "'"))
        return 0.0 if row is None else row[0]

    def variants(self, word: str) -> int:
        """Give the national lists that have a word, as bits; 0 for technical and unknown words."""
        row = self._rows.get(word.lower())
        return 0 if row is None else row[1]

    def neighbours(self, word: str) -> list[tuple[str, int]]:
        """Give the words one edit away, or two if there are none, most frequent first.

        An edit drops, inserts or replaces a letter, or swaps two neighbours.

        Returns:
            Lowercase words with their distance.
        """
        lower = word.lower().replace("’", "'")
        return list(self._one_away(lower) or self._two_away(lower))

    def one_away(self, word: str) -> tuple[tuple[str, int], ...]:
        """Give the words exactly one edit away, most frequent first."""
        return self._one_away(word.lower().replace("’", "'"))

    def frequent_one_away(self, word: str, *, min_zipf: float) -> tuple[str, ...]:
        """Give the frequent words exactly one edit away, most frequent first.

        As :meth:`one_away`, but quick: only frequent words are looked at, by what is left of them
        without a letter.

        Args:
            word: in any case.
            min_zipf: from what frequency on a word is frequent.
        """
        from rapidfuzz.distance import OSA  # not before it is needed: the server starts without it

        lower = word.lower().replace("’", "'")
        if min_zipf not in self._by_rest:
            self._by_rest[min_zipf] = self._index_rests(min_zipf)
        by_rest = self._by_rest[min_zipf]
        near = {known for rest in (lower, *_rests(lower)) for known in by_rest.get(rest, ())}
        found = [
            known
            for known in near
            if known != lower
            and OSA.distance(lower, known, score_cutoff=1) == 1
            and _ALPHABET.issuperset(set(known).difference(lower))
        ]
        return tuple(sorted(found, key=self._rank))

    def _index_rests(self, min_zipf: float) -> dict[str, list[str]]:
        by_rest: dict[str, list[str]] = {}
        for known, (zipf, _) in self._rows.items():
            if zipf >= min_zipf:
                for rest in {known, *_rests(known)}:
                    by_rest.setdefault(rest, []).append(known)
        return by_rest

    def _find_one_away(self, word: str) -> tuple[tuple[str, int], ...]:
        found = {edit for edit in _edits(word) if edit in self._rows and edit != word}
        return tuple((edit, 1) for edit in sorted(found, key=self._rank))

    def _find_two_away(self, word: str) -> tuple[tuple[str, int], ...]:
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        if len(word) < _MIN_LETTERS_FOR_TWO:
            return ()
        if not self._by_length:
            by_length: defaultdict[int, list[str]] = defaultdict(list)
            for known, (zipf, _) in self._rows.items():
                if zipf > 0:  # what nobody writes is no candidate that far away
                    by_length[len(known)].append(known)
            self._by_length = {length: (w, _letters(w)) for length, w in by_length.items()}
        near = []
        for length in range(len(word) - 2, len(word) + 3):
            words, letters = self._by_length.get(length, ([], _letters([])))
            # Two edits bring or take four different letters at most; one in twenty words is left.
            differing = letters ^ _letters([word])
            n_differing = _N_BITS[differing & 0x3FFF] + _N_BITS[differing >> 14]
            near += [words[at] for at in np.flatnonzero(n_differing <= 4)]
        found = process.extract(word, near, scorer=OSA.distance, score_cutoff=2, limit=None)
        return tuple((known, 2) for known in sorted({row[0] for row in found}, key=self._rank)[:8])

    def _rank(self, word: str) -> tuple[float, str]:
        return -self._rows[word][0], word


@cache
def load_lexicon() -> Lexicon:
    """Read the table that comes with the package, once."""
    data = (files("dgemma_ls.proofread") / "data" / "lexicon.tsv.gz").read_bytes()
    rows = {}
    for line in gzip.decompress(data).decode().splitlines():
        word, zipf, variants = line.split("\t")
        rows[word] = (int(zipf) / _TENTHS, int(variants))
    return Lexicon(rows)


def _letters(words: Sequence[str]) -> npt.NDArray[np.uint32]:
    """Give the letters of each word as bits; all that is no letter is one more bit."""
    if not words:
        return np.zeros(0, dtype=np.uint32)
    chars = np.frombuffer("".join(words).encode("ascii", "replace"), dtype=np.uint8)
    lengths = np.array([len(word) for word in words])
    return np.asarray(np.bitwise_or.reduceat(_BITS[chars], np.cumsum(lengths) - lengths))


def _rests(word: str) -> set[str]:
    """Give what is left of a word without one letter."""
    return {word[:at] + word[at + 1 :] for at in range(len(word))}


def _edits(word: str) -> Collection[str]:
    halves = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    found = {left + right[1:] for left, right in halves if right}
    found.update(left + right[1] + right[0] + right[2:] for left, right in halves if len(right) > 1)
    for letter in _LETTERS + "'":
        found.update(left + letter + right for left, right in halves)
        found.update(left + letter + right[1:] for left, right in halves if right)
    return found
