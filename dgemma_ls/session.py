"""Owns what lives as long as the connection: documents, engine worker, scheduler, counters.

Here is the one wait between a request and its answer, for all features. Whoever has a request
first looks (:meth:`Session.look`) and is admitted (:meth:`Session.admit`), both while the message
is being received, and then awaits :meth:`Session.answer`. What comes back is given out only if the
document is still the same. Knows no protocol types and no feature. Belongs to the event loop.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from dgemma_engine.errors import OutOfMemoryError
from dgemma_engine.types import CancelToken
from dgemma_engine.worker import Job, Priority
from dgemma_ls.documents import Change, DocumentStore, UnknownDocumentError
from dgemma_ls.edits import Replacement, difference
from dgemma_ls.elsewhere import Elsewhere
from dgemma_ls.engines import Worker, make_worker
from dgemma_ls.features.fill import Infiller
from dgemma_ls.languages import canonical_id
from dgemma_ls.positions import PositionEncoding
from dgemma_ls.privacy import Reason
from dgemma_ls.questions import Question, RequestFailedError, Task, View, explain, run
from dgemma_ls.recorder import recorded
from dgemma_ls.scheduler import Scheduler, Ticket
from dgemma_ls.settings import Settings
from dgemma_ls.status import Status, StatusKind
from dgemma_ls.types import Refusal, RefusalReason, Snapshot
from dgemma_ls.workspace import Workspace

log = logging.getLogger(__name__)

T = TypeVar("T")
Watcher = Callable[[str, Snapshot | None, Snapshot | None, Replacement | None], None]
"""Gets a document's URI, what it was (``None``: not open), what it is now, and the difference."""

_ON_CPU = "The GPU has no memory left, so the model runs on the CPU now; that is slower."


class Session:
    """One editor's connection.

    Args:
        settings: what the editor asked for.
        encoding: how it counts characters.
        load: makes the engine; called on the engine thread, and never before :meth:`warm_up` or
            the first request.
        hire: gives a share of an engine thread that other sessions use as well, in place of one
            of its own; ``load`` is not used then.
        clock: seconds, for debounce and deadlines.

    Attributes:
        settings: in force.
        workspace: what lies around the documents.
        counters: how often what happened, by stable words; no text, and it stays here.
        on_status: called on the loop whenever :attr:`status` may have changed.
        watchers: called when a document was opened, changed or closed.
        reviewers: called when settings, folders or ignore files have changed.
    """

    def __init__(
        self,
        settings: Settings,
        encoding: PositionEncoding,
        load: Callable[[Settings], Infiller],
        *,
        hire: Callable[[Settings], Worker] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.counters: Counter[str] = Counter()
        self.on_status: Callable[[], None] = _nothing
        self.watchers: list[Watcher] = []
        self.reviewers: list[Callable[[], None]] = []
        self._encoding = encoding
        self._documents = DocumentStore()
        self.workspace = Workspace(self._documents)
        self._scheduler = Scheduler(settings, clock=clock)
        self._worker: Worker = (
            make_worker(load, settings, clock=clock) if hire is None else hire(settings)
        )
        self._dropped: dict[int, asyncio.Future[RefusalReason]] = {}  # by ticket number
        self._shortage: OutOfMemoryError | None = None  # that the last question ended with
        self._n_active = 0  # questions whose answer is awaited

    @property
    def status(self) -> Status:
        """What the session is doing now, for the document that was looked at last."""
        return self._status(self.workspace.inactive)

    def status_of(self, uri: str) -> Status:
        """Say what the session is doing for a document."""
        return self._status(self.workspace.why_inactive(uri))

    def configure(self, settings: Settings) -> None:
        """Put settings in force; those that are read at the start wait for the next one."""
        self.settings = settings
        self._scheduler.configure(settings)
        self._tell_reviewers()

    def review(self) -> None:
        """Look again whether documents may be worked on: folders or ignore files changed."""
        self.workspace.watch_again()
        self.on_status()
        self._tell_reviewers()

    def open(self, uri: str, version: int, language_id: str, text: str) -> None:
        """Take up a document."""
        self._drop(self._scheduler.drop(uri), RefusalReason.STALE)
        before = self._documents.get(uri)
        self._documents.open(uri, version, canonical_id(language_id), text)
        self._tell_watchers(uri, before)

    def change(self, uri: str, version: int, changes: Sequence[Change]) -> None:
        """Apply the editor's changes; what is being computed for the old text stops."""
        self._drop(self._scheduler.drop(uri), RefusalReason.STALE)
        self._scheduler.note_change()
        before = self._documents.get(uri)
        try:
            after = self._documents.change(uri, version, changes, self._encoding)
        except UnknownDocumentError:
            log.warning("ignored a change of a document that is not open: %s", uri)
            return
        assert before is not None
        self.workspace.note_change(before, after)
        self._tell_watchers(uri, before)

    def close(self, uri: str) -> None:
        """Forget a document; what is being computed for it stops."""
        self._drop(self._scheduler.drop(uri), RefusalReason.STALE)
        before = self._documents.get(uri)
        self._documents.close(uri)
        self.workspace.note_closed(uri)
        self._tell_watchers(uri, before)

    def focus(self, uri: str) -> None:
        """Say which document is looked at: elsewhere no suggestion is awaited."""
        self._drop(self._scheduler.drop_unseen(uri), RefusalReason.CANCELLED)
        self._watch(uri)

    def warm_up(self) -> Job[None]:
        """Load the engine in the background."""
        return self._worker.warm_up()

    def consult(
        self,
        task: Callable[[Infiller, CancelToken], T],
        *,
        priority: Priority = Priority.WARM_UP,
    ) -> Job[T]:
        """Have something looked up in the engine, behind everything that somebody waits for.

        A task of priority ``DOCUMENT`` takes no longer than a step of the model, so that nobody
        notices it.
        """
        return self._worker.submit(task, priority=priority)

    def cancel_all(self) -> None:
        """Stop whatever is computed, at its next step; every open request is answered at once."""
        for dropped in self._dropped.values():
            dropped.set_result(RefusalReason.CANCELLED)
        self._dropped.clear()

    def shut_down(self, timeout_s: float) -> bool:
        """Answer what is open with nothing and stop the engine.

        Returns:
            Whether the engine thread has ended within ``timeout_s``.
        """
        self.cancel_all()
        return self._worker.close(timeout_s)

    def look(self, uri: str, *, version: int | None = None) -> View | None:
        """Give a document as it is now.

        Args:
            uri: the document.
            version: the version that the editor speaks of, if it says so.

        Returns:
            ``None`` if it is not open, has another version, or must be left alone.
        """
        snapshot = self._documents.get(uri)
        if snapshot is None:
            log.warning("asked about a document that is not open: %s", uri)
            return None
        if version is not None and version != snapshot.version:
            log.warning("asked about version %d, there is %d", version, snapshot.version)
            return None
        if (reason := self._watch(uri)) is not None:
            log.info("inactive: reason=%s", reason.kind.value)
            self.counters[f"inactive_{reason.kind.value}"] += 1
            return None
        return View(
            snapshot=snapshot,
            lines=self._documents.line_index(uri),
            encoding=self._encoding,
            before=self.workspace.before(snapshot),
        )

    def document(self, uri: str) -> Snapshot | None:
        """Give an open document as it is now; to work on it is what :meth:`look` is for."""
        return self._documents.get(uri)

    def documents(self) -> tuple[Snapshot, ...]:
        """Give all open documents, likewise."""
        return self._documents.all()

    def elsewhere(self, view: View, offset: int) -> Elsewhere:
        """Give what other files may say about a place, where the user is now.

        Args:
            view: from :meth:`look`.
            offset: the cursor.
        """
        return self.workspace.elsewhere(view.snapshot, offset, wanted=self.settings.context)

    def admit(self, view: View, *, feature: str, priority: Priority) -> Question:
        """Make a request the newest of its document and feature; the older one is dropped.

        A plain function on purpose: called while the request is received, it keeps the order in
        which the editor asked. The body of an ``async def`` may start after later messages.
        """
        ticket, older = self._scheduler.admit(
            view.snapshot.uri,
            feature=feature,
            invoked=priority is not Priority.AUTOMATIC,
            engine_idle=self._worker.idle,
        )
        self._drop([] if older is None else [older], RefusalReason.CANCELLED)
        dropped = asyncio.get_running_loop().create_future()
        self._dropped[ticket.number] = dropped
        return Question(view=view, ticket=ticket, priority=priority, dropped=dropped)

    async def answer(self, question: Question, task: Task[T]) -> T | Refusal:
        """Have the engine work on a question, once.

        Args:
            question: as admitted.
            task: runs on the engine thread.

        Returns:
            What the task made of it, or why there is nothing to show.

        Raises:
            RequestFailedError: if the engine fails and somebody asked.
        """
        started = time.perf_counter()
        ticket = question.ticket
        self._n_active += 1
        self.on_status()
        try:
            outcome = await self._outcome(question, task)
        except Exception as err:
            # One request fails, the server lives. The worker has logged the stack.
            log.warning("request %d failed: %s", ticket.number, type(err).__name__)
            self.counters["failed"] += 1
            self._shortage = err if isinstance(err, OutOfMemoryError) else None
            if ticket.invoked:
                raise RequestFailedError(explain(err)) from err
            # Nobody asked: an error at every keystroke would only be in the way.
            return Refusal(reason=RefusalReason.NO_CANDIDATE)
        finally:
            self._scheduler.release(ticket)
            self._dropped.pop(ticket.number, None)
            self._n_active -= 1
            self.on_status()
        self._shortage = None
        refused = outcome.reason.value if isinstance(outcome, Refusal) else None
        self.counters["answered" if refused is None else f"refused_{refused}"] += 1
        log.info(
            "%s done: request=%d invoked=%s refused=%s ms=%d",
            ticket.feature,
            ticket.number,
            ticket.invoked,
            refused,
            (time.perf_counter() - started) * 1000,
        )
        return outcome

    async def _outcome(self, question: Question, task: Task[T]) -> T | Refusal:
        ticket, dropped = question.ticket, question.dropped
        if not ticket.invoked and self._worker.load_error is not None:
            # Said once by the warm-up; loading again at every keystroke would not help.
            return Refusal(reason=RefusalReason.NO_CANDIDATE)
        if (wait_s := self._scheduler.wait_s(ticket)) > 0:
            await asyncio.wait({dropped}, timeout=wait_s)
        if dropped.done():
            return Refusal(reason=dropped.result())
        timeout_s = self._scheduler.left_s(ticket)
        recording = partial(_recording, task, self.settings)
        outcome = await run(self._worker, recording, question, timeout_s=timeout_s)
        # Every change drops what is being computed, so this is the second lock on the same door.
        if self._documents.get(ticket.uri) is not question.view.snapshot:
            return Refusal(reason=RefusalReason.STALE)
        return outcome

    def _watch(self, uri: str) -> Reason | None:
        before = self.workspace.inactive
        reason = self.workspace.watch(uri)
        if reason != before:
            self.on_status()
        return reason

    def _status(self, inactive: Reason | None) -> Status:
        if (error := self._worker.load_error) is not None:
            return Status(kind=StatusKind.ERROR, busy=False, message=explain(error))
        if inactive is not None:
            return Status(kind=StatusKind.INACTIVE, busy=False, message=inactive.sentence)
        busy = self._n_active > 0
        if self._shortage is not None:
            return Status(kind=StatusKind.WARNING, busy=busy, message=explain(self._shortage))
        if self._worker.asleep and not busy:
            return Status(kind=StatusKind.NORMAL, busy=False, message="Asleep until it is needed.")
        if not self._worker.loaded:
            return Status(kind=StatusKind.NORMAL, busy=True, message="Loading the model.")
        if self._worker.fallen_back is not None:
            return Status(kind=StatusKind.WARNING, busy=busy, message=_ON_CPU)
        return Status(kind=StatusKind.NORMAL, busy=busy, message="")

    def _tell_reviewers(self) -> None:
        for reviewer in self.reviewers:
            reviewer()

    def _tell_watchers(self, uri: str, before: Snapshot | None) -> None:
        now = self._documents.get(uri)
        change = None if before is None or now is None else difference(before.text, now.text)
        for watcher in self.watchers:
            watcher(uri, before, now, change)

    def _drop(self, tickets: Sequence[Ticket], reason: RefusalReason) -> None:
        """Stop requests' computations at their next step and have them answered at once."""
        for ticket in tickets:
            if dropped := self._dropped.pop(ticket.number, None):
                dropped.set_result(reason)


def _recording(
    task: Task[T], settings: Settings, engine: Infiller, token: CancelToken
) -> T | Refusal:
    """Run on the engine thread, with what the engine is asked recorded if the user wants that."""
    return task(recorded(engine, settings), token)


def _nothing() -> None:
    pass
