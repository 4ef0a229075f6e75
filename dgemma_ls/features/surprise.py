"""Names and operators that a model would not expect where they stand, and what it would.

A stretch of a program is read once: the encoder says how surprising each token is after what comes
before it, the decoder how much it would rather see another, having seen both sides. The most
doubtful words are then compared with what might stand there: other names of the stretch, operators
that are easily confused. No clock, thread or protocol in here.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from dgemma_engine.types import CancelToken, Place, Span, TokenReading
from dgemma_ls.proofread.steps import Steps
from dgemma_ls.syntax import Name, names_in, operators_in
from dgemma_ls.types import Snapshot

_COMPARED = 8  # words of a stretch that are compared with others
_N_OTHERS = 10
_LEFT_OUT = frozenset({"self", "cls", "this"})
_BEFORE = 4  # characters before a name by which its neighbourhood is known again
_NO_PROGRAMS = frozenset(
    {"json", "jsonc", "yaml", "toml", "markdown", "html", "xml", "css", "plaintext"}
)

FACTS = ("gain", "surprisal", "margin", "is_alone", "is_repeated", "is_operator")
"""What a score is made of: nats for another word, nats of the word's most surprising token, the
decoder's margin of its most doubted one; whether it stands nowhere else in the window, whether it
does after the same characters, and whether it is an operator."""

# Fitted by benchmarks/surprise.py on selection data: the planted one among the words of a document.
_BIAS = -5.29
_WEIGHTS = (0.07, 0.20, -0.21, -1.36, -0.74, 1.33)


class TextTokenizer(Protocol):
    """What is needed of the engine's tokenizer."""

    def encode(self, text: str) -> list[int]:
        """Give the text's token ids."""
        ...


@runtime_checkable
class Reader(Protocol):
    """What finding surprises needs of the engine; ``dgemma_engine.Engine`` is one."""

    @property
    def max_span_tokens(self) -> int:
        """The most tokens of a canvas that can be filled."""
        ...

    @property
    def tokenizer(self) -> TextTokenizer:
        """The tokenizer that counts them."""
        ...

    def read(
        self, text: str, *, window: int | None = None, cancel: CancelToken | None = None
    ) -> list[TokenReading]:
        """Say how much each token of a text is doubted."""
        ...

    def compare(
        self, text: str, places: Sequence[Place], *, cancel: CancelToken | None = None
    ) -> list[tuple[float, ...]]:
        """Score alternatives for places of a text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A word that the model would not expect.

    Attributes:
        span: of the word.
        text: the word.
        alternative: what it would rather see of what was compared.
        gain: nats by which that is likelier; below zero the word is.
        score: log-odds that it is a mistake, as far as planted ones tell.
        facts: what the score is made of, in the order of :data:`FACTS`.
    """

    span: Span
    text: str
    alternative: str
    gain: float
    score: float
    facts: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of a text that is read at once, and the part of it whose words are looked at."""

    whole: Span
    part: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """A word that might be another."""

    span: Span
    text: str
    others: tuple[str, ...]
    is_alone: bool = False  # whether it stands nowhere else in the window
    is_repeated: bool = False  # whether it stands elsewhere after the same characters
    is_operator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The words of a window, before anyone read it."""

    text: str
    start: int
    words: tuple[_Word, ...]


def is_program(language_id: str) -> bool:
    """Say whether a language has names and operators to look at."""
    return language_id not in _NO_PROGRAMS


def ask(snapshot: Snapshot, window: Window) -> Question:
    """Find the words of a window that might be others; offsets count from its start."""
    whole, part = window.whole, window.part
    text = snapshot.text[whole.start : whole.end]
    names = [
        name
        for name in names_in(snapshot.language_id, snapshot.text, whole) or ()
        if whole.start <= name.span.start and name.span.end <= whole.end
    ]
    counts = Counter((name.text, name.is_member) for name in names)
    places = Counter(_neighbourhood(snapshot.text, name) for name in names)
    words = [
        _Word(
            span=_moved(name.span, -whole.start),
            text=name.text,
            others=_others(name, names),
            is_alone=counts[name.text, name.is_member] == 1,
            is_repeated=places[_neighbourhood(snapshot.text, name)] > 1,
        )
        for name in names
        if not (name.is_label or name.is_function or name.text in _LEFT_OUT)
    ]
    words += [
        _Word(
            span=_moved(span, -whole.start),
            text=snapshot.text[span.start : span.end],
            others=others,
            is_operator=True,
        )
        for span, others in operators_in(snapshot.language_id, snapshot.text, whole)
    ]
    low, high = part.start - whole.start, part.end - whole.start
    kept = [word for word in words if word.others and low <= word.span.start < high]
    return Question(
        text=text, start=whole.start, words=tuple(sorted(kept, key=lambda word: word.span.start))
    )


def doubt_steps(question: Question, engine: Reader, cancel: CancelToken) -> Steps[list[Doubt]]:
    """Read a window and compare its most doubtful words, a word at a step.

    Args:
        question: from :func:`ask`.
        engine: of the model.
        cancel: asked by the engine; what is not known by then is left out.

    Returns:
        Doubts in document order, with offsets in the window.
    """
    if not question.words:
        return []
    readings = engine.read(question.text, cancel=cancel)
    yield
    starts = [reading.span.start for reading in readings]
    doubtful = sorted(
        ((word, *_reading_of(word.span, readings, starts)) for word in question.words),
        key=lambda row: row[2] / 2 - row[1],
    )
    found = []
    for word, surprisal, margin in doubtful[:_COMPARED]:
        place = Place(span=word.span, texts=(word.text, *word.others))
        for own, *others in engine.compare(question.text, [place], cancel=cancel):
            best = max(range(len(others)), key=others.__getitem__)
            gain = others[best] - own
            facts = _facts(word, gain, surprisal, margin)
            found.append(
                Doubt(
                    span=word.span,
                    text=word.text,
                    alternative=word.others[best],
                    gain=gain,
                    score=score_of(facts),
                    facts=facts,
                )
            )
        yield
    return sorted(found, key=lambda doubt: doubt.span.start)


def score_of(facts: Sequence[float]) -> float:
    """Give the log-odds that a word is a mistake."""
    return _BIAS + sum(weight * fact for weight, fact in zip(_WEIGHTS, facts, strict=True))


def _facts(word: _Word, gain: float, surprisal: float, margin: float) -> tuple[float, ...]:
    return (
        max(-10.0, min(20.0, gain)),
        surprisal,
        max(-20.0, min(20.0, margin)),
        float(word.is_alone),
        float(word.is_repeated),
        float(word.is_operator),
    )


def _reading_of(
    span: Span, readings: Sequence[TokenReading], starts: Sequence[int]
) -> tuple[float, float]:
    """Give the surprisal of a word's most surprising token, and the margin of its most doubted."""
    first = max(0, bisect_right(starts, span.start) - 1)
    part = readings[first : max(first + 1, bisect_left(starts, span.end))]
    if not part:
        return 0.0, 0.0
    return max(one.surprisal for one in part), min(one.margin for one in part)


def _others(name: Name, names: Sequence[Name]) -> tuple[str, ...]:
    """Give other names of the kind, those nearby first."""
    alike = (o for o in names if o.is_member == name.is_member and o.text != name.text)
    near = sorted(alike, key=lambda other: abs(other.span.start - name.span.start))
    return tuple(dict.fromkeys(other.text for other in near))[:_N_OTHERS]


def _neighbourhood(text: str, name: Name) -> tuple[str, str]:
    before = re.split(r"[\r\n]", text[max(0, name.span.start - _BEFORE) : name.span.start])[-1]
    return before, name.text


def _moved(span: Span, by: int) -> Span:
    return Span(start=span.start + by, end=span.end + by)
