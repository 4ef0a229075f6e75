"""What a known word may be confused with: sets that writers mix up, letters, and forms of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from dgemma_ls.proofread.lexicon import Lexicon
from dgemma_ls.proofread.ngrams import NGrams
from dgemma_ls.proofread.proposals import Kind

_MIN_ZIPF = 4.0
_MIN_COUNT = 60  # a rare word's neighbours are chance
_SETS = (
    "then than", "there their they're", "its it's", "your you're", "loose lose", "affect effect",
    "weather whether wether", "lead led", "past passed paste", "who's whose", "were where we're",
    "to too two", "of off", "chose choose", "quiet quite", "form from", "advice advise",
    "dependant dependent", "cant can't", "wont won't", "lets let's", "breath breathe breadth",
    "principal principle", "complement compliment", "discreet discrete", "bellow below",
    "trough through though thought", "accept except", "these those this", "has have had",
    "is are was were", "do does", "by but be", "an and", "expect except", "excepted expected",
    "or of for", "not now no note", "infinity infinite", "specially especially",
    "altogether together", "beside besides", "every very", "casual causal", "latter later",
    "desert dessert", "precede proceed", "personal personnel", "hole whole", "know now no",
    "brake break", "site cite", "peace piece", "right write", "here hear", "our or are",
)  # fmt: skip
_ENDINGS = ("s", "es", "d", "ed", "ing", "ly", "n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rivals:
    """Words that one word may be confused with; three parallel rows.

    Attributes:
        words: in lower case.
        ids: of the n-gram tables.
        kinds: of the error that it would be: a form of the same word is one of grammar.
    """

    words: tuple[str, ...]
    ids: tuple[int, ...]
    kinds: tuple[Kind, ...]


_NONE = Rivals(words=(), ids=(), kinds=())


@lru_cache(maxsize=16384)
def rivals_of(word: str, lexicon: Lexicon, ngrams: NGrams) -> Rivals:
    """Give what a word may be confused with; nothing for an unknown one.

    Args:
        word: in lower case, with straight apostrophes.
        lexicon: what there is.
        ngrams: gives ids.
    """
    if not lexicon.knows(word):
        return _NONE
    variants = lexicon.variants(word)
    found = dict.fromkeys(_sets().get(word, ()))
    near = [*lexicon.frequent_one_away(word, min_zipf=_MIN_ZIPF), *_inflections(word, lexicon)]
    for other in near:
        if ngrams.count(other) < _MIN_COUNT or len(other) < 2:
            continue
        if variants and lexicon.variants(other) not in (0, variants):
            continue  # "grey" and "gray" are both right
        found[other] = None
    words = tuple(other for other in found if other != word)
    return Rivals(
        words=words,
        ids=tuple(ngrams.id(other) for other in words),
        kinds=tuple(
            Kind.GRAMMAR if is_inflection(word, other) else Kind.REALWORD for other in words
        ),
    )


def is_mixed_up(word: str, other: str) -> bool:
    """Say whether writers are known to write the one for the other."""
    return other in _sets().get(word, ())


def _inflections(word: str, lexicon: Lexicon) -> Iterable[str]:
    """Give the frequent forms of a word, and some that look like it."""
    stems = {word: None, word + "e": None}
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) > 2:
            stem = word[: -len(ending)]
            stems |= {stem: None, stem + "e": None}
    for stem in stems:
        for form in (stem, *(stem + ending for ending in _ENDINGS)):
            if form != word and lexicon.zipf(form) >= _MIN_ZIPF:
                yield form


def is_inflection(one: str, other: str) -> bool:
    """Say whether two words are forms of one, by their ends."""
    start = len(_common_start(one, other))
    return (
        start >= 3 and one[start:] in ("", "e", *_ENDINGS) and other[start:] in ("", "e", *_ENDINGS)
    )


def _common_start(one: str, other: str) -> str:
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at]:
        at += 1
    return one[:at]


@cache
def _sets() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for group in _SETS:
        words = group.split()
        for word in words:
            found[word] = (*found.get(word, ()), *(other for other in words if other != word))
    return found
