"""Real words in the wrong place, words missing, words too many: what usual neighbours tell."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from dgemma_engine.types import Span
from dgemma_ls.proofread.confusable import Rivals, is_inflection, is_mixed_up, rivals_of
from dgemma_ls.proofread.lexicon import Lexicon
from dgemma_ls.proofread.ngrams import BREAK, CODE, Ids, NGrams
from dgemma_ls.proofread.nonwords import shape
from dgemma_ls.proofread.passages import Document
from dgemma_ls.proofread.proposals import Kind, Proposal, cased_like

_SPOTS_AT_ONCE = 10_000  # some 20 MB of rows
_MIN_GAIN = 3.0  # nats, before anything else is asked
_INSERTED_IN_ORDER = ("the", "a", "to", "of", "is", "be", "are", "an", "in", "as", "and", "it")
_INSERTED = frozenset(_INSERTED_IN_ORDER)
_STRUCK = frozenset(
    """
the a to of is be are an in as and it that for you not do this has on with
""".split()  # noqa: SIM905 - one line reads better than twenty
)
_NO_WORD = Rivals(words=("",), ids=(CODE,), kinds=(Kind.GRAMMAR,))


def confused_words(document: Document, lexicon: Lexicon, ngrams: NGrams) -> list[Proposal]:
    """Propose other words, words more and words less, where the neighbours ask for them.

    Args:
        document: where to look.
        lexicon: what may be confused with what.
        ngrams: what stands beside what.
    """
    if not document.passages:
        return []
    laid_out = _Layout(document)
    return [
        _proposal(document, lexicon, found)
        for spots, n_replaced, n_new in (
            (_replaced(document, lexicon, ngrams), 1, 1),
            (_inserted(document, ngrams), 0, 1),
            (_struck(document), 1, 0),
        )
        for at in range(0, len(spots), _SPOTS_AT_ONCE)
        for found in _gaining(spots[at : at + _SPOTS_AT_ONCE], laid_out, ngrams, n_replaced, n_new)
    ]


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place, what stands there, and all that might: scored as rows of numbers."""

    number: int
    first: int
    old: str
    rivals: Rivals


@dataclass(frozen=True, slots=True)
class _Draft:
    kind: Kind
    place: tuple[int, int, int]
    words: tuple[str, str]
    gain: float
    attested: tuple[int, int]
    near_code: bool


class _Layout:
    """The ids of all passages in a row, breaks between them, so that one look-up serves all."""

    def __init__(self, document: Document) -> None:
        flat: list[int] = [BREAK, BREAK]
        self.starts: list[int] = []
        for passage in document.passages:
            self.starts.append(len(flat))
            flat += (*passage.ids, BREAK, BREAK)
        self._ids = np.array(flat)

    def rows(self, places: Ids, n_between: int) -> Ids:
        """Give (N, 4 + n_between) ids: what is between, and two neighbours on each side."""
        return np.asarray(self._ids[places[:, None] + np.arange(-2, n_between + 2)])


def _gaining(
    spots: Sequence[_Spot], laid_out: _Layout, ngrams: NGrams, n_replaced: int, n_new: int
) -> Iterator[_Draft]:
    """Score all words that might stand in some spots, and give those that fit much better."""
    places = np.array([laid_out.starts[spot.number] + spot.first for spot in spots])
    counts = np.array([len(spot.rivals.ids) for spot in spots])
    which = np.repeat(np.arange(len(spots)), counts)
    ids = np.array([one for spot in spots for one in spot.rivals.ids])
    old = laid_out.rows(places, n_replaced)
    before, after = old[which, :2], old[which, 2 + n_replaced :]
    new = np.concatenate((before, ids[:, None][:, :n_new], after), axis=1)
    gains = ngrams.score(new) - ngrams.score(old)[which]
    chosen = np.flatnonzero(gains >= _MIN_GAIN)
    which = which[chosen]
    ranks = chosen - (np.cumsum(counts) - counts)[which]
    for at, rank, gain, of_new, of_old, near_code in zip(
        which.tolist(),
        ranks.tolist(),
        gains[chosen].tolist(),
        ngrams.n_attested(new[chosen]).tolist(),
        ngrams.n_attested(old)[which].tolist(),
        (old == CODE).any(axis=1)[which].tolist(),
        strict=True,
    ):
        spot = spots[at]
        yield _Draft(
            spot.rivals.kinds[rank],
            (spot.number, spot.first, spot.first + n_replaced),
            (spot.old, spot.rivals.words[rank]),
            gain,
            (of_new, of_old),
            near_code,
        )


def _replaced(document: Document, lexicon: Lexicon, ngrams: NGrams) -> list[_Spot]:
    spots = []
    for number, passage in enumerate(document.passages):
        for idx, token in enumerate(passage.tokens):
            text = token.text
            if not token.is_word or (text[0].isupper() and not token.starts_sentence):
                continue
            word = text.lower().replace("’", "'")
            rivals = rivals_of(word, lexicon, ngrams)
            if not rivals.ids or word in document.names or (text.isupper() and len(text) > 1):
                continue
            spots.append(_Spot(number, idx, word, rivals))
    return spots


def _inserted(document: Document, ngrams: NGrams) -> list[_Spot]:
    text = document.snapshot.text
    everything = _without(frozenset(), ngrams)
    spots = []
    for number, passage in enumerate(document.passages):
        tokens, ids = passage.tokens, passage.ids
        for idx in range(1, len(tokens)):
            if ids[idx - 1] == CODE or ids[idx] == CODE:
                continue
            left, right = tokens[idx - 1], tokens[idx]
            if not (left.is_word and right.is_word) or right.text[0].isupper():
                continue
            if text[left.span.end : right.span.start] != " ":
                continue
            near = _INSERTED.intersection((left.text.lower(), right.text))
            rivals = _without(near, ngrams) if near else everything
            spots.append(_Spot(number, idx, "", rivals))
    return spots


@cache
def _without(left_out: frozenset[str], ngrams: NGrams) -> Rivals:
    """Give the words that are tried between others, less some."""
    words = tuple(word for word in _INSERTED_IN_ORDER if word not in left_out)
    return Rivals(
        words=words,
        ids=tuple(ngrams.id(word) for word in words),
        kinds=(Kind.MISSING,) * len(words),
    )


def _struck(document: Document) -> list[_Spot]:
    text = document.snapshot.text
    spots = []
    for number, passage in enumerate(document.passages):
        for idx in range(1, len(passage.tokens) - 1):
            token = passage.tokens[idx]
            if token.text not in _STRUCK or not token.is_word:
                continue
            left, right = passage.tokens[idx - 1], passage.tokens[idx + 1]
            if not (left.is_word and right.is_word):
                continue
            if token.text in (left.text.lower(), right.text.lower()):
                continue  # doubled
            if text[left.span.end : token.span.start] != " ":
                continue
            spots.append(_Spot(number, idx, token.text, _NO_WORD))
    return spots


def _proposal(document: Document, lexicon: Lexicon, draft: _Draft) -> Proposal:
    number, first, _ = draft.place
    tokens = document.passages[number].tokens
    old, new = draft.words
    features = {
        "gain": draft.gain,
        "attested_new": float(draft.attested[0]),
        "attested_old": float(draft.attested[1]),
        "zipf_new": lexicon.zipf(new) if new else 0.0,
        "zipf_old": lexicon.zipf(old) if old else 0.0,
        "inflection": float(bool(old and new) and is_inflection(old, new)),
        "in_a_set": float(bool(old and new) and is_mixed_up(old, new)),
        "code_near": float(draft.near_code),
        "repeated": math.log2(max(1, document.counts[old])) if old else 0.0,
        "unknown_share": document.passages[number].unknown_share,
        "letters": float(min(len(old), 12)),
    }
    if not old:  # before the word on the right
        at = tokens[first].span.start
        return Proposal(
            kind=draft.kind,
            span=Span(start=at, end=at),
            new_text=new + " ",
            place=draft.place,
            features=features | {"missing_" + new: 1.0},
        )
    span = tokens[first].span
    if not new:
        start = tokens[first - 1].span.end
        return Proposal(
            kind=draft.kind,
            span=Span(start=start, end=span.end),
            new_text="",
            place=draft.place,
            features=features | {"struck": 1.0, "struck_" + old: 1.0},
        )
    return Proposal(
        kind=draft.kind,
        span=span,
        new_text=cased_like(new, tokens[first].text),
        place=draft.place,
        features=features | shape(old, new),
    )
