"""What the engines of tests share: none computes, each says what a test told it.

The one place that restates the arguments of ``Engine.infill``: an engine of a test overrides
:meth:`StandIn.fill`, which gets them as one value.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dgemma_engine.types import CancelToken, Candidate, InfillResult, Slot, SpanCheck, StopReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The arguments of ``Engine.infill``."""

    prefix: str
    suffix: str
    context: str
    lengths: Sequence[int] | None
    multiline: bool
    n_candidates: int
    steps: int
    seed: int
    slot: Slot | None
    check: SpanCheck | None
    cancel: CancelToken | None


class StandIn:
    """An engine whose tokens are characters; ``fill`` says what comes out."""

    max_span_tokens = 64
    context_tokens = 448

    @property
    def tokenizer(self) -> "StandIn":
        return self

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def infill(
        self,
        prefix: str,
        suffix: str,
        *,
        context: str = "",
        lengths: Sequence[int] | None = None,
        multiline: bool = False,
        n_candidates: int = 3,
        steps: int = 8,
        seed: int = 0,
        slot: Slot | None = None,
        check: SpanCheck | None = None,
        cancel: CancelToken | None = None,
    ) -> InfillResult:
        asked = Asked(
            prefix=prefix,
            suffix=suffix,
            context=context,
            lengths=lengths,
            multiline=multiline,
            n_candidates=n_candidates,
            steps=steps,
            seed=seed,
            slot=slot,
            check=check,
            cancel=cancel,
        )
        return self.fill(asked)

    def fill(self, asked: Asked) -> InfillResult:
        raise NotImplementedError


def result(
    *texts: str,
    stop: StopReason = StopReason.STABLE,
    best: float = 0.0,
    forwards: int = 1,
    milliseconds: float = 0.0,
) -> InfillResult:
    """Give texts as an engine does, best first: each is a nat worse than the one before it."""
    return InfillResult(
        candidates=tuple(
            Candidate(text=text, score=best - n, forwards=forwards, n_tokens=1)
            for n, text in enumerate(texts)
        ),
        stop=stop,
        forwards=forwards,
        milliseconds=milliseconds,
    )
