"""The values that walk through the engine. No torch here, so that importing them is instant."""

import enum
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class StopReason(enum.Enum):
    """Why a request ended."""

    STABLE = "stable"
    """The prediction stopped changing and is certain (the model's own stop rule)."""
    MAX_STEPS = "max_steps"
    """Every allowed denoising step was used."""
    DEADLINE = "deadline"
    """The deadline passed; what was there by then is returned."""
    CANCELLED = "cancelled"
    """The caller no longer wants the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A half-open range ``[start, end)`` of code points."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"not a span: {self.start=}, {self.end=}")


class Origin(enum.Enum):
    """Where a candidate comes from."""

    DENOISED = "denoised"
    """The model's canvas."""
    COPIED = "copied"
    """Elsewhere in the document, between the same neighbours."""
    CONTINUED = "continued"
    """The prefix, continued causally."""
    BRIDGED = "bridged"
    """The prefix, continued causally up to an ending that stands before the same suffix elsewhere
    in the document."""
    EARLIER = "earlier"
    """An earlier suggestion for the same gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One text for the span.

    Attributes:
        text: what to put between prefix and suffix.
        score: the judge's value in nats, higher is better; comparable within one request only.
        forwards: denoising steps that this candidate's canvas took; 0 for others.
        n_tokens: tokens of it, known ends of cut words included.
        origin: who proposed it.
        repaired: whether part of it was denoised again because it could not be shown.
    """

    text: str
    score: float
    forwards: int
    n_tokens: int
    origin: Origin = Origin.DENOISED
    repaired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InfillResult:
    """The candidates of one infill request, best first.

    Attributes:
        candidates: distinct texts by falling score; empty when nothing came of it.
        stop: why the request ended.
        forwards: decoder forwards executed (a batch of canvases counts once).
        milliseconds: wall time of the request inside the engine.
        n_refused: candidates that the caller's check did not let pass.
        token_forwards: tokens of all canvases over all forwards.
    """

    candidates: tuple[Candidate, ...]
    stop: StopReason
    forwards: int
    milliseconds: float
    n_refused: int = 0
    token_forwards: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JointCandidate:
    """Texts for several gaps, one each.

    Attributes:
        texts: in the order of the gaps.
        score: the judge's value in nats for all of them, higher is better.
    """

    texts: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JointResult:
    """The candidates of one request for several gaps, best first; fields as ``InfillResult``."""

    candidates: tuple[JointCandidate, ...]
    stop: StopReason
    forwards: int
    milliseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a denoising step shows of a request on its way.

    Attributes:
        step: from 1.
        texts: what stands in the gap now, one text per canvas that is still being denoised and
            holds a whole one.
    """

    step: int
    texts: tuple[str, ...]


class SlotKind(enum.Enum):
    """What kind of text a gap takes."""

    IDENTIFIER = "identifier"
    """A name, as ``str.isidentifier`` has it."""
    NUMBER = "number"
    """An unsigned number literal: whole, decimal, with exponent, or ``0x``, ``0o``, ``0b``."""
    STRING = "string"
    """The inside of a one-line string literal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A constraint on a fill: with what of its kind touches the gap it makes one text of the kind.

    Attributes:
        kind: of text.
        quote: what ends a string: a quotation mark, one ASCII character.
        extra: ASCII characters that an identifier may hold as well, as ``$``.
    """

    kind: SlotKind
    quote: str = '"'
    extra: str = ""

    def __post_init__(self) -> None:
        if len(self.quote) != 1 or not self.quote.isascii():
            raise ValueError(f"not one ASCII character: {self.quote=}")
        if not self.extra.isascii():
            raise ValueError(f"not ASCII: {self.extra=}")


class SpanCheck(Protocol):
    """Says of a text whether it may stand in the gap: the one loop from server to engine."""

    def bad_spans(self, text: str) -> tuple[Span, ...]:
        """Give the parts of ``text`` that may not stand there; empty when all of it may."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stretch of a text, and what might stand there.

    Attributes:
        span: the stretch, code points.
        texts: alternatives, at least one; what stands there now may be among them.
    """

    span: Span
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReading:
    """What a model thinks of one token of a text.

    Attributes:
        span: the token's code points; a character cut in two belongs to both tokens.
        margin: the decoder's logit of the token less that of the best other one, having seen both
            sides; below zero it would rather see the other.
        surprisal: nats, of the token after all before it, by the encoder.
    """

    span: Span
    margin: float
    surprisal: float


class CancelToken:
    """Asked once per denoising step; may be cancelled from any thread."""

    def __init__(
        self, *, deadline: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make a token that also trips when ``clock()`` reaches ``deadline`` (seconds)."""
        self._event = threading.Event()
        self._deadline = deadline
        self._clock = clock

    def cancel(self) -> None:
        """Ask the computation to stop at its next step."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._event.is_set()

    def stop_reason(self) -> StopReason | None:
        """Say why to stop now, or ``None`` to go on; cancellation goes before the deadline."""
        if self._event.is_set():
            return StopReason.CANCELLED
        if self._deadline is not None and self._clock() >= self._deadline:
            return StopReason.DEADLINE
        return None
