"""Errors as people make them, put into clean text: for fitting and for the synthetic control set.

Kinds and shares are those of 7,130 mined fixes, counted, not copied: no text of them is here.
"""

import random

from dgemma_ls.proofread.lexicon import Lexicon
from dgemma_ls.proofread.passages import Document
from dgemma_ls.proofread.proposals import Kind, cased_like

KINDS = {
    Kind.NONWORD: 0.45,
    Kind.REALWORD: 0.25,
    Kind.DOUBLED: 0.08,
    Kind.MISSING: 0.10,
    Kind.GRAMMAR: 0.12,
}
_FUNCTION = ["the", "a", "to", "of", "is", "be", "are", "an", "in", "as", "and", "it"]
_EXTRA = tuple(
    """
the a to of is be are an in as and it that for you not do this has
""".split()  # noqa: SIM905 - one line reads better than twenty
)
_ACROSS_LINES = 0.3  # of doubled words
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_VOWELS = "aeiou"
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_HOMOPHONES = (
    "then than", "there their", "its it's", "your you're", "loose lose", "affect effect",
    "weather whether", "lead led", "past passed", "were where", "to too", "of off", "chose choose",
    "quiet quite", "form from", "advice advise", "wont won't", "lets let's", "through trough",
    "below bellow", "accept except", "these this", "those these", "is are", "was were", "has have",
    "do does", "and an", "be by", "or of", "not no", "in it", "is it", "as is", "on one",
    "for from",
)  # fmt: skip


def corrupt(
    document: Document, kind: Kind, lexicon: Lexicon, rng: random.Random
) -> tuple[str, int, str] | None:
    """Put one error into a document.

    Args:
        document: clean.
        kind: of error.
        lexicon: tells words from others.
        rng: source of all randomness.

    Returns:
        The text with the error, its offset, and the right word; ``None`` if the draw came to
        nothing.
    """
    text = document.snapshot.text
    words = [
        (passage.tokens[idx - 1] if idx else None, token)
        for passage in document.passages
        for idx, token in enumerate(passage.tokens)
        if token.is_word
        and lexicon.knows(token.text)
        and token.text[1:].islower() | (len(token.text) == 1)
    ]
    if kind is Kind.NONWORD:
        words = [(a, b) for a, b in words if len(b.text) > 3]
    if not words:
        return None
    across = rng.random() < _ACROSS_LINES
    for _ in range(40):
        before, token = rng.choice(words)
        start, end = token.span.start, token.span.end
        word = token.text.lower()
        beside = before is not None and before.is_word and text[before.span.end : start] == " "
        if kind is Kind.NONWORD:
            # Long words are mistyped more: each letter is a chance.
            if rng.random() > len(word) / 14:
                continue
            new = mistype(word, rng)
            if new == word or lexicon.knows(new):
                continue
        elif kind is Kind.REALWORD:
            other = _other_word(word, lexicon, rng)
            if other is None:
                continue
            new = other
        elif kind is Kind.DOUBLED:
            if across:
                if before is None or not _is_next_line(text[before.span.end : start]):
                    continue
                doubled, rest = before.text.lower(), token.text
            else:
                doubled, rest = word, word
                if not beside:
                    continue
            if lexicon.zipf(doubled) <= 6.0 and rng.random() >= 0.1:
                continue
            new = doubled + " " + rest
        elif kind is Kind.MISSING:
            if word not in _FUNCTION or not beside or token.text != word:
                continue
            return text[: start - 1] + text[end:], start - 1, token.text
        else:
            change = _misinflect(word, rng) if beside else None
            if change is None or change == word or not all(map(lexicon.knows, change.split())):
                continue
            new = change
        new = cased_like(new, token.text)
        return text[:start] + new + text[end:], start, token.text
    return None


def _is_next_line(between: str) -> bool:
    return "\n" in between and not between.strip(" \t\r\n#/*>;%-")


def mistype(word: str, rng: random.Random) -> str:
    """Mistype a word of at least four letters by the operations' measured shares."""
    roll = rng.random()
    at = rng.randrange(0 if rng.random() < 0.015 else 1, len(word))
    if roll < 0.34:  # dropped
        return word[:at] + word[at + 1 :]
    if roll < 0.49:
        return word[:at] + rng.choice(word + _LETTERS) + word[at:]
    if roll < 0.61:
        at = min(max(at, 1), len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if roll < 0.71:  # one of a double letter
        doubles = [i for i in range(1, len(word)) if word[i] == word[i - 1]]
        if doubles:
            at = rng.choice(doubles)
        return word[:at] + word[at + 1 :]
    if roll < 0.79:
        vowels = [i for i in range(1, len(word)) if word[i] in _VOWELS]
        if vowels:
            at = rng.choice(vowels)
        return word[:at] + rng.choice(_VOWELS) + word[at + 1 :]
    if roll < 0.85:
        return word[:at] + word[at] + word[at:]
    if roll < 0.93:
        return mistype(mistype(word, rng), rng) if len(word) > 6 else mistype(word, rng)
    if roll < 0.955:
        return word[:at] + rng.choice(_near_keys(word[at])) + word[at + 1 :]
    return word[:at] + rng.choice(_LETTERS) + word[at + 1 :]


def _other_word(word: str, lexicon: Lexicon, rng: random.Random) -> str | None:
    if rng.random() < 0.35:
        pairs = [
            other
            for group in _HOMOPHONES
            if word in group.split()
            for other in group.split()
            if other != word
        ]
        if pairs:
            return rng.choice(pairs)
    near = [other for other, _ in lexicon.one_away(word) if len(other) > 1 or other in "ai"]
    if not near:
        return None
    weights = [10 ** (lexicon.zipf(other) / 3) for other in near]
    return rng.choices(near, weights)[0]


def _misinflect(word: str, rng: random.Random) -> str | None:
    roll = rng.random()
    if word in ("a", "an"):
        return "an" if word == "a" else "a"
    if roll < 0.25:
        return rng.choice(_EXTRA) + " " + word
    if len(word) < 3:
        return None
    for ending in ("s", "ed", "d", "ing", "ly"):
        if word.endswith(ending) and len(word) - len(ending) > 2 and roll < 0.7:
            stem = word[: -len(ending)]
            return stem + rng.choice(("", "", "", "e", "s", "ed"))
    return word + rng.choice(("s", "s", "s", "d", "ed", "ing", "ly"))


def _near_keys(letter: str) -> str:
    for number, row in enumerate(_ROWS):
        if letter in row:
            at = row.index(letter)
            near = row[max(0, at - 1) : at] + row[at + 1 : at + 2]
            for other in (number - 1, number + 1):
                if 0 <= other < len(_ROWS):
                    near += _ROWS[other][max(0, at - 1) : at + 1]
            return near or letter
    return letter
