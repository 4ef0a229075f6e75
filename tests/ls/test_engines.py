"""Sessions that share an engine thread: one load, and one session's end is nobody else's."""

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest

from dgemma_engine.errors import OutOfMemoryError
from dgemma_engine.types import CancelToken
from dgemma_ls.engines import Engines, make_worker
from dgemma_ls.settings import Settings

PATIENCE_S = 30.0  # only reached when a test fails


class Fixture:
    def __init__(self) -> None:
        self.loads: list[Settings] = []
        self.engines = Engines(self.load)

    def load(self, settings: Settings) -> Any:
        self.loads.append(settings)
        return f"engine of {settings.model}"


@pytest.fixture
def shared() -> Iterator[Fixture]:
    fixture = Fixture()
    yield fixture
    assert fixture.engines.close(PATIENCE_S)


def test_two_leases_of_one_model_load_it_once(shared: Fixture) -> None:
    first, second = (shared.engines.lease(Settings(debounce_ms=ms)) for ms in (0, 10))
    answers = [
        lease.submit(lambda engine, token: engine).future.result(PATIENCE_S)
        for lease in (first, second)
    ]

    assert answers == ["engine of embedded"] * 2
    assert len(shared.loads) == 1


def test_another_model_or_device_is_another_engine(shared: Fixture) -> None:
    for settings in (Settings(), Settings(model="/m"), Settings(device="cuda:1")):
        shared.engines.lease(settings).warm_up().future.result(PATIENCE_S)

    assert len(shared.loads) == 3


def test_closing_a_lease_ends_its_own_jobs_only(shared: Fixture) -> None:
    leaving, staying = shared.engines.lease(Settings()), shared.engines.lease(Settings())
    running, go_on = threading.Event(), threading.Event()

    def blocked(engine: object, token: CancelToken) -> bool:
        running.set()
        go_on.wait(PATIENCE_S)
        return token.cancelled

    first = leaving.submit(blocked)
    assert running.wait(PATIENCE_S)
    queued = leaving.submit(lambda engine, token: "never")
    other = staying.submit(lambda engine, token: token.cancelled)
    assert leaving.close(0.0)
    go_on.set()

    assert first.future.result(PATIENCE_S) is True
    with pytest.raises(CancelledError):
        queued.future.result(PATIENCE_S)
    assert other.future.result(PATIENCE_S) is False
    assert staying.submit(lambda engine, token: "alive").future.result(PATIENCE_S) == "alive"


def test_a_closed_lease_takes_no_more_jobs(shared: Fixture) -> None:
    lease = shared.engines.lease(Settings())
    lease.close(0.0)

    with pytest.raises(CancelledError):
        lease.submit(lambda engine, token: "never").future.result(PATIENCE_S)


def test_a_load_error_is_seen_through_every_lease() -> None:
    def load(settings: Settings) -> Any:
        raise OSError("no such disk")

    engines = Engines(load)
    first, second = engines.lease(Settings()), engines.lease(Settings())
    with pytest.raises(OSError, match="no such disk"):
        first.warm_up().future.result(PATIENCE_S)

    assert isinstance(second.load_error, OSError)
    assert engines.close(PATIENCE_S)


def test_a_model_that_nobody_uses_stays_until_another_is_needed(shared: Fixture) -> None:
    first = shared.engines.lease(Settings())
    first.warm_up().future.result(PATIENCE_S)
    first.close(0.0)
    first.close(0.0)  # twice is once
    again = shared.engines.lease(Settings())
    again.warm_up().future.result(PATIENCE_S)
    assert len(shared.loads) == 1

    used = shared.engines.lease(Settings(model="/used"))
    again.close(0.0)
    shared.engines.lease(Settings(model="/other")).warm_up().future.result(PATIENCE_S)
    assert used.submit(lambda engine, token: engine).future.result(PATIENCE_S) == "engine of /used"
    with pytest.raises(CancelledError):
        first.submit(lambda engine, token: "never").future.result(PATIENCE_S)
    shared.engines.lease(Settings()).warm_up().future.result(PATIENCE_S)

    # Loaded once each while used, and the unused one once more when it was wanted again.
    models = [settings.model for settings in shared.loads]
    assert sorted(models) == ["/other", "/used", "embedded", "embedded"]


def test_where_the_cpu_has_no_memory_either_nothing_is_loaded_again() -> None:
    loads: list[str] = []

    def load(settings: Settings) -> Any:
        loads.append(settings.device)
        return settings.device

    def starve(device: Any, token: CancelToken) -> str:
        raise OutOfMemoryError(f"{device} has no memory left", device=device)

    for device in ("cuda", "cpu"):
        worker = make_worker(load, Settings(device=device))
        with pytest.raises(OutOfMemoryError, match="cpu has no memory left"):
            worker.submit(starve).future.result(PATIENCE_S)
        assert worker.close(PATIENCE_S)

    assert loads == ["cuda", "cpu", "cpu"]
