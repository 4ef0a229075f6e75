"""The one thread that owns a model: loads it at first need, runs one job at a time.

Jobs wait in a queue ordered by priority, first come first served within one. Nothing here knows
torch, documents or protocols: the model is whatever ``load`` returns and a job is any function
of it. A daemon thread, so that a step that hangs in a kernel never keeps the process alive.
"""

import enum
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from dgemma_engine.types import CancelToken

log = logging.getLogger(__name__)

E = TypeVar("E")
T = TypeVar("T")


class Priority(enum.IntEnum):
    """Who goes first: the more a person is waiting for it, the higher."""

    WARM_UP = 0
    """Load the model before anybody asks."""
    DOCUMENT = 1
    """Work through a whole document in the background."""
    REWRITE = 2
    """A window of a rewrite that was asked for."""
    AUTOMATIC = 3
    """Ghost text while typing."""
    INVOKED = 4
    """Ghost text that was asked for by a key."""


class Job(Generic[T]):
    """A task that was handed in.

    Attributes:
        future: gets the task's value or exception, or is cancelled when the job is dropped
            before it starts. ``asyncio.wrap_future`` makes it awaitable.
    """

    def __init__(self, token: CancelToken) -> None:
        self.future: Future[T] = Future()
        self._token = token

    def cancel(self) -> None:
        """Drop the job if it waits; if it runs, ask it to stop at its next step.

        A running task still decides what it returns, so its future is resolved by it. May be
        called from any thread and at any time, also when the job is done.
        """
        self._token.cancel()
        self.future.cancel()


@dataclass(order=True, slots=True)
class _Entry(Generic[E]):
    """A queued job; the smallest one goes first."""

    rank: tuple[int, int]  # (-priority, arrival)
    job: Job[Any] = field(compare=False)
    task: Callable[[E, CancelToken], Any] = field(compare=False)
    token: CancelToken = field(compare=False)


@dataclass(slots=True)
class _Retry(Generic[E]):
    """A job that failed, and how to load a model with which it may not."""

    entry: _Entry[E]
    load: Callable[[], E]
    error: BaseException


def _no_other_way(error: BaseException) -> None:
    """Know of none."""


def _ignore() -> None:
    """Do nothing."""


class EngineWorker(Generic[E]):
    """Runs jobs on the thread that owns the model.

    Args:
        load: makes the model; called on the worker's thread, again after it has failed.
        fall_back: asked when a job fails: another way to load that may do better, or ``None``. With
            one, the model is loaded that way from then on, and the job runs once more.
        idle_timeout_s: seconds without a job after which the model is dropped, to be loaded again
            at the next need; ``None`` keeps it.
        on_dropped: called on the worker's thread when a model was dropped.
        clock: seconds that deadlines are measured in.
    """

    def __init__(
        self,
        load: Callable[[], E],
        *,
        clock: Callable[[], float] = time.monotonic,
        fall_back: Callable[[BaseException], Callable[[], E] | None] = _no_other_way,
        idle_timeout_s: float | None = None,
        on_dropped: Callable[[], None] = _ignore,
    ) -> None:
        self._load = load
        self._clock = clock
        self._fall_back = fall_back
        self._idle_timeout_s = idle_timeout_s
        self._on_dropped = on_dropped
        self._changed = threading.Condition()
        # All below is guarded by the condition's lock.
        self._queue: list[_Entry[E]] = []
        self._arrivals = itertools.count()
        self._thread: threading.Thread | None = None
        self._running: Job[Any] | None = None
        self._steps_aside = False  # what runs is a step of background work
        self._load_error: BaseException | None = None
        self._loaded = False
        self._asleep = False
        self._fallen_back: BaseException | None = None
        self._closed = False

    @property
    def load_error(self) -> BaseException | None:
        """Why the last attempt to load failed; ``None`` before the first and after a good one."""
        with self._changed:
            return self._load_error

    @property
    def loaded(self) -> bool:
        """Whether the model is there."""
        with self._changed:
            return self._loaded

    @property
    def asleep(self) -> bool:
        """Whether the model was dropped because nobody needed it."""
        with self._changed:
            return self._asleep

    @property
    def fallen_back(self) -> BaseException | None:
        """Why the model is loaded in another way than at first; ``None`` if it is not."""
        with self._changed:
            return self._fallen_back

    @property
    def idle(self) -> bool:
        """Whether a job that was handed in now would start at once, or after a background step.

        Work on whole documents comes in small jobs and steps aside for anything else.
        """
        with self._changed:
            waiting = any(
                not entry.job.future.cancelled() and not _is_background(entry)
                for entry in self._queue
            )
            return (self._running is None or self._steps_aside) and not waiting

    def submit(
        self,
        task: Callable[[E, CancelToken], T],
        *,
        priority: Priority = Priority.AUTOMATIC,
        timeout_s: float | None = None,
    ) -> Job[T]:
        """Queue a task; never blocks.

        The time spent waiting counts: a job whose deadline passed in the queue still starts, and
        its task finds the token tripped at the first look.

        Args:
            task: gets the model and the token that it has to ask at every step.
            priority: a higher one goes first.
            timeout_s: seconds from now after which the token trips.

        Returns:
            The job; already cancelled if the worker is closed.
        """
        deadline = None if timeout_s is None else self._clock() + timeout_s
        token = CancelToken(deadline=deadline, clock=self._clock)
        job: Job[T] = Job(token)
        with self._changed:
            if self._closed:
                job.cancel()
                return job
            rank = (-int(priority), next(self._arrivals))
            heapq.heappush(self._queue, _Entry(rank, job, task, token))
            self._start()
            self._changed.notify_all()
        return job

    def warm_up(self) -> Job[None]:
        """Load the model in the background, behind every other job."""
        return self.submit(_nothing, priority=Priority.WARM_UP)

    def close(self, timeout_s: float) -> bool:
        """Cancel every job and wait for the thread to end.

        Args:
            timeout_s: how long to wait at most.

        Returns:
            Whether the thread has ended; if not, it ends by itself after its current step.
        """
        with self._changed:
            self._closed = True
            dropped, self._queue = self._queue, []
            running, thread = self._running, self._thread
            self._changed.notify_all()
        # Outside the lock: cancelling calls the futures' callbacks, which may call us.
        for entry in dropped:
            entry.job.cancel()
        if running is not None:
            running.cancel()
        if thread is None or thread is threading.current_thread():
            return thread is None
        thread.join(timeout_s)
        return not thread.is_alive()

    def _start(self) -> None:
        """Start the thread at the first job; the caller holds the lock."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="dgemma-engine", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        """Live on the thread: wait, load if need be, run the next job, again."""
        model: tuple[E] | None = None  # in a tuple, because a model may be any value
        while True:
            timeout_s = None if model is None else self._idle_timeout_s
            if (work := self._wait_for_work(timeout_s)) is None:
                return
            if not work:
                model = None
                self._drop()
                continue
            if model is None:
                model = self._try_to_load()
            if model is not None and (other_way := self._run_next(*model)) is not None:
                model = None  # the old one goes before the new one comes
                self._on_dropped()
                model = self._go_on_with(other_way)

    def _wait_for_work(self, timeout_s: float | None) -> bool | None:
        """Sleep until a job waits that is still wanted.

        Returns:
            False if none came within ``timeout_s``, ``None`` when the worker is closed.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            while not self._closed:
                while self._queue and self._queue[0].job.future.cancelled():
                    heapq.heappop(self._queue)
                if self._queue:
                    return True
                left_s = None if until is None else until - time.monotonic()
                if left_s is not None and left_s <= 0:
                    return False
                self._changed.wait(left_s)
            return None

    def _drop(self) -> None:
        """Say that the model is gone until it is needed."""
        with self._changed:
            self._loaded, self._asleep = False, True
        self._on_dropped()
        log.info("model dropped: nobody needed it")

    def _try_to_load(self) -> tuple[E] | None:
        """Load the model, or fail every job that waits for it."""
        started = time.perf_counter()
        try:
            model = self._load()
        except BaseException as err:  # broad: the jobs' owners must hear of anything
            log.exception("loading the model failed")
            with self._changed:
                self._load_error = err
                waiting, self._queue = self._queue, []
            for entry in waiting:
                if entry.job.future.set_running_or_notify_cancel():
                    entry.job.future.set_exception(err)
            return None
        with self._changed:
            self._load_error = None
            self._loaded, self._asleep = True, False
        log.info("model loaded: ms=%d", (time.perf_counter() - started) * 1000)
        return (model,)

    def _run_next(self, model: E) -> "_Retry[E] | None":
        """Run the first job of the queue that is still wanted.

        Returns:
            The job, if it failed and may do better with a model that is loaded in another way.
        """
        with self._changed:
            if not self._queue:
                return None
            entry = heapq.heappop(self._queue)
            # From here on cancelling trips the token only: the task resolves the future.
            if not entry.job.future.set_running_or_notify_cancel():
                return None
            self._running = entry.job
            self._steps_aside = _is_background(entry)
        return self._attempt(entry, model)

    def _attempt(self, entry: _Entry[E], model: E) -> "_Retry[E] | None":
        try:
            value = entry.task(model, entry.token)
        except BaseException as err:  # broad: it fails this job alone, the thread goes on
            log.exception("a job failed: priority=%s", Priority(-entry.rank[0]).name)
            if (load := self._fall_back(err)) is not None:
                # Its stack holds the old model.
                return _Retry(entry=entry, load=load, error=err.with_traceback(None))
            self._finish(entry.job)
            entry.job.future.set_exception(err)
        else:
            self._finish(entry.job)
            entry.job.future.set_result(value)
        return None

    def _go_on_with(self, retry: "_Retry[E]") -> tuple[E] | None:
        """Load in another way and repeat the job that failed."""
        self._load = retry.load
        with self._changed:
            self._loaded, self._fallen_back = False, retry.error
        model = self._try_to_load()
        if model is None:
            self._finish(retry.entry.job)
            retry.entry.job.future.set_exception(self.load_error or retry.error)
            return None
        again = self._attempt(retry.entry, *model)
        if again is None:
            return model
        self._finish(retry.entry.job)  # twice is enough
        retry.entry.job.future.set_exception(again.error)
        return model

    def _finish(self, job: Job[Any]) -> None:
        with self._changed:
            assert self._running is job
            self._running = None


def _is_background(entry: _Entry[Any]) -> bool:
    return entry.rank[0] == -int(Priority.DOCUMENT)


def _nothing(model: object, token: CancelToken) -> None:
    """Do nothing with a model: asking for this loads it."""
