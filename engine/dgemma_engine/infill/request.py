"""What an infill request is made of, once its arguments are checked."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from dgemma_engine.types import CancelToken, Draft, Origin, Slot, SpanCheck


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InfillRequest:
    """What to fill and how; the other fields are the arguments of ``Engine.infill``.

    Attributes:
        max_canvases: how many canvases to denoise at most, where memory is short.
    """

    prefix: str
    suffix: str
    context: str
    lengths: tuple[int, ...] | None
    multiline: bool
    n_candidates: int
    n_steps: int
    seed: int
    proposers: Collection[Origin]
    earlier: Sequence[str]
    check: SpanCheck | None
    cancel: CancelToken
    on_step: Callable[[Draft], None] | None
    slot: Slot | None = None
    max_canvases: int | None = None
