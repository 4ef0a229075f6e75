"""Words that are none: candidates from the curated list, and from what lies an edit or two off."""

import math
import re

from dgemma_ls.proofread.curated import CuratedList
from dgemma_ls.proofread.lexicon import Lexicon
from dgemma_ls.proofread.ngrams import NGrams
from dgemma_ls.proofread.passages import Document, rare_forms
from dgemma_ls.proofread.proposals import Kind, Proposal, cased_like
from dgemma_ls.proofread.words import Token

_MIN_LETTERS = 3
_MIN_STEM = 3  # letters, and one more
_MAX_CANDIDATES = 6
_PREFIXES = tuple(
    """
un re pre sub non multi auto de inter super meta pseudo co micro mini over under anti semi
sub hyper cross mis dis pro post self up down back fore out mono bi tri poly geo bio
""".split()  # noqa: SIM905 - one line reads better than twenty
)
_SUFFIXES = tuple(
    """
s es ed d r er ers or ing able ness ize izes ized izer izers izing ization ise ised ising
isation ly less like wise ish ity ability ability ify ifier ful fully ment able ably ified
""".split()  # noqa: SIM905 - one line reads better than twenty
)
_POSSESSIVE = re.compile(r"['’]s$", re.IGNORECASE)
_VOWELS = frozenset("aeiouy")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def unknown_words(
    document: Document, lexicon: Lexicon, curated: CuratedList, ngrams: NGrams
) -> list[Proposal]:
    """Propose what unknown and listed words might have been meant to be.

    Args:
        document: where to look.
        lexicon: the words there are.
        curated: the list.
        ngrams: how often a word that the lexicon lacks was counted.
    """
    words = (t.text for passage in document.passages for t in passage.tokens if t.is_word)
    listed = curated.corrections(rare_forms(words, lexicon))
    found = []
    for number, passage in enumerate(document.passages):
        for idx, token in enumerate(passage.tokens):
            if not token.is_word or not _may_be_mended(token, document):
                continue
            hits = listed.get(token.text, ())
            if not hits and (lexicon.knows(token.text) or not is_plain(token)):
                continue
            about_word = {
                "letters": float(min(len(token.text), 12)),
                # A name is written again and again; so is a mistake, but then it is on the list.
                "repeated": 0.0 if hits else math.log2(document.counts[token.text.lower()]),
                "counted": math.log2(1 + ngrams.count(token.text)),
                "derived": float(is_derived(token.text.lower(), lexicon)),
                "capital": float(token.text[0].isupper()),
                "capital_inside": float(token.text[0].isupper() and not token.starts_sentence),
                "unknown_share": passage.unknown_share,
            }
            found += [
                Proposal(
                    kind=Kind.NONWORD,
                    span=token.span,
                    new_text=cased_like(word, token.text),
                    place=(number, idx, idx + 1),
                    features=about_word | about,
                )
                for word, about in _candidates(token.text, hits, lexicon)
            ]
    return found


def is_derived(word: str, lexicon: Lexicon) -> bool:
    """Say whether a word is one with a known prefix or suffix, or two known ones together."""
    stems = {
        word[len(prefix) :]
        for prefix in _PREFIXES
        if word.startswith(prefix) and len(word) - len(prefix) > _MIN_STEM
    }
    for suffix in _SUFFIXES:
        stem = word[: -len(suffix)]
        if word.endswith(suffix) and len(stem) > _MIN_STEM:
            stems |= {stem, stem + "e"} if suffix[0] in "aeiy" else {stem}
    if any(_is_common(stem, lexicon) for stem in stems):
        return True
    return any(
        _is_common(word[:at], lexicon) and _is_common(word[at:], lexicon)
        for at in range(3, len(word) - 2)
    )


def _is_common(word: str, lexicon: Lexicon) -> bool:
    return lexicon.zipf(word) >= 3.0


def _may_be_mended(token: Token, document: Document) -> bool:
    return len(token.text) >= _MIN_LETTERS and token.text.lower() not in document.names


def is_plain(token: Token) -> bool:
    """Leave out acronyms, and words of other alphabets."""
    text = token.text
    return re.fullmatch(r"[A-Za-z][a-z]*(?:['’][a-z]+)?", text) is not None


def stem_of_owner(word: str) -> str:
    """Give a word without the ending of possession."""
    return _POSSESSIVE.sub("", word)


def _candidates(
    word: str, hits: tuple[str, ...], lexicon: Lexicon
) -> list[tuple[str, dict[str, float]]]:
    owner = _POSSESSIVE.search(word)
    if owner is not None and not hits:  # the ending is right, whatever is wrong before it
        return [
            (known + owner[0].lower(), about)
            for known, about in _candidates(word[: owner.start()], hits, lexicon)
        ]
    near = lexicon.neighbours(word)
    ranked = dict(near[:_MAX_CANDIDATES])
    total = sum(10 ** lexicon.zipf(known) for known in ranked) or 1.0
    listed = {hit.lower(): rank for rank, hit in enumerate(hits)}
    rows = []
    for known in dict.fromkeys((*listed, *ranked)):
        zipf = lexicon.zipf(known)
        share = 10**zipf / total if known in ranked else 0.5
        rows.append(
            (
                known,
                {
                    "listed": float(known in listed),
                    "listed_alone": float(known in listed and len(listed) == 1),
                    "listed_other": float(bool(listed) and known not in listed),
                    "zipf": zipf,
                    "two_away": float(ranked.get(known, 1 if known in listed else 2) == 2),
                    "share": math.log(max(share, 1e-6)),
                    "n_near": math.log2(1 + len(near)),
                    **shape(word.lower(), known),
                },
            )
        )
    return rows


def shape(word: str, known: str) -> dict[str, float]:
    """Say how two words differ, as people's slips do."""
    start = _n_common(word, known)
    end = _n_common(word[start:][::-1], known[start:][::-1])
    old, new = word[start : len(word) - end], known[start : len(known) - end]
    doubled = (
        not old
        and len(new) == 1
        and new in (known[start - 1 : start], known[start + 1 : start + 2])
    ) or (
        not new and len(old) == 1 and old in (word[start - 1 : start], word[start + 1 : start + 2])
    )
    return {
        "first_letter": float(start == 0),
        "last_letter": float(end == 0),
        "plural": float(end == 0 and (old + new) in ("s", "es", "'s")),
        "swapped": float(len(old) == 2 and old == new[::-1]),
        "dropped": float(not old and not doubled),
        "inserted": float(not new and not doubled),
        "doubling": float(doubled),
        "vowel": float(len(old) == len(new) == 1 and {old, new} <= _VOWELS),
        "on_keyboard": float(len(old) == len(new) == 1 and _are_neighbours(old, new)),
    }


def _are_neighbours(one: str, other: str) -> bool:
    at = [
        (row, line.index(letter))
        for letter in (one, other)
        for row, line in enumerate(_ROWS)
        if letter in line
    ]
    return len(at) == 2 and abs(at[0][0] - at[1][0]) <= 1 and abs(at[0][1] - at[1][1]) <= 1


def _n_common(one: str, other: str) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
