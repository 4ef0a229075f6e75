"""The engine thread: order, cancellation, deadlines, failures, closing. No model, no sleeping."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError

import pytest

from dgemma_engine.types import CancelToken, StopReason
from dgemma_engine.worker import EngineWorker, Priority

_PATIENCE_S = 10.0  # only reached when a test fails


class Gate:
    """A task that tells when it runs and goes on when it is let."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()

    def __call__(self, model: str, token: CancelToken) -> str:
        self.entered.set()
        assert self.released.wait(_PATIENCE_S)
        return f"{model}: {token.stop_reason()}"


class VirtualClock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def worker() -> Iterator[EngineWorker[str]]:
    worker = EngineWorker(lambda: "model")
    yield worker
    worker.close(_PATIENCE_S)


def occupy(worker: EngineWorker[str]) -> Gate:
    """Keep the thread busy, so that what comes next has to wait."""
    gate = Gate()
    worker.submit(gate)
    assert gate.entered.wait(_PATIENCE_S)
    return gate


def test_the_model_is_loaded_on_the_worker_thread_at_first_need_and_once() -> None:
    loads: list[str] = []

    def load() -> str:
        loads.append(threading.current_thread().name)
        return "model"

    worker = EngineWorker(load)
    assert loads == []

    jobs = [worker.submit(lambda model, _token: model) for _ in range(3)]

    assert [job.future.result(_PATIENCE_S) for job in jobs] == ["model"] * 3
    assert loads == ["dgemma-engine"]
    assert worker.close(_PATIENCE_S)


def test_warm_up_loads_and_its_future_tells_when() -> None:
    loaded = threading.Event()
    worker = EngineWorker(loaded.set)

    worker.warm_up().future.result(_PATIENCE_S)

    assert loaded.is_set()
    assert worker.close(_PATIENCE_S)


def test_a_worker_tells_whether_it_is_loaded_and_whether_it_has_work() -> None:
    worker = EngineWorker(lambda: "model")
    assert (worker.loaded, worker.idle) == (False, True)

    gate = occupy(worker)
    assert (worker.loaded, worker.idle) == (True, False)
    waiting = worker.submit(lambda _model, _token: None)
    waiting.cancel()
    gate.released.set()
    last = worker.warm_up()
    last.future.result(_PATIENCE_S)

    assert worker.close(_PATIENCE_S)
    assert (worker.loaded, worker.idle) == (True, True)


def test_a_job_that_waits_is_work_and_a_cancelled_one_is_none() -> None:
    entered, released = threading.Event(), threading.Event()

    def load() -> str:
        entered.set()
        assert released.wait(_PATIENCE_S)
        return "model"

    worker = EngineWorker(load)
    job = worker.warm_up()
    assert entered.wait(_PATIENCE_S)  # nothing runs yet, but what comes now would have to wait
    assert not worker.idle
    job.cancel()
    assert worker.idle
    released.set()
    assert worker.close(_PATIENCE_S)


def test_higher_priority_goes_first_and_equals_keep_their_order(worker: EngineWorker[str]) -> None:
    order: list[str] = []

    def note(word: str) -> Callable[[str, CancelToken], None]:
        return lambda _model, _token: order.append(word)

    gate = occupy(worker)
    jobs = [
        worker.submit(note(word), priority=priority)
        for word, priority in [
            ("warm-up", Priority.WARM_UP),
            ("document", Priority.DOCUMENT),
            ("automatic 1", Priority.AUTOMATIC),
            ("rewrite", Priority.REWRITE),
            ("automatic 2", Priority.AUTOMATIC),
            ("invoked", Priority.INVOKED),
        ]
    ]
    gate.released.set()
    for job in jobs:
        job.future.result(_PATIENCE_S)

    assert order == ["invoked", "automatic 1", "automatic 2", "rewrite", "document", "warm-up"]


def test_a_waiting_job_that_is_cancelled_never_runs(worker: EngineWorker[str]) -> None:
    ran: list[str] = []
    gate = occupy(worker)

    job = worker.submit(lambda model, _token: ran.append(model))
    job.cancel()
    after = worker.submit(lambda _model, _token: None)
    gate.released.set()
    after.future.result(_PATIENCE_S)

    assert job.future.cancelled()
    assert ran == []


def test_cancelling_a_running_job_trips_its_token_and_the_task_answers(
    worker: EngineWorker[str],
) -> None:
    gate = Gate()
    job = worker.submit(gate)
    assert gate.entered.wait(_PATIENCE_S)

    job.cancel()
    job.cancel()
    assert not job.future.done()
    gate.released.set()

    assert job.future.result(_PATIENCE_S) == f"model: {StopReason.CANCELLED}"
    job.cancel()
    assert not job.future.cancelled()


def test_the_time_in_the_queue_counts_towards_the_deadline() -> None:
    clock = VirtualClock()
    worker = EngineWorker(lambda: "model", clock=clock)
    gate = occupy(worker)

    def reason(_model: str, token: CancelToken) -> StopReason | None:
        return token.stop_reason()

    short = worker.submit(reason, timeout_s=1.0)
    long = worker.submit(reason, timeout_s=5.0)
    clock.now_s = 2.0
    gate.released.set()

    assert short.future.result(_PATIENCE_S) is StopReason.DEADLINE
    assert long.future.result(_PATIENCE_S) is None
    assert worker.close(_PATIENCE_S)


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(3), KeyboardInterrupt()])
def test_an_exception_fails_its_job_alone(worker: EngineWorker[str], error: BaseException) -> None:
    def fail(_model: str, _token: CancelToken) -> None:
        raise error

    failing = worker.submit(fail)
    after = worker.submit(lambda model, _token: model)

    assert failing.future.exception(_PATIENCE_S) is error
    assert after.future.result(_PATIENCE_S) == "model"


def test_a_failure_to_load_fails_those_who_wait_and_the_next_job_tries_again() -> None:
    error = OSError("no such model")
    entered, released = threading.Event(), threading.Event()
    outcomes: list[OSError | str] = [error, "model"]

    def load() -> str:
        entered.set()
        assert released.wait(_PATIENCE_S)
        outcome = outcomes.pop(0)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    worker = EngineWorker(load)
    waiting = [worker.warm_up()]
    assert entered.wait(_PATIENCE_S)
    waiting.append(worker.submit(lambda _model, _token: None))
    dropped = worker.submit(lambda _model, _token: None)
    dropped.cancel()
    released.set()

    assert [job.future.exception(_PATIENCE_S) for job in waiting] == [error, error]
    assert dropped.future.cancelled()
    assert worker.load_error is error

    assert worker.submit(lambda model, _token: model).future.result(_PATIENCE_S) == "model"
    assert worker.load_error is None
    assert worker.close(_PATIENCE_S)


def test_close_cancels_what_waits_and_what_runs() -> None:
    worker = EngineWorker(lambda: "model")
    entered = threading.Event()

    def step_until_stopped(_model: str, token: CancelToken) -> StopReason | None:
        entered.set()
        while (reason := token.stop_reason()) is None:
            time.sleep(0)  # gives the other thread its turn
        return reason

    running = worker.submit(step_until_stopped)
    assert entered.wait(_PATIENCE_S)
    waiting = [worker.submit(lambda model, _token: model) for _ in range(3)]

    assert worker.close(_PATIENCE_S)

    assert running.future.result(0) is StopReason.CANCELLED
    assert all(job.future.cancelled() for job in waiting)


def test_close_waits_no_longer_than_told_for_a_task_that_does_not_listen() -> None:
    worker = EngineWorker(lambda: "model")
    gate = occupy(worker)

    assert not worker.close(0.01)

    gate.released.set()
    assert worker.close(_PATIENCE_S)


def test_close_while_loading_cancels_what_waits_for_the_model() -> None:
    gate = Gate()
    worker = EngineWorker(lambda: gate("load", CancelToken()))
    job = worker.submit(lambda model, _token: model)
    assert gate.entered.wait(_PATIENCE_S)

    assert not worker.close(0.01)

    assert job.future.cancelled()
    gate.released.set()
    assert worker.close(_PATIENCE_S)


def test_a_closed_worker_cancels_at_once() -> None:
    worker = EngineWorker(lambda: "model")
    assert worker.close(0.0)

    job = worker.submit(lambda model, _token: model)

    with pytest.raises(CancelledError):
        job.future.result(0)


def test_a_callback_may_submit_and_close(worker: EngineWorker[str]) -> None:
    """Futures are resolved outside the lock; with it held this would hang."""
    done = threading.Event()

    def again(_future: object) -> None:
        worker.submit(lambda _model, _token: None)
        worker.close(0.0)
        done.set()

    worker.submit(lambda model, _token: model).future.add_done_callback(again)

    assert done.wait(_PATIENCE_S)


def test_a_job_can_be_awaited(worker: EngineWorker[str]) -> None:
    async def ask() -> str:
        return await asyncio.wrap_future(worker.submit(lambda model, _token: model).future)

    assert asyncio.run(ask()) == "model"


def test_every_future_is_resolved_whatever_many_threads_do() -> None:
    """Submitting, cancelling and closing race; no future may stay open."""
    worker = EngineWorker(lambda: "model")
    start = threading.Barrier(5)
    jobs = []

    def hand_in(priority: Priority) -> None:
        start.wait(_PATIENCE_S)
        for number in range(50):
            job = worker.submit(lambda model, _token: model, priority=priority)
            jobs.append(job)
            if number % 3 == 0:
                job.cancel()

    threads = [threading.Thread(target=hand_in, args=(p,)) for p in list(Priority)[:4]]
    for thread in threads:
        thread.start()
    start.wait(_PATIENCE_S)
    assert worker.close(_PATIENCE_S)
    for thread in threads:
        thread.join(_PATIENCE_S)

    assert len(jobs) == 200
    assert all(job.future.done() for job in jobs)


def test_a_job_that_fails_is_repeated_on_a_model_that_is_loaded_in_another_way() -> None:
    dropped: list[str] = []
    worker = EngineWorker(
        lambda: "large",
        fall_back=lambda error: (lambda: "small") if isinstance(error, MemoryError) else None,
        on_dropped=lambda: dropped.append("large"),
    )

    def task(model: str, token: CancelToken) -> str:
        if model == "large":
            raise MemoryError
        return model

    assert worker.submit(task).future.result(_PATIENCE_S) == "small"
    assert worker.submit(task).future.result(_PATIENCE_S) == "small"
    assert isinstance(worker.fallen_back, MemoryError)
    assert dropped == ["large"]
    assert worker.close(_PATIENCE_S)


def test_a_job_is_repeated_once_and_other_errors_are_its_own() -> None:
    runs: list[str] = []
    worker = EngineWorker(
        lambda: "model",
        fall_back=lambda error: (lambda: "other") if isinstance(error, MemoryError) else None,
    )

    def fail(model: str, token: CancelToken) -> str:
        runs.append(model)
        raise MemoryError

    def blunder(model: str, token: CancelToken) -> str:
        raise KeyError(model)

    with pytest.raises(KeyError, match="model"):
        worker.submit(blunder).future.result(_PATIENCE_S)
    assert worker.fallen_back is None
    with pytest.raises(MemoryError):
        worker.submit(fail).future.result(_PATIENCE_S)
    assert runs == ["model", "other"]
    assert worker.submit(lambda model, token: model).future.result(_PATIENCE_S) == "other"
    assert worker.idle
    assert worker.close(_PATIENCE_S)


def test_where_the_other_way_fails_too_the_job_hears_of_it() -> None:
    def broken() -> str:
        raise OSError("no such file")

    worker = EngineWorker(lambda: "model", fall_back=lambda error: broken)

    def fail(model: str, token: CancelToken) -> str:
        raise MemoryError

    with pytest.raises(OSError, match="no such file"):
        worker.submit(fail).future.result(_PATIENCE_S)
    assert isinstance(worker.load_error, OSError)
    assert worker.close(_PATIENCE_S)


def test_a_model_that_nobody_needs_is_dropped_and_loaded_again_at_need() -> None:
    loads: list[str] = []
    dropped = threading.Event()
    worker = EngineWorker(
        lambda: loads.append("load") or "model",
        idle_timeout_s=0.01,
        on_dropped=dropped.set,
    )
    assert worker.submit(lambda model, token: model).future.result(_PATIENCE_S) == "model"

    assert dropped.wait(_PATIENCE_S)
    assert worker.asleep
    assert not worker.loaded

    assert worker.submit(lambda model, token: model).future.result(_PATIENCE_S) == "model"
    assert loads == ["load", "load"]
    assert worker.close(_PATIENCE_S)


def test_background_work_leaves_the_worker_idle_for_whoever_waits(
    worker: EngineWorker[str],
) -> None:
    running, waiting, asked = Gate(), Gate(), Gate()
    worker.submit(running, priority=Priority.DOCUMENT)
    assert running.entered.wait(_PATIENCE_S)
    worker.submit(waiting, priority=Priority.DOCUMENT)
    assert worker.idle
    job = worker.submit(asked, priority=Priority.REWRITE)
    assert not worker.idle
    running.released.set()
    assert asked.entered.wait(_PATIENCE_S)
    assert not waiting.entered.is_set()
    assert not worker.idle
    asked.released.set()
    waiting.released.set()
    job.future.result(_PATIENCE_S)
