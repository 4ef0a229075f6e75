"""One function over many items: in this process, or spread over several."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_in_this_process: "_Worker | None" = None


def each(
    setup: Callable[[], Callable[[Item], Result]], items: Sequence[Item], *, n_jobs: int
) -> Generator[Result, None, None]:
    """Yield what the function makes of each item, in the items' order.

    Whoever stops in between (Ctrl-C, or closing the iterator) waits for the items in work only.

    Args:
        setup: makes the function; called once in every process, at its first item.
        items: what to work on.
        n_jobs: processes. With one, that is this process; with more, ``setup``, items and results
            are pickled, and torch gets one thread in each.

    Raises:
        BrokenProcessPool: a process died.
    """
    if n_jobs == 1:
        yield from map(setup(), items)
        return
    # Spawned, not forked: threads (torch has some) do not survive a fork.
    executor = ProcessPoolExecutor(
        n_jobs,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(setup,),
    )
    try:
        with _interrupts_ignored():
            pending = deque(executor.submit(_work_on, item) for item in items)
        while pending:
            yield pending.popleft().result()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


class _Worker:
    """A process's function, made when the first item comes, so that errors reach the caller."""

    def __init__(self, setup: Callable[[], Callable[[Any], Any]]) -> None:
        self._setup = setup
        self._work: Callable[[Any], Any] | None = None

    def __call__(self, item: Any) -> Any:
        if self._work is None:
            self._work = self._setup()
        return self._work(item)


def _start_worker(setup: Callable[[], Callable[[Any], Any]]) -> None:
    global _in_this_process  # the executor leaves no other place
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"  # torch, imported later, reads it
    _in_this_process = _Worker(setup)


def _work_on(item: Any) -> Any:
    assert _in_this_process is not None
    return _in_this_process(item)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Start processes that Ctrl-C leaves alone from their first instruction on: it is inherited."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
