"""A document's pieces, read once: what a check needs to know of paragraphs that did not change.

A reading depends on the text of its piece alone, and its offsets are those of the piece. So after
an edit the readings of all other pieces are as good as new, wherever they lie now. What depends on
the whole document (its language, its names, how often a word occurs) is put together from them.
"""

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from operator import add

from dgemma_engine.types import Span
from dgemma_ls.proofread.assemble import free_text
from dgemma_ls.proofread.curated import CuratedList
from dgemma_ls.proofread.fragments import completed, names_of, region_steps
from dgemma_ls.proofread.language import (
    Evidence,
    Language,
    gather_evidence,
    judge,
    n_function_words,
)
from dgemma_ls.proofread.lexicon import Lexicon
from dgemma_ls.proofread.passages import is_foreign, is_read, misspelt, rare_forms
from dgemma_ls.proofread.regions import identifiers_in, in_order, regions_of_piece
from dgemma_ls.proofread.steps import Steps
from dgemma_ls.proofread.types import Region, RegionKind
from dgemma_ls.proofread.words import Token, tokens_of
from dgemma_ls.syntax import pieces
from dgemma_ls.types import Snapshot

_MAX_CHARACTERS = 2 << 20
"""Of pieces whose readings are kept; a reading takes some ten times as many bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionReading:
    """What a region says, whatever document it is in.

    Attributes:
        region: offsets of its piece.
        is_weak: whether it is too short to tell its language, and goes with the document.
        n_words: in it, at least one.
        n_function: function words of English among them.
        words: in lower case.
        unlisted: those that the lexicon lacks, each as often as it occurs.
    """

    region: Region
    is_weak: bool
    n_words: int
    n_function: int
    words: frozenset[str]
    unlisted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceReading:
    """What a piece says, whatever document it is in.

    Attributes:
        regions: those that are English, or may be, in order.
        evidence: of the language, of all regions.
        counts: of the words in lower case, of the regions that are surely English.
        weak_counts: of the others.
        names: identifiers in lower case.
        words: in lower case.
        unlisted: words that the lexicon lacks.
        forms: words as they are written, those that the curated list may have.
    """

    regions: tuple[RegionReading, ...]
    evidence: Evidence
    counts: Counter[str]
    weak_counts: Counter[str]
    names: frozenset[str]
    words: frozenset[str]
    unlisted: frozenset[str]
    forms: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of one document.

    Attributes:
        span: where it lies in the document.
        reading: of it.
        tokens: of its regions, as offsets of the document; ``None`` if it was read before.
    """

    span: Span
    reading: PieceReading
    tokens: tuple[tuple[Token, ...], ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the pieces of a document say together.

    Attributes:
        is_english: whether paragraphs too short to tell are taken for English.
        is_foreign: whether much of it is unknown everywhere.
        names: words that are right here, in lower case.
        misspelt: words that the curated list has, in lower case.
        counts: of its words in lower case.
    """

    is_english: bool
    is_foreign: bool
    names: frozenset[str]
    misspelt: frozenset[str]
    counts: Counter[str]

    def takes(self, reading: RegionReading) -> bool:
        """Say whether typos are looked for in a region."""
        if reading.is_weak and not self.is_english:
            return False
        n_unknown = len(self.unknown(reading))
        return is_read(reading.n_words, n_unknown, reading.n_function, foreign=self.is_foreign)

    def unknown(self, reading: RegionReading) -> list[str]:
        """Give the words of a region that nothing knows, each as often as it occurs."""
        known = self.names, self.misspelt
        return [word for word in reading.unlisted if not any(word in words for words in known)]


class Readings:
    """Readings of pieces by their text; the least recently used go first."""

    def __init__(self, *, max_characters: int = _MAX_CHARACTERS) -> None:
        self._max_characters = max_characters
        self._known: OrderedDict[tuple[object, ...], PieceReading] = OrderedDict()
        self._n_characters = 0

    def get(self, key: tuple[object, ...]) -> PieceReading | None:
        """Give a reading; the last part of the key is the text of the piece."""
        if key in self._known:
            self._known.move_to_end(key)
        return self._known.get(key)

    def all(self) -> list[PieceReading]:
        """Give all that is known, the least recently used first."""
        return list(self._known.values())

    def put(self, key: tuple[object, ...], reading: PieceReading) -> None:
        """Remember a reading."""
        if key in self._known:
            return
        self._known[key] = reading
        self._n_characters += len(str(key[-1]))
        while self._n_characters > self._max_characters and len(self._known) > 1:
            self._n_characters -= len(str(self._known.popitem(last=False)[0][-1]))


def piece_steps(
    snapshot: Snapshot,
    *,
    strings: bool,
    kinds: Collection[RegionKind],
    lexicon: Lexicon,
    known: Readings,
) -> Steps[list[Piece]]:
    """Read a document, a paragraph of what is new at each step.

    Args:
        snapshot: a document, perhaps a piece of one.
        strings: take the strings of programs too.
        kinds: of regions to take.
        lexicon: says which words are listed.
        known: readings of earlier texts; the new ones are put there.
    """
    language_id, text = snapshot.language_id, snapshot.text
    if completed(snapshot).is_changed:
        # Its marks are lacking: what a part of it means, the part does not say.
        return [(yield from _read_fragment(snapshot, strings, kinds, lexicon))]
    found = []
    for span in pieces(language_id, text):
        yield
        content = text[span.start : span.end]
        key = (language_id, strings, frozenset(kinds), content)
        if (reading := known.get(key)) is not None:
            found.append(Piece(span=span, reading=reading, tokens=None))
            continue
        regions = []
        for region in regions_of_piece(language_id, content, strings=strings):
            regions.append(region)
            yield
        names = identifiers_in(language_id, content)
        piece = yield from _read(text, span, in_order(regions), names, kinds, lexicon)
        known.put(key, piece.reading)
        found.append(piece)
    return found


def overview_steps(
    found: Sequence[Piece], words: Collection[str], curated: CuratedList
) -> Steps[Overview]:
    """Put together what the pieces of a document say.

    Args:
        found: its pieces.
        words: of the user, that are right.
        curated: the list of misspellings; best asked about all forms before.
    """
    readings = [piece.reading for piece in found]
    evidence = reduce(add, (reading.evidence for reading in readings), Evidence.none())
    is_english = judge(evidence) is Language.ENGLISH
    names = frozenset(word.lower() for word in words).union(*(one.names for one in readings))
    counts: Counter[str] = Counter()
    listed = misspelt(chain.from_iterable(one.forms for one in readings), curated)
    n_words = n_unknown = n_function = 0
    for reading in readings:
        yield
        counts.update(reading.counts)
        if is_english:
            counts.update(reading.weak_counts)
        for region in reading.regions:
            if is_english or not region.is_weak:
                n_words += region.n_words
                n_function += region.n_function
                n_unknown += sum(w not in names and w not in listed for w in region.unlisted)
    return Overview(
        is_english=is_english,
        is_foreign=is_foreign(n_words, n_unknown, n_function),
        names=names,
        misspelt=listed,
        counts=counts,
    )


def _read_fragment(
    snapshot: Snapshot, strings: bool, kinds: Collection[RegionKind], lexicon: Lexicon
) -> Steps[Piece]:
    regions = yield from region_steps(snapshot, strings=strings)
    span = Span(start=0, end=len(snapshot.text))
    names = names_of(snapshot)
    return (yield from _read(snapshot.text, span, regions, names, kinds, lexicon, is_sure=True))


def _read(
    text: str,
    span: Span,
    regions: Sequence[Region],
    names: Collection[str],
    kinds: Collection[RegionKind],
    lexicon: Lexicon,
    *,
    is_sure: bool = False,
) -> Steps[Piece]:
    """Read regions of a piece; ``is_sure`` if they are known to be English."""
    evidence = Evidence.none()
    read: list[RegionReading] = []
    tokens: list[tuple[Token, ...]] = []
    counts: Counter[str] = Counter()
    weak_counts: Counter[str] = Counter()
    forms: set[str] = set()
    for region in regions:
        yield
        there = region.moved(span.start) if span.start else region
        one = gather_evidence(free_text(text, there))
        evidence += one
        is_weak = not is_sure and judge(one) is not Language.ENGLISH
        if is_weak and not (judge(one) is Language.UNKNOWN and _is_mute(one)):
            continue
        if region.kind not in kinds:
            continue
        cut = tuple(tokens_of(text, there))
        written = [token.text for token in cut if token.is_word]
        if not written:
            continue
        forms |= rare_forms(written, lexicon)
        lower = [word.lower() for word in written]
        (weak_counts if is_weak else counts).update(lower)
        tokens.append(cut)
        read.append(
            RegionReading(
                region=region,
                is_weak=is_weak,
                n_words=len(written),
                n_function=n_function_words(lower),
                words=frozenset(lower),
                unlisted=tuple(_unlisted(written, lexicon)),
            )
        )
    reading = PieceReading(
        regions=tuple(read),
        evidence=evidence,
        counts=counts,
        weak_counts=weak_counts,
        names=frozenset(name.lower() for name in names),
        words=frozenset().union(*(one.words for one in read)),
        unlisted=frozenset(word for one in read for word in one.unlisted),
        forms=frozenset(forms),
    )
    return Piece(span=span, reading=reading, tokens=tuple(tokens))


def _is_mute(evidence: Evidence) -> bool:
    return bool(evidence.n_words) and not (evidence.n_other or evidence.n_accented)


def _unlisted(words: Sequence[str], lexicon: Lexicon) -> Iterator[str]:
    return (word.lower() for word in words if not lexicon.knows(word))
