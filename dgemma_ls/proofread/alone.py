"""Typos by the model alone: no list, no rule, no lexicon, no counts of words.

What doubts a word are the readings of the engine: how surprised its encoder is by the word's
tokens, and by how much its decoder, which sees both sides, prefers others. What may stand there
instead are the word's letter edits, those of the fewest tokens first: what the tokenizer was made
from it writes in few pieces, so that its vocabulary stands for a lexicon. The encoder ranks them in
context. This is no part of ``fix``; it shows what the model knows by itself.

:func:`doubtful_words`, :func:`places_of` and :func:`decide` are pure; ``Engine.read`` and
``Engine.compare`` stand between them.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from dgemma_engine.types import Place, Span, TokenReading
from dgemma_ls.proofread.fragments import names_of, regions_of
from dgemma_ls.proofread.nonwords import shape
from dgemma_ls.proofread.proposals import Kind, cased_like
from dgemma_ls.proofread.types import Fix, Tier
from dgemma_ls.proofread.words import tokens_of
from dgemma_ls.types import Snapshot

_PLAIN = re.compile(r"[A-Za-z]?[a-z]{3,}")
_MAX_CANDIDATES = 64  # 84 of 100 mistyped frequent words are among so many, 80 among half as many
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

Encode = Callable[[str], Sequence[int]]
"""The tokenizer's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """A logistic model and the log-odds from which on it says yes.

    Attributes:
        bias: the constant.
        weights: by feature; what is not named has no say.
        least: log-odds.
    """

    bias: float
    weights: Mapping[str, float]
    least: float

    def log_odds(self, features: Mapping[str, float]) -> float:
        """Give the logarithm of the odds."""
        return self.bias + sum(
            weight * features.get(name, 0.0) for name, weight in self.weights.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A word and what speaks against it.

    Attributes:
        span: code points.
        text: the word.
        features: by name.
    """

    span: Span
    text: str
    features: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The best replacement of a doubtful word.

    Attributes:
        doubt: the word.
        new: the replacement.
        features: of both, by name.
    """

    doubt: Doubt
    new: str
    features: dict[str, float]


def doubts(snapshot: Snapshot, readings: Sequence[TokenReading]) -> list[Doubt]:
    """Give every plain word of the prose that is no name, with what the readings say of it.

    Args:
        snapshot: the document.
        readings: of its whole text, in order.
    """
    words = [
        token
        for region in regions_of(snapshot)
        for token in tokens_of(snapshot.text, region)
        if token.is_word
    ]
    counts = Counter(token.text.lower() for token in words)
    names = {name.lower() for name in names_of(snapshot)}
    found = []
    at = 0
    for token in words:
        if _PLAIN.fullmatch(token.text) is None or token.text.lower() in names:
            continue
        if token.text[0].isupper() and not token.starts_sentence:
            continue
        while at < len(readings) and readings[at].span.end <= token.span.start:
            at += 1
        last = at
        while last < len(readings) and readings[last].span.start < token.span.end:
            last += 1
        of_word = readings[at:last]
        if not of_word:
            continue
        surprisals = [reading.surprisal for reading in of_word]
        margins = [reading.margin for reading in of_word]
        found.append(
            Doubt(
                span=token.span,
                text=token.text,
                features={
                    "surprisal": sum(surprisals),
                    "surprisal_max": max(surprisals),
                    "surprisal_last": surprisals[-1],
                    "margin_min": min(margins),
                    "margin_mean": sum(margins) / len(margins),
                    "tokens": float(len(of_word)),
                    "tokens_per_letter": len(of_word) / len(token.text),
                    "letters": float(min(len(token.text), 12)),
                    "repeated": math.log2(counts[token.text.lower()]),
                    "capital": float(token.text[0].isupper()),
                },
            )
        )
    return found


def doubtful_words(found: Sequence[Doubt], model: Linear) -> list[Doubt]:
    """Choose the words that are worth a closer look.

    Args:
        found: of :func:`doubts`.
        model: how much each feature says.
    """
    return [doubt for doubt in found if model.log_odds(doubt.features) >= model.least]


def places_of(text: str, doubtful: Sequence[Doubt], encode: Encode) -> list[Place]:
    """Give what to ask ``Engine.compare``; the first text of each place is what stands there."""
    places = []
    for doubt in doubtful:
        start = doubt.span.start
        lead = " " if start and text[start - 1] == " " else ""
        texts = (doubt.text, *candidates(doubt.text, encode))
        places.append(
            Place(
                span=Span(start=start - len(lead), end=doubt.span.end),
                texts=tuple(lead + option for option in texts),
            )
        )
    return places


def candidates(word: str, encode: Encode) -> list[str]:
    """Give the letter edits of a word that have the fewest and most frequent tokens.

    Args:
        word: a plain one.
        encode: tokenizes; tokens of lower ids are more frequent.
    """
    lower = word.lower()
    halves = [(lower[:at], lower[at:]) for at in range(len(lower) + 1)]
    found = {a + b[1:] for a, b in halves if b}
    found |= {a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1}
    found |= {a + letter + b for a, b in halves for letter in _LETTERS}
    found |= {a + letter + b[1:] for a, b in halves if b for letter in _LETTERS}
    ranked = []
    for edit in sorted(found - {lower}):
        cased = cased_like(edit, word)
        ids = encode(" " + cased)
        ranked.append((len(ids), sum(ids), cased))
    return [cased for _, _, cased in sorted(ranked)[:_MAX_CANDIDATES]]


def verdicts(
    doubtful: Sequence[Doubt],
    places: Sequence[Place],
    scores: Sequence[Sequence[float]],
    encode: Encode,
) -> list[Verdict]:
    """Give the best replacement of each doubtful word.

    Args:
        doubtful: the words.
        places: of :func:`places_of`.
        scores: of ``Engine.compare``.
        encode: tokenizes.
    """
    found = []
    for doubt, place, (old, *new) in zip(doubtful, places, scores, strict=False):
        ranked = sorted(zip(new, place.texts[1:], strict=True), reverse=True)
        best, text = ranked[0][0], ranked[0][1].lstrip(" ")
        rivals = math.log(sum(math.exp(score - best) for score in new))
        found.append(
            Verdict(
                doubt=doubt,
                new=text,
                features={
                    **doubt.features,
                    "gain": best - old,
                    "rivals": rivals,
                    "tokens_saved": float(len(encode(place.texts[0])) - len(encode(" " + text))),
                    "tokens_new_per_letter": len(encode(" " + text)) / len(text),
                    **shape(doubt.text.lower(), text.lower()),
                },
            )
        )
    return found


def decide(found: Sequence[Verdict], model: Linear) -> list[Fix]:
    """Choose the replacements that are likely right, in document order.

    Args:
        found: of :func:`verdicts`.
        model: how much each feature says.
    """
    fixes = []
    for verdict in found:
        log_odds = model.log_odds(verdict.features)
        if log_odds < model.least:
            continue
        fixes.append(
            Fix(
                span=verdict.doubt.span,
                old=verdict.doubt.text,
                new=verdict.new,
                kind=Kind.NONWORD,
                tier=Tier.SUGGEST,
                probability=1 / (1 + math.exp(-log_odds)),
                others=(),
                word=verdict.doubt.text,
            )
        )
    return fixes


@cache
def load_alone() -> dict[str, Linear]:
    """Read the weights that come with the package, once: ``doubt`` and ``decide``."""
    data = json.loads((files("dgemma_ls.proofread") / "data" / "alone.json").read_text())
    return {name: Linear(**row) for name, row in data.items()}
