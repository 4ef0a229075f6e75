import pytest

from dgemma_ls.scheduler import Scheduler
from dgemma_ls.settings import Settings


class VirtualClock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def scheduler(clock: VirtualClock) -> Scheduler:
    return Scheduler(Settings(debounce_ms=50, deadline_ms=400), clock=clock)


def test_a_newer_request_supersedes_the_older_one_of_the_same_document(
    scheduler: Scheduler,
) -> None:
    first, nobody = scheduler.admit("a.py", invoked=True)
    second, superseded = scheduler.admit("a.py", invoked=False)

    assert nobody is None
    assert superseded == first
    assert not scheduler.is_newest(first)
    assert scheduler.is_newest(second)


def test_documents_do_not_disturb_each_other(scheduler: Scheduler) -> None:
    first, _ = scheduler.admit("a.py", invoked=False)
    second, superseded = scheduler.admit("b.py", invoked=False)

    assert superseded is None
    assert scheduler.is_newest(first)
    assert scheduler.is_newest(second)


def test_an_answered_request_supersedes_nothing_and_is_not_superseded(
    scheduler: Scheduler,
) -> None:
    first, _ = scheduler.admit("a.py", invoked=False)
    scheduler.release(first)

    second, superseded = scheduler.admit("a.py", invoked=False)

    assert superseded is None
    assert second.number > first.number


def test_releasing_an_older_request_leaves_the_newest(scheduler: Scheduler) -> None:
    first, _ = scheduler.admit("a.py", invoked=False)
    second, _ = scheduler.admit("a.py", invoked=False)

    scheduler.release(first)

    assert scheduler.is_newest(second)


def test_dropping_a_document_ends_its_newest_request_only(scheduler: Scheduler) -> None:
    ticket, _ = scheduler.admit("a.py", invoked=False)
    other, _ = scheduler.admit("b.py", invoked=False)

    assert scheduler.drop("a.py") == [ticket]
    assert scheduler.drop("a.py") == []
    assert not scheduler.is_newest(ticket)
    assert scheduler.is_newest(other)


def test_an_automatic_request_waits_out_the_debounce_within_its_deadline(
    scheduler: Scheduler, clock: VirtualClock
) -> None:
    ticket, _ = scheduler.admit("a.py", invoked=False)
    assert scheduler.wait_s(ticket) == pytest.approx(0.050)
    assert scheduler.left_s(ticket) == pytest.approx(0.400)

    clock.now_s += 0.1
    assert scheduler.wait_s(ticket) == 0.0
    assert scheduler.left_s(ticket) == pytest.approx(0.300)

    clock.now_s += 10
    assert scheduler.left_s(ticket) == 0.0


def test_an_idle_engine_needs_no_debounce(scheduler: Scheduler) -> None:
    ticket, _ = scheduler.admit("a.py", invoked=False, engine_idle=True)

    assert scheduler.wait_s(ticket) == 0.0


def test_the_debounce_follows_the_rhythm_of_typing(
    scheduler: Scheduler, clock: VirtualClock
) -> None:
    def wait_after(interval_s: float) -> float:
        for _ in range(30):
            clock.now_s += interval_s
            scheduler.note_change()
        ticket, _ = scheduler.admit("a.py", invoked=False)
        return scheduler.wait_s(ticket)

    assert wait_after(0.020) == pytest.approx(0.030, rel=0.01)
    assert wait_after(0.010) == pytest.approx(0.015, rel=0.01)
    assert wait_after(0.500) == pytest.approx(0.050)  # never more than debounce_ms


def test_a_pause_is_no_rhythm(scheduler: Scheduler, clock: VirtualClock) -> None:
    for interval_s in (0.0, 0.02, 60.0, 0.02):
        clock.now_s += interval_s
        scheduler.note_change()
    ticket, _ = scheduler.admit("a.py", invoked=False)

    assert scheduler.wait_s(ticket) == pytest.approx(0.030)


def test_features_do_not_supersede_each_other_and_are_dropped_together(
    scheduler: Scheduler,
) -> None:
    inline, _ = scheduler.admit("a.py", feature="inline", invoked=True)
    popup, superseded = scheduler.admit("a.py", feature="completion", invoked=False)

    assert superseded is None
    assert scheduler.drop("a.py") == [inline, popup]


def test_what_is_not_looked_at_is_dropped_unless_somebody_asked(scheduler: Scheduler) -> None:
    scheduler.admit("seen.py", invoked=False)
    scheduler.admit("asked.py", invoked=True)
    elsewhere, _ = scheduler.admit("elsewhere.py", invoked=False)

    assert scheduler.drop_unseen("seen.py") == [elsewhere]


def test_a_request_by_key_starts_at_once_and_has_no_deadline(
    scheduler: Scheduler, clock: VirtualClock
) -> None:
    ticket, _ = scheduler.admit("a.py", invoked=True)
    clock.now_s += 1000

    assert scheduler.wait_s(ticket) == 0.0
    assert scheduler.left_s(ticket) is None
