"""Owns what lives as long as the connection: documents, engine worker, scheduler.

Here is the one wait between a request and its answer. Everything a request needs of a document
is taken before that wait (see :meth:`Session.inline`), and what comes back is given out only if
the document is still the same. Knows no protocol types. Belongs to the event loop: only
:func:`_fill` runs elsewhere, on the engine thread.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dgemma_engine.errors import EngineError
from dgemma_engine.types import CancelToken, StopReason
from dgemma_engine.worker import EngineWorker, Job, Priority
from dgemma_ls.documents import Change, DocumentStore, UnknownDocumentError
from dgemma_ls.features import inline
from dgemma_ls.features.fill import Infiller
from dgemma_ls.positions import LineIndex, Position, PositionEncoding
from dgemma_ls.scheduler import Scheduler, Ticket
from dgemma_ls.settings import Settings
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot

log = logging.getLogger(__name__)

Outcome = list[Edit] | Refusal


class RequestFailedError(Exception):
    """A request that somebody waits for cannot be answered; the message is for that person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What a request needs, taken at the door."""

    snapshot: Snapshot
    lines: LineIndex
    offset: int
    ticket: Ticket
    dropped: asyncio.Future[RefusalReason]  # resolved when nobody wants the answer any more


class Session:
    """One editor's connection.

    Args:
        settings: what the editor asked for.
        encoding: how it counts characters.
        load: makes the engine; called on the engine thread, and never before :meth:`warm_up` or
            the first request.
        clock: seconds, for debounce and deadlines.
    """

    def __init__(
        self,
        settings: Settings,
        encoding: PositionEncoding,
        load: Callable[[Settings], Infiller],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._encoding = encoding
        self._documents = DocumentStore()
        self._scheduler = Scheduler(settings, clock=clock)
        self._worker: EngineWorker[Infiller] = EngineWorker(partial(load, settings), clock=clock)
        self._dropped: dict[int, asyncio.Future[RefusalReason]] = {}  # by ticket number

    def open(self, uri: str, version: int, language_id: str, text: str) -> None:
        """Take up a document."""
        self._drop(self._scheduler.drop(uri), RefusalReason.STALE)
        self._documents.open(uri, version, language_id, text)

    def change(self, uri: str, version: int, changes: Sequence[Change]) -> None:
        """Apply the editor's changes; what is being computed for the old text stops."""
        self._drop(self._scheduler.drop(uri), RefusalReason.STALE)
        try:
            self._documents.change(uri, version, changes, self._encoding)
        except UnknownDocumentError:
            log.warning("ignored a change of a document that is not open: %s", uri)

    def close(self, uri: str) -> None:
        """Forget a document; what is being computed for it stops."""
        self._drop(self._scheduler.drop(uri), RefusalReason.STALE)
        self._documents.close(uri)

    def warm_up(self) -> Job[None]:
        """Load the engine in the background."""
        return self._worker.warm_up()

    def shut_down(self, timeout_s: float) -> bool:
        """Answer what is open with nothing and stop the engine.

        Returns:
            Whether the engine thread has ended within ``timeout_s``.
        """
        for dropped in self._dropped.values():
            dropped.set_result(RefusalReason.CANCELLED)
        self._dropped.clear()
        return self._worker.close(timeout_s)

    def inline(
        self, uri: str, position: Position, *, invoked: bool
    ) -> Coroutine[Any, Any, list[Change]]:
        """Suggest texts for the cursor.

        A plain function on purpose: the snapshot is taken while the request is received. The body
        of an ``async def`` may start after later changes were applied.

        Args:
            uri: the document.
            position: the cursor in the editor's encoding.
            invoked: whether a key asked for it, not mere typing.

        Returns:
            To be awaited: the suggestions, best first; empty when there is nothing good to show.
            Awaiting raises :class:`RequestFailedError` if the engine fails and ``invoked``.
        """
        snapshot = self._documents.get(uri)
        if snapshot is None:
            log.warning("nothing to suggest in a document that is not open: %s", uri)
            return _nothing()
        lines = self._documents.line_index(uri)
        ticket, older = self._scheduler.admit(uri, invoked=invoked)
        self._drop(older, RefusalReason.CANCELLED)
        dropped = asyncio.get_running_loop().create_future()
        self._dropped[ticket.number] = dropped
        offset = lines.offset_at(position.line, position.character, self._encoding)
        return self._answer(
            _Question(snapshot=snapshot, lines=lines, offset=offset, ticket=ticket, dropped=dropped)
        )

    async def _answer(self, question: _Question) -> list[Change]:
        started = time.perf_counter()
        ticket = question.ticket
        try:
            outcome = await self._outcome(question)
        except Exception as err:
            # One request fails, the server lives. The worker has logged the stack.
            log.warning("inline failed: request=%d error=%s", ticket.number, type(err).__name__)
            if ticket.invoked:
                raise RequestFailedError(explain(err)) from err
            return []  # Nobody asked: an error at every keystroke would only be in the way.
        finally:
            self._scheduler.release(ticket)
            self._dropped.pop(ticket.number, None)
        edits = [] if isinstance(outcome, Refusal) else outcome
        log.info(
            "inline done: request=%d invoked=%s items=%d refused=%s ms=%d",
            ticket.number,
            ticket.invoked,
            len(edits),
            outcome.reason.value if isinstance(outcome, Refusal) else None,
            (time.perf_counter() - started) * 1000,
        )
        return [self._change(edit, question.lines) for edit in edits]

    async def _outcome(self, question: _Question) -> Outcome:
        ticket, dropped = question.ticket, question.dropped
        if not ticket.invoked and self._worker.load_error is not None:
            # Said once by the warm-up; loading again at every keystroke would not help.
            return Refusal(reason=RefusalReason.NO_CANDIDATE)
        if (wait_s := self._scheduler.wait_s(ticket)) > 0:
            await asyncio.wait({dropped}, timeout=wait_s)
        if dropped.done():
            return Refusal(reason=dropped.result())
        job = self._worker.submit(
            partial(_fill, question.snapshot, question.offset, self._settings.n_candidates),
            priority=Priority.INVOKED if ticket.invoked else Priority.AUTOMATIC,
            timeout_s=self._scheduler.left_s(ticket),
        )
        outcome = await _first(job, dropped)
        # Every change drops what is being computed, so this is the second lock on the same door.
        if self._documents.get(question.snapshot.uri) is not question.snapshot:
            return Refusal(reason=RefusalReason.STALE)
        return outcome

    def _drop(self, ticket: Ticket | None, reason: RefusalReason) -> None:
        """Stop a request's computation at its next step and have it answered at once."""
        if ticket is not None and (dropped := self._dropped.pop(ticket.number, None)):
            dropped.set_result(reason)

    def _change(self, edit: Edit, lines: LineIndex) -> Change:
        start = lines.position_at(edit.span.start, self._encoding)
        end = lines.position_at(edit.span.end, self._encoding)
        return Change(text=edit.new_text, range=(start, end))


def explain(error: BaseException) -> str:
    """Say for a person what the engine ran into; never quotes the document."""
    if isinstance(error, EngineError | OSError | ImportError):
        return str(error)
    return f"The engine failed ({type(error).__name__}); its log has the details."


def _fill(
    snapshot: Snapshot, offset: int, n_candidates: int, engine: Infiller, token: CancelToken
) -> Outcome:
    """Run on the engine thread; the gate as well, as parsing must not block the loop either."""
    if (stop := token.stop_reason()) is not None:  # while it waited for the engine
        late = stop is StopReason.DEADLINE
        return Refusal(reason=RefusalReason.DEADLINE if late else RefusalReason.CANCELLED)
    request = inline.prepare(snapshot, offset)
    check = inline.gate_check(snapshot, offset)
    result = engine.infill(
        request.prefix,
        request.suffix,
        lengths=request.lengths,
        multiline=request.multiline,
        n_candidates=n_candidates,
        check=check,
        cancel=token,
    )
    return inline.finish(snapshot, offset, result, limit=n_candidates, check=check)


async def _first(job: Job[Outcome], dropped: asyncio.Future[RefusalReason]) -> Outcome:
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


async def _nothing() -> list[Change]:
    return []
