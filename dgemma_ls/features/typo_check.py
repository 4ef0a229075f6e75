"""A document's typos, found paragraph by paragraph in small steps.

After a change only what changed is looked at again; the rest is remembered (``typo_cache.py``). No
clock but for the length of a step, no thread and no protocol in here.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol, runtime_checkable

from dgemma_engine.types import CancelToken, Place, Span
from dgemma_ls.features.typo_cache import (
    ParagraphCache,
    key_of_paragraph,
    key_of_piece,
    window_around,
)
from dgemma_ls.features.typos import TypoOptions, ask, take_answers
from dgemma_ls.proofread.fixes import Knowledge, decide, propose
from dgemma_ls.proofread.lexicon import Lexicon
from dgemma_ls.proofread.nonwords import is_plain, stem_of_owner
from dgemma_ls.proofread.passages import Document, Passage, make_passage
from dgemma_ls.proofread.readings import Overview, Piece, overview_steps, piece_steps
from dgemma_ls.proofread.steps import Steps
from dgemma_ls.proofread.types import Fix
from dgemma_ls.proofread.words import tokens_of
from dgemma_ls.types import Snapshot

_WORDS_AT_ONCE = 200  # in paragraphs looked at together
_WORDS_LISTED_AT_ONCE = 4_000  # asked of the curated list in one go, about 10 ms
_STEP_S = 0.02


@runtime_checkable
class Comparer(Protocol):
    """What finding typos needs of the engine; ``dgemma_engine.Engine`` is one."""

    def compare(
        self, text: str, places: Sequence[Place], *, cancel: CancelToken | None = None
    ) -> list[tuple[float, ...]]:
        """Score alternatives for places of a text."""
        ...


@dataclass(slots=True, kw_only=True)
class Check:
    """One look through a document, as far as it has come.

    Attributes:
        snapshot: the document.
        fixes: found so far, in order, of both tiers.
        frontier: the offset before which all was looked at.
        share: of the work that is done, 0 to 1.
        n_checked: paragraphs that were not known already.
        done: whether it is through.
    """

    snapshot: Snapshot
    fixes: list[Fix] = field(default_factory=list)
    frontier: int = 0
    share: float = 0.0
    n_checked: int = 0
    done: bool = False


def check_steps(
    check: Check,
    knowledge: Knowledge,
    options: TypoOptions,
    cache: ParagraphCache,
    engine: object,
) -> Steps[None]:
    """Look through a document; what is found stands in ``check`` after each step.

    Args:
        check: a new one.
        knowledge: of English.
        options: of the user; both tiers are looked for.
        cache: of paragraphs.
        engine: has its say if it is a :class:`Comparer`.
    """
    snapshot, text = check.snapshot, check.snapshot.text
    found = yield from piece_steps(
        snapshot,
        strings=options.strings,
        kinds=options.kinds,
        lexicon=knowledge.lexicon,
        known=cache.readings,
    )
    yield from _look_up(found, knowledge)
    view = yield from overview_steps(found, options.words, knowledge.curated)
    comparer = engine if isinstance(engine, Comparer) else None
    document = Document(snapshot=snapshot, passages=(), counts=view.counts, names=view.names)
    for piece in found:
        yield
        facts = (
            comparer is not None,
            options.strings,
            sorted(kind.value for kind in options.kinds),
        )
        key = key_of_piece(text, piece, view, facts)
        if (known := cache.get(key)) is not None:
            _take(check, piece.span, known)
        else:
            n_before = len(check.fixes)
            yield from _check_piece(check, piece, view, document, knowledge, cache, comparer)
            start = piece.span.start
            cache.put(key, tuple(_moved(fix, -start) for fix in check.fixes[n_before:]))
            check.frontier = piece.span.end
        check.share = check.frontier / max(1, len(text))
    check.share, check.frontier, check.done = 1.0, len(text), True


def run_slice(steps: Iterator[None], *, clock: Callable[[], float] = time.monotonic) -> bool:
    """Go on with steps for about as long as the model needs for one of its own.

    Returns:
        Whether they are through.
    """
    end = clock() + _STEP_S
    return all(clock() < end for _ in steps)


def _look_up(found: Sequence[Piece], knowledge: Knowledge) -> Steps[None]:
    """Ask the curated list about all new words in few calls: each starts a program."""
    words: set[str] = set()
    for piece in found:
        if piece.tokens is not None:
            words |= piece.reading.forms
        if len(words) >= _WORDS_LISTED_AT_ONCE:
            yield
            knowledge.look_up_words(words)
            words.clear()
    yield
    knowledge.look_up_words(words)


def _check_piece(
    check: Check,
    piece: Piece,
    view: Overview,
    document: Document,
    knowledge: Knowledge,
    cache: ParagraphCache,
    engine: Comparer | None,
) -> Steps[None]:
    """Look at the paragraphs of a piece, as far as they are not known."""
    text = document.snapshot.text
    new: list[tuple[bytes, Passage]] = []
    for number, reading in enumerate(piece.reading.regions):
        if not view.takes(reading):
            continue
        yield
        region = reading.region.moved(piece.span.start)
        unknown = view.unknown(reading)
        key = key_of_paragraph(
            text, region, reading.words, unknown, view, with_model=engine is not None
        )
        if (known := cache.get(key)) is None:
            tokens = piece.tokens[number] if piece.tokens else tuple(tokens_of(text, region))
            new.append((key, make_passage(region, tokens, unknown, knowledge.ngrams)))
            if sum(len(passage.ids) for _, passage in new) < _WORDS_AT_ONCE:
                continue
        yield from _check_new(check, document, new, knowledge, cache, engine)
        new.clear()
        if known is not None:
            _take(check, region.span, known)
        check.share = check.frontier / max(1, len(text))
    yield from _check_new(check, document, new, knowledge, cache, engine)


def _check_new(
    check: Check,
    document: Document,
    new: Sequence[tuple[bytes, Passage]],
    knowledge: Knowledge,
    cache: ParagraphCache,
    engine: Comparer | None,
) -> Steps[None]:
    """Look at paragraphs that are not known."""
    if not new:
        return
    part = replace(document, passages=tuple(passage for _, passage in new))
    yield from _find_neighbours(part.passages, knowledge.lexicon)
    found = propose(part, knowledge)
    yield
    if engine is not None:
        asked = ask(found)
        scores: list[tuple[float, ...]] = []
        rows = zip(asked.places, asked.asked, strict=True)
        for number, group in groupby(rows, key=lambda row: row[1][0].place[0]):
            places = [place for place, _ in group]
            scores += yield from _compare(document.snapshot, part.passages[number], places, engine)
        take_answers(found, asked, scores)
    fixes = decide(found, with_model=engine is not None)
    for key, passage in new:
        span = passage.region.span
        own = tuple(
            _moved(fix, -span.start)
            for fix in fixes
            if span.start <= fix.span.start and fix.span.end <= span.end
        )
        cache.put(key, own)
        check.n_checked += 1
        _take(check, span, own)


def _find_neighbours(passages: Sequence[Passage], lexicon: Lexicon) -> Steps[None]:
    """Have the lexicon find what is near unknown words, each in a step: it takes 10 ms of some."""
    for passage in passages:
        for token in passage.tokens:
            if token.is_word and token.text.lower() in passage.unknown and is_plain(token):
                yield
                lexicon.neighbours(stem_of_owner(token.text))


def _compare(
    snapshot: Snapshot, passage: Passage, places: Sequence[Place], engine: Comparer
) -> Steps[list[tuple[float, ...]]]:
    """Have the engine compare in a paragraph and what stands around it, and nowhere else.

    What it says is a function of the paragraph's key then.
    """
    start, end = window_around(snapshot.text, passage.region.span)
    end = max(end, *(place.span.end for place in places))
    text = snapshot.text[start:end]
    moved = [
        replace(place, span=Span(start=place.span.start - start, end=place.span.end - start))
        for place in places
    ]
    scores: list[tuple[float, ...]] = []
    while len(scores) < len(moved):
        pause = CancelToken(deadline=time.monotonic() + _STEP_S, clock=time.monotonic)
        scores += engine.compare(text, moved[len(scores) :], cancel=pause)
        yield
    return scores


def _take(check: Check, span: Span, fixes: Sequence[Fix]) -> None:
    check.fixes += [_moved(fix, span.start) for fix in fixes]
    check.frontier = span.end


def _moved(fix: Fix, by: int) -> Fix:
    return replace(fix, span=Span(start=fix.span.start + by, end=fix.span.end + by))
