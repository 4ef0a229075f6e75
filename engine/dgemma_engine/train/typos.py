"""Typo-shaped noise: one wrong word in a canvas of prose, as a person might have typed it.

Uniform noise replaces a token by any other; a typo replaces a word by one that looks like it, often
in another number of tokens. A model that has seen both can doubt a word that is nearly right.
"""

import re
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

Ids = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PROSE_WORDS = 4  # so many words in a row, with nothing but spaces between, are taken for prose
_CODE_WORDS = frozenset(
    """
    and as assert class def del elif else except for from if import in is lambda not or pass raise
    return while with yield self None True False
    """.split()  # noqa: SIM905 - a list would be a page long
)
_MIN_LETTERS = 4
_REAL_WORD_SHARE = 0.3  # of typos, those that are words themselves ("form" for "from")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TypedCanvas:
    """A canvas with a typo.

    Attributes:
        ids: (C,), the text with the typo.
        targets: (C,), what should stand there.
        wrong: bool (C,), tokens of the typo whose true token is known: all that differ where the
            wrong word has as many tokens as the right one, else the first that differs.
        lost: bool (C,), tokens of the typo after it, which have no counterpart.
    """

    ids: Ids
    targets: Ids
    wrong: Flags
    lost: Flags


class TypoNoise:
    """Makes typos with one tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Take a byte-level tokenizer whose words carry the space before them."""
        self._tokenizer = tokenizer
        n_ids = tokenizer.get_vocab_size()
        self._texts = [tokenizer.decode([idx]) for idx in range(n_ids)]
        self._starts = np.array([_is_word(text) for text in self._texts])
        self._goes_on = np.array([text.isascii() and text.isalpha() for text in self._texts])
        self._neighbours = _neighbours(self._texts)

    def corrupt(self, clean: Ids, following: Ids, rng: np.random.Generator) -> TypedCanvas | None:
        """Put a typo into a canvas.

        Args:
            clean: (C,) ids.
            following: ids after the canvas, which move in where the typo is shorter than the word.
            rng: source of all randomness.

        Returns:
            The canvas, or ``None`` if it holds no prose or the draw is of no use.
        """
        words = self._prose_words(clean)
        if not words:
            return None
        start, end = words[rng.integers(len(words))]
        typo = self._typo(clean[start:end], rng)
        if typo is None:
            return None
        length, n_true = len(clean), end - start
        missing = n_true - len(typo)  # negative where the typo is longer
        if missing > len(following):
            return None
        ids = np.concatenate((clean[:start], typo, clean[end:], following[: max(0, missing)]))
        ids = ids[:length]
        targets = ids.copy()
        wrong, lost = np.zeros(length, dtype=bool), np.zeros(length, dtype=bool)
        stop = min(length, start + len(typo))
        if missing == 0:
            targets[start:stop] = clean[start:end]
            wrong[start:stop] = ids[start:stop] != targets[start:stop]
        else:
            shared = min(stop - start, n_true)
            differs = np.flatnonzero(ids[start : start + shared] != clean[start : start + shared])
            at = start + (int(differs[0]) if len(differs) else shared)
            if at < min(stop, end):
                targets[at], wrong[at] = clean[at], True
            lost[at:stop] = ~wrong[at:stop]
        if not wrong.any():  # its tokens are those that the word begins with
            return None
        return TypedCanvas(ids=ids, targets=targets, wrong=wrong, lost=lost)

    def _prose_words(self, ids: Ids) -> list[tuple[int, int]]:
        """Words (start, end) inside runs of prose, long enough to be mistyped."""
        found: list[tuple[int, int]] = []
        run: list[tuple[int, int]] = []
        place = 0
        while place < len(ids):
            if not self._starts[ids[place]]:
                run = []
                place += 1
                continue
            start = place
            place += 1
            while place < len(ids) and self._goes_on[ids[place]]:
                place += 1
            if self._text(ids[start:place]).strip() in _CODE_WORDS:
                run = []
                continue
            run.append((start, place))
            if len(run) == _PROSE_WORDS:
                found += run
            elif len(run) > _PROSE_WORDS:
                found.append(run[-1])
        return [
            (start, end)
            for start, end in found
            if end < len(ids) and len(self._text(ids[start:end])) > _MIN_LETTERS
        ]

    def _typo(self, word: Ids, rng: np.random.Generator) -> Ids | None:
        if len(word) == 1 and rng.random() < _REAL_WORD_SHARE:
            others = self._neighbours.get(int(word[0]))
            if others:
                return np.array([others[rng.integers(len(others))]])
        typed = mistype(self._text(word), rng)
        if typed is None:
            return None
        return np.array(self._tokenizer.encode(typed, add_special_tokens=False).ids)

    def _text(self, ids: Ids) -> str:
        return "".join(self._texts[idx] for idx in ids)


def mistype(word: str, rng: np.random.Generator) -> str | None:
    """Swap, drop, double or replace one letter of a word, never its first; spaces stay in front.

    Returns:
        Another word, or ``None`` if the draw changed nothing.
    """
    first = len(word) - len(word.lstrip()) + 1
    if len(word) - first < 2:
        return None
    at = int(rng.integers(first, len(word)))
    match int(rng.integers(4)):
        case 0:  # transposed
            at = min(at, len(word) - 2)
            typed = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 1:  # dropped
            typed = word[:at] + word[at + 1 :]
        case 2:  # one too many: the same again, or any
            extra = word[at] if rng.random() < 0.5 else _LETTERS[rng.integers(26)]
            typed = word[:at] + extra + word[at:]
        case _:  # replaced
            typed = word[:at] + _LETTERS[rng.integers(26)] + word[at + 1 :]
    return typed if typed != word else None


def _is_word(text: str) -> bool:
    return re.fullmatch(r" [A-Za-z][a-z]*", text) is not None


def _neighbours(texts: list[str]) -> dict[int, list[int]]:
    """Words of one token that differ in one letter, or in the order of two neighbours."""
    by_pattern: dict[str, list[int]] = defaultdict(list)
    for idx, text in enumerate(texts):
        if _is_word(text) and len(text) > _MIN_LETTERS - 1:
            for at in range(2, len(text)):
                by_pattern[text[:at] + "?" + text[at + 1 :]].append(idx)
                by_pattern[text[:at] + text[at + 1 :]].append(idx)
            by_pattern[text].append(idx)
    found: dict[int, set[int]] = defaultdict(set)
    for group in by_pattern.values():
        for idx in group:
            found[idx].update(other for other in group if other != idx)
    return {idx: sorted(others) for idx, others in found.items() if others}
