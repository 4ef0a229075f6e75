"""Real words in the wrong place, words missing, words too many: what usual neighbours tell."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from dgemma_engine.types import Span
from dgemma_ls.proofread.lexicon import Lexicon
from dgemma_ls.proofread.ngrams import BREAK, CODE, Ids, NGrams
from dgemma_ls.proofread.nonwords import shape
from dgemma_ls.proofread.passages import Document
from dgemma_ls.proofread.proposals import Kind, Proposal, cased_like

_MIN_GAIN = 3.0  # nats, before anything else is asked
_MIN_ZIPF = 4.0
_MIN_COUNT = 60  # a rare word's neighbours are chance
_INSERTED = ["the", "a", "to", "of", "is", "be", "are", "an", "in", "as", "and", "it"]
_STRUCK = frozenset(
    """
the a to of is be are an in as and it that for you not do this has on with
""".split()  # noqa: SIM905 - one line reads better than twenty
)
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
    found = []
    for drafts, n_replaced, n_new in (
        (_replaced(document, lexicon, ngrams), 1, 1),
        (_inserted(document, ngrams), 0, 1),
        (_struck(document), 1, 0),
    ):
        if not drafts:
            continue
        places = np.array([laid_out.start(draft) for draft in drafts])
        distinct, which = np.unique(places, return_inverse=True)
        old = laid_out.rows(distinct, n_replaced)
        before, after = old[which, :2], old[which, 2 + n_replaced :]
        words = np.array([draft.new_id for draft in drafts])[:, None][:, :n_new]
        new = np.concatenate((before, words, after), axis=1)
        gains = ngrams.score(new) - ngrams.score(old)[which]
        for at in np.flatnonzero(gains >= _MIN_GAIN):
            attested = ngrams.n_attested(new[at]), ngrams.n_attested(old[which[at]])
            near_code = CODE in old[which[at]]
            found.append(
                _proposal(drafts[at], float(gains[at]), attested, near_code, document, lexicon)
            )
    return found


@dataclass(frozen=True, slots=True)
class _Draft:
    kind: Kind
    place: tuple[int, int, int]
    words: tuple[str, str]
    new_id: int


class _Layout:
    """The ids of all passages in a row, breaks between them, so that one look-up serves all."""

    def __init__(self, document: Document) -> None:
        flat: list[int] = [BREAK, BREAK]
        self._starts = []
        for passage in document.passages:
            self._starts.append(len(flat))
            flat += (*passage.ids, BREAK, BREAK)
        self._ids = np.array(flat)

    def start(self, draft: _Draft) -> int:
        number, first, _ = draft.place
        return self._starts[number] + first

    def rows(self, places: Ids, n_between: int) -> Ids:
        """Give (N, 4 + n_between) ids: what is between, and two neighbours on each side."""
        return np.asarray(self._ids[places[:, None] + np.arange(-2, n_between + 2)])


def _replaced(document: Document, lexicon: Lexicon, ngrams: NGrams) -> list[_Draft]:
    drafts = []
    for number, passage in enumerate(document.passages):
        for idx, token in enumerate(passage.tokens):
            text = token.text
            if not token.is_word or (text[0].isupper() and not token.starts_sentence):
                continue
            word = text.lower().replace("’", "'")
            if word in document.names or (text.isupper() and len(text) > 1):
                continue
            for other, other_id, is_inflection in _confusable(word, lexicon, ngrams):
                kind = Kind.GRAMMAR if is_inflection else Kind.REALWORD
                drafts.append(_Draft(kind, (number, idx, idx + 1), (word, other), other_id))
    return drafts


def _inserted(document: Document, ngrams: NGrams) -> list[_Draft]:
    text = document.snapshot.text
    words = [(word, ngrams.id(word)) for word in _INSERTED]
    drafts = []
    for number, passage in enumerate(document.passages):
        for idx in range(1, len(passage.tokens)):
            left, right = passage.tokens[idx - 1], passage.tokens[idx]
            if not (left.is_word and right.is_word) or right.text[0].isupper():
                continue
            if CODE in passage.ids[idx - 1 : idx + 1]:
                continue
            if text[left.span.end : right.span.start] != " ":
                continue
            near = (left.text.lower(), right.text)
            place = (number, idx, idx)
            drafts += [
                _Draft(Kind.MISSING, place, ("", word), word_id)
                for word, word_id in words
                if word not in near
            ]
    return drafts


def _struck(document: Document) -> list[_Draft]:
    text = document.snapshot.text
    drafts = []
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
            drafts.append(_Draft(Kind.GRAMMAR, (number, idx, idx + 1), (token.text, ""), CODE))
    return drafts


def _proposal(
    draft: _Draft,
    gain: float,
    attested: tuple[int, int],
    near_code: bool,
    document: Document,
    lexicon: Lexicon,
) -> Proposal:
    number, first, _ = draft.place
    tokens = document.passages[number].tokens
    old, new = draft.words
    features = {
        "gain": gain,
        "attested_new": float(attested[0]),
        "attested_old": float(attested[1]),
        "zipf_new": lexicon.zipf(new) if new else 0.0,
        "zipf_old": lexicon.zipf(old) if old else 0.0,
        "inflection": float(bool(old and new) and _is_inflection(old, new)),
        "in_a_set": float(bool(old and new) and new in _sets().get(old, ())),
        "code_near": float(near_code),
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


@lru_cache(maxsize=16384)
def _confusable(word: str, lexicon: Lexicon, ngrams: NGrams) -> tuple[tuple[str, int, bool], ...]:
    """Give what a known word may be confused with, with ids and whether it is a form of it."""
    if not lexicon.knows(word):
        return ()
    variants = lexicon.variants(word)
    found = dict.fromkeys(_sets().get(word, ()))
    near = [*lexicon.frequent_one_away(word, min_zipf=_MIN_ZIPF), *_inflections(word, lexicon)]
    for other in near:
        if lexicon.zipf(other) < _MIN_ZIPF or ngrams.count(other) < _MIN_COUNT or len(other) < 2:
            continue
        if variants and lexicon.variants(other) not in (0, variants):
            continue  # "grey" and "gray" are both right
        found[other] = None
    return tuple(
        (other, ngrams.id(other), _is_inflection(word, other)) for other in found if other != word
    )


def _inflections(word: str, lexicon: Lexicon) -> Iterable[str]:
    stems = {word, word + "e"}
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) > 2:
            stems |= {word[: -len(ending)], word[: -len(ending)] + "e"}
    for stem in stems:
        for form in (stem, *(stem + ending for ending in _ENDINGS)):
            if form != word and lexicon.knows(form):
                yield form


def _is_inflection(one: str, other: str) -> bool:
    start = len(shape_start(one, other))
    return (
        start >= 3
        and one[start:] in ("", "e", *_ENDINGS, "es", "ing")
        and other[start:]
        in (
            "",
            "e",
            *_ENDINGS,
            "es",
            "ing",
        )
    )


def shape_start(one: str, other: str) -> str:
    """Give what both words begin with."""
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
