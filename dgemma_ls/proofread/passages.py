"""A document as the proofreader sees it: passages of tokens, and how often each word occurs."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from dgemma_ls.proofread.lexicon import Lexicon
from dgemma_ls.proofread.ngrams import BREAK, CODE, NGrams
from dgemma_ls.proofread.steps import Steps, run_through
from dgemma_ls.proofread.types import Region, RegionKind
from dgemma_ls.proofread.words import Token, TokenKind, tokens_of
from dgemma_ls.types import Snapshot

_MAX_UNKNOWN_SHARE = 0.34  # more of them, and the passage is in another language or no prose
_MAX_UNKNOWN_SHARE_IF_FOREIGN = 0.05
_FOREIGN_SHARE = 0.18
_MIN_WORDS_OF_DOCUMENT = 40
_MIN_WORDS_TO_TELL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A region with its tokens.

    Attributes:
        region: where it lies.
        tokens: in order.
        ids: of the n-gram tables, one for each token.
        unknown: its words in lower case that the lexicon lacks, and that are no names.
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
    ngrams: NGrams,
) -> Document:
    """Cut regions into words, and leave out what is not English.

    Args:
        snapshot: the document.
        regions: its prose.
        names: identifiers and words of the user, in any case.
        lexicon: tells English.
        ngrams: gives ids.
    """
    return run_through(
        document_steps(snapshot, regions, names=names, lexicon=lexicon, ngrams=ngrams)
    )


def document_steps(
    snapshot: Snapshot,
    regions: Collection[Region],
    *,
    names: Collection[str],
    lexicon: Lexicon,
    ngrams: NGrams,
) -> Steps[Document]:
    """Do what :func:`read_document` does, a region at each step."""
    known_names = frozenset(name.lower() for name in names)
    counts: Counter[str] = Counter()
    n_words = n_unknown = 0
    read: list[tuple[Passage, int]] = []
    for region in regions:
        yield
        tokens = tuple(tokens_of(snapshot.text, region))
        words = [token.text for token in tokens if token.is_word]
        if not words:
            continue
        counts.update(word.lower() for word in words)
        unknown = [
            lower
            for word in words
            if not lexicon.knows(word) and (lower := word.lower()) not in known_names
        ]
        n_words, n_unknown = n_words + len(words), n_unknown + len(unknown)
        read.append((make_passage(region, tokens, unknown, ngrams), len(words)))
    foreign = is_foreign(n_words, n_unknown)
    passages = tuple(
        passage
        for passage, n_of_passage in read
        if is_read(passage.unknown_share, n_of_passage, foreign=foreign)
    )
    return Document(snapshot=snapshot, passages=passages, counts=counts, names=known_names)


def is_foreign(n_words: int, n_unknown: int) -> bool:
    """Say whether a document is in another language, whatever a line of it looks like."""
    return n_words >= _MIN_WORDS_OF_DOCUMENT and n_unknown > n_words * _FOREIGN_SHARE


def is_read(unknown_share: float, n_words: int, *, foreign: bool) -> bool:
    """Say whether a passage is in English, by its words."""
    most = _MAX_UNKNOWN_SHARE_IF_FOREIGN if foreign else _MAX_UNKNOWN_SHARE
    return unknown_share <= most or (n_words < _MIN_WORDS_TO_TELL and not foreign)


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
