"""Deadlines, by a clock of the test's own."""

import asyncio

from dgemma_ls.positions import Position
from dgemma_ls.session import Session
from dgemma_ls.settings import Settings

from .sessions import BlockingEngine, VirtualClock, ask, check, inline, insertion, task


def test_an_automatic_request_stops_at_its_deadline() -> None:
    clock = VirtualClock()

    async def test(session: Session, engine: BlockingEngine) -> None:
        request = ask(session, invoked=False)
        call = await engine.call(1)
        clock.now_s += 1.0

        assert await request == []
        assert call.stopped.is_set()

    check(test, settings=Settings(deadline_ms=900), clock=clock)


def test_a_request_by_key_has_no_deadline() -> None:
    clock = VirtualClock()

    async def test(session: Session, engine: BlockingEngine) -> None:
        request = ask(session, invoked=True)
        call = await engine.call(1)
        clock.now_s += 1000.0
        call.answer("1")

        assert await request == [insertion("1", 0, 4)]

    check(test, settings=Settings(deadline_ms=900), clock=clock)


def test_a_deadline_that_passes_in_the_queue_spares_the_engine_the_work() -> None:
    clock = VirtualClock()

    async def test(session: Session, engine: BlockingEngine) -> None:
        session.open("file:///b.py", 1, "python", "y = \n")
        other = task(inline(session, "file:///b.py", Position(0, 4), invoked=True))
        call = await engine.call(1)
        request = ask(session, invoked=False)
        await asyncio.sleep(0)  # it is handed in, behind the other one
        clock.now_s += 1.0
        call.answer("1")

        assert await other == [insertion("1", 0, 4)]
        assert await request == []
        assert len(engine.calls) == 1

    check(test, settings=Settings(deadline_ms=900), clock=clock)
