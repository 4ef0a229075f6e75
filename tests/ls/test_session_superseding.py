"""Which of several requests is answered: the newest of its document and feature."""

import asyncio

from dgemma_ls.positions import Position
from dgemma_ls.session import Session
from dgemma_ls.settings import Settings
from dgemma_ls.suggestions import Suggestions

from .sessions import PATIENCE_S, URI, BlockingEngine, ask, check, inline, insertion, task, until


def test_a_newer_request_stops_the_older_one_which_is_answered_with_nothing() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        older = ask(session)
        first = await engine.call(1)
        newer = ask(session, invoked=False)

        assert await older == []
        second = await engine.call(2)
        assert first.stopped.is_set()
        second.answer("1")
        assert await newer == [insertion("1", 0, 4)]

    check(test)


def test_of_many_requests_at_once_only_the_newest_reaches_the_engine() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        requests = [ask(session, invoked=False) for _ in range(5)]
        (await engine.call(1)).answer("1")

        assert await asyncio.gather(*requests) == [[], [], [], [], [insertion("1", 0, 4)]]
        assert len(engine.calls) == 1

    check(test)


def test_requests_for_other_documents_go_on() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        session.open("file:///b.py", 1, "python", "y = \n")
        one = ask(session)
        two = task(inline(session, "file:///b.py", Position(0, 4), invoked=True))
        (await engine.call(1)).answer("1")
        (await engine.call(2)).answer("2")

        assert await one == [insertion("1", 0, 4)]
        assert await two == [insertion("2", 0, 4)]

    check(test)


def test_another_document_in_focus_ends_the_automatic_requests_elsewhere() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        session.open("file:///b.py", 1, "python", "y = \n")
        automatic = ask(session, invoked=False)
        call = await engine.call(1)
        session.focus("file:///b.py")

        assert await automatic == []
        assert await asyncio.to_thread(call.stopped.wait, PATIENCE_S)

        asked_for = ask(session)
        call = await engine.call(2)
        session.focus("file:///b.py")
        call.answer("1")
        assert await asked_for == [insertion("1", 0, 4)]

    check(test)


def test_features_of_one_document_do_not_supersede_each_other() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        suggestions = Suggestions(session)
        requests = [
            asyncio.ensure_future(
                suggestions.suggest(URI, Position(0, 4), invoked=False, feature=feature)()
            )
            for feature in ("inline", "completion")
        ]
        (await engine.call(1)).answer("1")
        (await engine.call(2)).answer("2")

        assert [(await request)[0].text for request in requests] == ["1", "2"]

    check(test)


def test_within_the_debounce_a_newer_request_keeps_the_older_from_the_engine() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        session.open("file:///b.py", 1, "python", "y = \n")
        other = task(inline(session, "file:///b.py", Position(0, 4), invoked=True))
        busy = await engine.call(1)
        older = ask(session, invoked=False)
        await asyncio.sleep(0)
        newer = ask(session, invoked=True)
        busy.answer("0")
        (await engine.call(2)).answer("1")

        assert await other == [insertion("0", 0, 4)]
        assert await older == []
        assert await newer == [insertion("1", 0, 4)]
        assert len(engine.calls) == 2

    check(test, settings=Settings(debounce_ms=10_000))


def test_an_idle_engine_is_asked_without_a_debounce() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        await asyncio.wrap_future(session.warm_up().future)
        await asyncio.to_thread(until, lambda: session.status.busy is False)
        request = ask(session, invoked=False)
        (await engine.call(1)).answer("1")

        assert await request == [insertion("1", 0, 4)]

    check(test, settings=Settings(debounce_ms=10_000))


def test_shutting_down_answers_what_is_open_with_nothing() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        session.open("file:///b.py", 1, "python", "y = \n")
        running = ask(session)
        await engine.call(1)
        waiting = task(inline(session, "file:///b.py", Position(0, 4), invoked=True))
        await asyncio.sleep(0)
        session.shut_down(0.0)

        assert await running == []
        assert await waiting == []
        assert len(engine.calls) == 1

    check(test)
