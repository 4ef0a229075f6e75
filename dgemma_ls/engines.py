"""Engine threads that several sessions share: one copy of the weights, however many editors.

A session gets a :class:`Lease`. It looks like a worker of its own, but closing it ends only the
jobs that went through it. Knows no documents and no protocol.
"""

import logging
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar

from dgemma_engine.errors import OutOfMemoryError
from dgemma_engine.types import CancelToken
from dgemma_engine.worker import EngineWorker, Job, Priority
from dgemma_ls.features.fill import Infiller
from dgemma_ls.loading import release_memory
from dgemma_ls.settings import Settings

log = logging.getLogger(__name__)

T = TypeVar("T")

_Key = tuple[str, str]  # model and device


class Worker(Protocol):
    """What a session needs of an engine thread, be it its own or a :class:`Lease`."""

    @property
    def load_error(self) -> BaseException | None:
        """Why the last attempt to load failed, if it did."""
        ...

    @property
    def loaded(self) -> bool:
        """Whether the model is there."""
        ...

    @property
    def asleep(self) -> bool:
        """Whether the model was dropped because nobody needed it."""
        ...

    @property
    def fallen_back(self) -> BaseException | None:
        """Why the model is loaded in another way than at first, if it is."""
        ...

    @property
    def idle(self) -> bool:
        """Whether a job that was handed in now would start at once."""
        ...

    def submit(
        self,
        task: Callable[[Infiller, CancelToken], T],
        *,
        priority: Priority = ...,
        timeout_s: float | None = ...,
    ) -> Job[T]:
        """Queue a task; never blocks."""
        ...

    def warm_up(self) -> Job[None]:
        """Load the model in the background."""
        ...

    def close(self, timeout_s: float) -> bool:
        """Cancel what was queued here; say whether nothing is left to wait for."""
        ...


def make_worker(
    load: Callable[[Settings], Infiller],
    settings: Settings,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> EngineWorker[Infiller]:
    """Make an engine thread as the settings want it; where a GPU's memory ends, the CPU goes on.

    Args:
        load: makes an engine from settings; called on that thread.
        settings: model, device, and how long an unneeded model stays.
        clock: seconds that deadlines are measured in.
    """

    def fall_back(error: BaseException) -> Callable[[], Infiller] | None:
        if not isinstance(error, OutOfMemoryError) or error.device == "cpu":
            return None
        log.warning("out of memory: device=%s, going on with the CPU", error.device)
        return partial(load, replace(settings, device="cpu"))

    return EngineWorker(
        partial(load, settings),
        clock=clock,
        fall_back=fall_back,
        idle_timeout_s=settings.unload_after_s or None,
        on_dropped=release_memory,
    )


class Engines:
    """The engine threads of a process: one per model and device, made at first need.

    How long an unneeded model stays is what the first session wants that uses it.

    A model that no session uses stays for the next one, until another model is needed.

    Args:
        load: makes an engine from settings; called on the engine thread.
        clock: seconds that deadlines are measured in.
    """

    def __init__(
        self,
        load: Callable[[Settings], Infiller],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._clock = clock
        self._lock = threading.Lock()
        self._workers: dict[_Key, EngineWorker[Infiller]] = {}
        self._n_leases: Counter[_Key] = Counter()

    def lease(self, settings: Settings) -> "Lease":
        """Give a session its share of the engine that its settings name."""
        key = (settings.model, settings.device)
        unused: list[EngineWorker[Infiller]] = []
        with self._lock:
            if key not in self._workers:
                free = [other for other in self._workers if not self._n_leases[other]]
                unused = [self._workers.pop(other) for other in free]
                self._workers[key] = make_worker(self._load, settings, clock=self._clock)
                log.info("engine thread made: n_engines=%d", len(self._workers))
            self._n_leases[key] += 1
            worker = self._workers[key]
        for old in unused:
            old.close(0.0)
        return Lease(worker, partial(self._return, key))

    def _return(self, key: _Key) -> None:
        with self._lock:
            self._n_leases[key] -= 1

    def close(self, timeout_s: float) -> bool:
        """Stop every engine thread.

        Args:
            timeout_s: how long to wait at most, for all together.

        Returns:
            Whether all have ended; one that has not ends by itself after its current step.
        """
        deadline = time.monotonic() + timeout_s
        with self._lock:
            workers = list(self._workers.values())
        for worker in workers:
            worker.close(0.0)  # all shall hear of it before one is waited for
        ended = [worker.close(max(0.0, deadline - time.monotonic())) for worker in workers]
        return all(ended)


class Lease:
    """A share of an engine thread: one session's jobs among those of others."""

    def __init__(
        self, worker: EngineWorker[Infiller], give_back: Callable[[], None] = lambda: None
    ) -> None:
        self._worker = worker
        self._give_back = give_back
        # Weak: a job that is done and that nobody looks at any more need not be remembered.
        self._jobs: weakref.WeakSet[Job[Any]] = weakref.WeakSet()
        self._closed = False

    @property
    def load_error(self) -> BaseException | None:
        """Why the last attempt to load failed; ``None`` before the first and after a good one."""
        return self._worker.load_error

    @property
    def loaded(self) -> bool:
        """Whether the model is there."""
        return self._worker.loaded

    @property
    def asleep(self) -> bool:
        """Whether the model was dropped because nobody needed it."""
        return self._worker.asleep

    @property
    def fallen_back(self) -> BaseException | None:
        """Why the model is loaded in another way than at first; ``None`` if it is not."""
        return self._worker.fallen_back

    @property
    def idle(self) -> bool:
        """Whether a job that was handed in now would start at once."""
        return self._worker.idle

    def submit(
        self,
        task: Callable[[Infiller, CancelToken], T],
        *,
        priority: Priority = Priority.AUTOMATIC,
        timeout_s: float | None = None,
    ) -> Job[T]:
        """Queue a task, as :meth:`EngineWorker.submit`; after :meth:`close` it is cancelled."""
        if self._closed:
            late: Job[T] = Job(CancelToken())
            late.cancel()
            return late
        job = self._worker.submit(task, priority=priority, timeout_s=timeout_s)
        self._jobs.add(job)
        return job

    def warm_up(self) -> Job[None]:
        """Load the model in the background; that goes on when this lease ends, for the others."""
        return self._worker.warm_up()

    def close(self, timeout_s: float) -> bool:
        """Cancel this session's jobs; the thread and the model stay for the others.

        Args:
            timeout_s: not waited for, as nothing of this session has to end with the process.

        Returns:
            True: nothing is left for the caller to wait for.
        """
        if not self._closed:
            self._closed = True
            self._give_back()
        for job in list(self._jobs):
            job.cancel()
        return True
