"""A document that moves on, and a request that nobody wants any more."""

import asyncio
from collections.abc import Callable

import pytest

from dgemma_ls.documents import Change
from dgemma_ls.positions import Position
from dgemma_ls.session import Session

from .sessions import PATIENCE_S, URI, BlockingEngine, ask, check, inline, insertion


def test_the_snapshot_is_taken_when_the_request_arrives_not_when_it_is_awaited() -> None:
    """Taken later it would be of the changed text, at a place that meant the old one."""

    async def test(session: Session, engine: BlockingEngine) -> None:
        coroutine = inline(session, URI, Position(0, 4), invoked=True)
        session.change(URI, 2, [Change("something else\n")])

        assert await coroutine == []
        assert engine.calls == []

    check(test)


@pytest.mark.parametrize(
    "leave",
    [
        lambda session: session.change(URI, 2, [insertion("1", 0, 4)]),
        lambda session: session.close(URI),
        lambda session: session.open(URI, 1, "python", "another text"),
    ],
    ids=["change", "close", "open again"],
)
def test_a_document_that_moved_on_stops_the_engine_and_gives_nothing(
    leave: Callable[[Session], None],
) -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        request = ask(session)
        call = await engine.call(1)
        leave(session)

        assert await request == []
        assert await asyncio.to_thread(call.stopped.wait, PATIENCE_S)

    check(test)


def test_an_answer_that_is_there_when_the_change_arrives_is_not_given_out() -> None:
    """The engine is done, but the loop handles the change before the waiting task goes on."""

    async def test(session: Session, engine: BlockingEngine) -> None:
        request = ask(session)
        (await engine.call(1)).answer("1")
        # The loop stands still until the engine thread has nothing left to do.
        session.warm_up().future.result(PATIENCE_S)
        session.change(URI, 2, [insertion("1", 0, 4)])

        assert await request == []

    check(test)


def test_a_cancelled_request_stops_the_engine() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        request = ask(session)
        call = await engine.call(1)
        request.cancel()

        with pytest.raises(asyncio.CancelledError):
            await request
        assert await asyncio.to_thread(call.stopped.wait, PATIENCE_S)

    check(test)


def test_a_request_that_is_cancelled_before_it_starts_never_reaches_the_engine() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        request = ask(session)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request

        after = ask(session)
        (await engine.call(1)).answer("1")
        assert await after == [insertion("1", 0, 4)]
        assert len(engine.calls) == 1

    check(test)
