"""A document as the proofreader sees it: passages of tokens, and how often each word occurs."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dgemma_ls.proofread.curated import CuratedList
from dgemma_ls.proofread.language import n_function_words
from dgemma_ls.proofread.lexicon import Lexicon
from dgemma_ls.proofread.ngrams import BREAK, CODE, NGrams
from dgemma_ls.proofread.steps import Steps, run_through
from dgemma_ls.proofread.types import Region, RegionKind
from dgemma_ls.proofread.words import Token, TokenKind, tokens_of
from dgemma_ls.types import Snapshot

_MAX_UNKNOWN_SHARE = 0.34  # more of them, and the passage is in another language or no prose
_MAX_UNKNOWN_SHARE_IF_FOREIGN = 0.05
_FOREIGN_SHARE = 0.18
# English full of mistakes still has its function words: of what the language gate takes for English
# in 51 other languages (92 documents of interface texts), unknown words outnumber them by 1.07 at
# least; where every other content word is wrong, it is 0.66.
_UNKNOWN_TO_FUNCTION_WORDS = 0.8
_MIN_WORDS_OF_DOCUMENT = 40
_MIN_WORDS_TO_TELL = 4
MAX_ZIPF_OF_LISTED = 3.5  # what is that usual is in no list of misspellings; spares asking


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A region with its tokens.

    Attributes:
        region: where it lies.
        tokens: in order.
        ids: of the n-gram tables, one for each token.
        unknown: its words in lower case that neither the lexicon nor the curated list of
            misspellings has, and that are no names.
        unknown_share: of its words.
    """

    region: Region
    tokens: tuple[Token, ...]
    ids: tuple[int, ...]
    unknown: frozenset[str]
    unknown_share: float

    @property
    def kind(self) -> RegionKind:
        """What its region is."""
        return self.region.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A snapshot's passages in English, and its words.

    Attributes:
        snapshot: the document.
        passages: in order.
        counts: of its words in lower case.
        names: words that are right here: identifiers and the user's own, in lower case.
    """

    snapshot: Snapshot
    passages: tuple[Passage, ...]
    counts: Counter[str]
    names: frozenset[str]


def read_document(
    snapshot: Snapshot,
    regions: Collection[Region],
    *,
    names: Collection[str],
    lexicon: Lexicon,
    curated: CuratedList,
    ngrams: NGrams,
) -> Document:
    """Cut regions into words, and leave out what is not English.

    Args:
        snapshot: the document.
        regions: its prose.
        names: identifiers and words of the user, in any case.
        lexicon: tells English.
        curated: tells misspelt English.
        ngrams: gives ids.
    """
    return run_through(
        document_steps(
            snapshot, regions, names=names, lexicon=lexicon, curated=curated, ngrams=ngrams
        )
    )


def document_steps(
    snapshot: Snapshot,
    regions: Collection[Region],
    *,
    names: Collection[str],
    lexicon: Lexicon,
    curated: CuratedList,
    ngrams: NGrams,
) -> Steps[Document]:
    """Do what :func:`read_document` does, a region at each step."""
    known_names = frozenset(name.lower() for name in names)
    counts: Counter[str] = Counter()
    forms: set[str] = set()
    read: list[tuple[Region, tuple[Token, ...], list[str], list[str]]] = []
    for region in regions:
        yield
        tokens = tuple(tokens_of(snapshot.text, region))
        words = [token.text for token in tokens if token.is_word]
        if not words:
            continue
        forms |= rare_forms(words, lexicon)
        lower = [word.lower() for word in words]
        counts.update(lower)
        unlisted = [word.lower() for word in words if not lexicon.knows(word)]
        read.append((region, tokens, lower, unlisted))
    known = known_names | misspelt(forms, curated)
    unknown = [[word for word in row[-1] if word not in known] for row in read]
    n_function = [n_function_words(lower) for _, _, lower, _ in read]
    foreign = is_foreign(counts.total(), sum(map(len, unknown)), sum(n_function))
    passages = tuple(
        make_passage(region, tokens, of_passage, ngrams)
        for (region, tokens, lower, _), of_passage, n in zip(read, unknown, n_function, strict=True)
        if is_read(len(lower), len(of_passage), n, foreign=foreign)
    )
    return Document(snapshot=snapshot, passages=passages, counts=counts, names=known_names)


def rare_forms(words: Iterable[str], lexicon: Lexicon) -> set[str]:
    """Give the words, as they are written, that the curated list may have."""
    return {word for word in words if lexicon.zipf(word) < MAX_ZIPF_OF_LISTED}


def misspelt(forms: Iterable[str], curated: CuratedList) -> frozenset[str]:
    """Give the misspellings that the curated list has, in lower case: they are English, too.

    Args:
        forms: words as they are written.
        curated: the list.
    """
    return frozenset(form.lower() for form in curated.corrections(forms))


def is_foreign(n_words: int, n_unknown: int, n_function: int) -> bool:
    """Say whether a document is in another language, whatever a line of it looks like.

    Args:
        n_words: in it.
        n_unknown: that nothing knows.
        n_function: function words of English.
    """
    return (
        n_words >= _MIN_WORDS_OF_DOCUMENT
        and n_unknown > n_words * _FOREIGN_SHARE
        and _outnumber(n_unknown, n_function)
    )


def is_read(n_words: int, n_unknown: int, n_function: int, *, foreign: bool) -> bool:
    """Say whether a passage is in English, by its words.

    Args:
        n_words: in it.
        n_unknown: that nothing knows.
        n_function: function words of English.
        foreign: whether the document is not.
    """
    if foreign:
        return n_unknown <= n_words * _MAX_UNKNOWN_SHARE_IF_FOREIGN
    few = n_unknown <= n_words * _MAX_UNKNOWN_SHARE or n_words < _MIN_WORDS_TO_TELL
    return few or not _outnumber(n_unknown, n_function)


def _outnumber(n_unknown: int, n_function: int) -> bool:
    return n_unknown > n_function * _UNKNOWN_TO_FUNCTION_WORDS


def make_passage(
    region: Region, tokens: tuple[Token, ...], unknown: Collection[str], ngrams: NGrams
) -> Passage:
    """Make a passage of a region's tokens; one of them is a word.

    Args:
        region: where it lies.
        tokens: of it.
        unknown: its words in lower case that nothing knows, each as often as it occurs.
        ngrams: gives ids.
    """
    n_words = sum(token.is_word for token in tokens)
    return Passage(
        region=region,
        tokens=tokens,
        ids=tuple(_id(token, ngrams) for token in tokens),
        unknown=frozenset(unknown),
        unknown_share=len(unknown) / n_words,
    )


def _id(token: Token, ngrams: NGrams) -> int:
    if token.is_word:
        return ngrams.id(token.text)
    return BREAK if token.kind is TokenKind.BREAK else CODE
