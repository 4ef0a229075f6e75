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
    multiline: bool
    n_candidates: int
    n_steps: int
    seed: int
    proposers: Collection[Origin]
    earlier: Sequence[str]
    cancel: CancelToken
    lengths: tuple[int, ...] | None = None
    check: SpanCheck | None = None
    on_step: Callable[[Draft], None] | None = None
    slot: Slot | None = None
    max_canvases: int | None = None
