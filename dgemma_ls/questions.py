"""A request on its way: what it sees, where it stands, and the wait for the engine.

Knows no protocol types, no feature and no documents but the one that is asked about.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from dgemma_engine.errors import EngineError
from dgemma_engine.types import CancelToken, Span, StopReason
from dgemma_engine.worker import Job, Priority
from dgemma_ls.engines import Worker
from dgemma_ls.features.fill import Infiller
from dgemma_ls.positions import LineIndex, Position, PositionEncoding
from dgemma_ls.scheduler import Ticket
from dgemma_ls.types import Refusal, RefusalReason, Snapshot

T = TypeVar("T")
Task = Callable[[Infiller, CancelToken], T | Refusal]
"""What a feature does on the engine thread; parsing too, as that must not block the loop."""


class RequestFailedError(Exception):
    """A request that somebody waits for cannot be answered; the message is for that person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A document at one version, as its editor counts in it.

    Attributes:
        snapshot: the document.
        lines: its line index.
        encoding: how the editor counts characters.
        before: text that stands before the document without being part of it: for a notebook's
            cell, the cells above.
    """

    snapshot: Snapshot
    lines: LineIndex
    encoding: PositionEncoding
    before: str = ""

    def offset_at(self, position: Position) -> int:
        """Give the offset (code points) of a position."""
        return self.lines.offset_at(position.line, position.character, self.encoding)

    def span_between(self, ends: tuple[Position, Position]) -> Span:
        """Give the span of a range; some clients give its ends the other way round."""
        start, end = sorted(self.offset_at(position) for position in ends)
        return Span(start=start, end=end)

    def range_of(self, span: Span) -> tuple[Position, Position]:
        """Give the positions of a span's start and end."""
        start = self.lines.position_at(span.start, self.encoding)
        return start, self.lines.position_at(span.end, self.encoding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request that was admitted."""

    view: View
    ticket: Ticket
    priority: Priority
    dropped: asyncio.Future[RefusalReason]  # resolved when nobody wants the answer any more


async def run(
    worker: Worker, task: Task[T], question: Question, *, timeout_s: float | None
) -> T | Refusal:
    """Hand a task in and wait for it, or for nobody wanting it any more.

    However this ends, the job ends too: at its next step, if it runs.

    Args:
        worker: the engine's.
        task: runs on the engine thread, unless the time runs out in the queue.
        question: what it is for.
        timeout_s: seconds from now after which it should stop with what it has.
    """
    job = worker.submit(
        partial(_unless_late, task), priority=question.priority, timeout_s=timeout_s
    )
    return await _first(job, question.dropped)


def explain(error: BaseException) -> str:
    """Say for a person what the engine ran into; never quotes the document."""
    if isinstance(error, EngineError | OSError | ImportError) and str(error):
        return str(error)
    return f"The engine failed ({type(error).__name__}); its log has the details."


def _unless_late(task: Task[T], engine: Infiller, token: CancelToken) -> T | Refusal:
    """Run on the engine thread, unless the time ran out in the queue."""
    if (stop := token.stop_reason()) is not None:
        late = stop is StopReason.DEADLINE
        return Refusal(reason=RefusalReason.DEADLINE if late else RefusalReason.CANCELLED)
    return task(engine, token)


async def _first(job: Job[T | Refusal], dropped: asyncio.Future[RefusalReason]) -> T | Refusal:
    """Wait for a job or for nobody wanting it any more; however this ends, the job ends too."""
    answer = asyncio.wrap_future(job.future)
    # An error that comes when nobody waits any more is none; asyncio would complain about it.
    answer.add_done_callback(lambda done: done.cancelled() or done.exception())
    waiting: set[asyncio.Future[Any]] = {answer, dropped}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        return Refusal(reason=dropped.result()) if dropped.done() else answer.result()
    finally:
        # Also when this request itself was cancelled while it waited.
        job.cancel()
        answer.cancel()
