"""What a request is answered with: by whom, in which encoding, after which errors."""

import asyncio

import pytest

from dgemma_engine.errors import CheckpointError
from dgemma_ls.positions import Position, PositionEncoding
from dgemma_ls.questions import RequestFailedError
from dgemma_ls.session import Session
from dgemma_ls.settings import Settings
from dgemma_ls.status import Status, StatusKind

from .sessions import PATIENCE_S, URI, BlockingEngine, ask, check, inline, insertion


def test_suggestions_come_best_first_as_insertions_at_the_cursor() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        request = ask(session)
        call = await engine.call(1)
        call.answer("1", "2")

        assert (call.prefix, call.suffix) == ("x = ", "\n")
        assert await request == [insertion("1", 0, 4), insertion("2", 0, 4)]

    check(test)


@pytest.mark.parametrize(
    ("encoding", "end_of_line"),
    [(PositionEncoding.UTF8, 8), (PositionEncoding.UTF16, 6), (PositionEncoding.UTF32, 5)],
)
def test_positions_are_in_the_editors_encoding(
    encoding: PositionEncoding, end_of_line: int
) -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        session.open(URI, 1, "python", 'a="🦀"\n')
        session.change(URI, 2, [insertion(" + ", 0, end_of_line)])
        request = ask(session, end_of_line + 3)
        call = await engine.call(1)
        call.answer("b")

        assert call.prefix == 'a="🦀" + '
        assert await request == [insertion("b", 0, end_of_line + 3)]

    check(test, encoding=encoding)


def test_what_breaks_the_parse_or_shows_nothing_is_not_given_out() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        request = ask(session)
        (await engine.call(1)).answer("(", "  ", "1")

        assert await request == [insertion("1", 0, 4)]

    check(test)


def test_a_document_that_is_not_open_has_no_suggestions_and_no_changes() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        session.change("file:///other.py", 2, [insertion("1", 0, 0)])
        session.close("file:///other.py")

        other = inline(session, "file:///other.py", Position(0, 0), invoked=True)
        assert await other == []
        assert engine.calls == []

    check(test)


def test_a_failing_engine_fails_a_request_by_key_and_the_session_lives() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        request = ask(session)
        (await engine.call(1)).fail(ValueError("about x = "))
        with pytest.raises(RequestFailedError, match=r"^The engine failed \(ValueError\); its log"):
            await request

        automatic = ask(session, invoked=False)
        (await engine.call(2)).fail(ValueError("about x = "))
        assert await automatic == []

        after = ask(session)
        (await engine.call(3)).answer("1")
        assert await after == [insertion("1", 0, 4)]

    check(test)


def test_a_model_that_cannot_be_loaded_is_tried_again_by_key_only() -> None:
    loads: list[str] = []

    def load(settings: Settings) -> BlockingEngine:
        loads.append(settings.model)
        raise CheckpointError("model.safetensors is cut short")

    async def run() -> None:
        session = Session(Settings(model="m"), PositionEncoding.UTF16, load)
        session.open(URI, 1, "python", "x = \n")
        with pytest.raises(CheckpointError):
            await asyncio.wrap_future(session.warm_up().future)

        assert await ask(session, invoked=False) == []
        assert loads == ["m"]
        with pytest.raises(RequestFailedError, match="is cut short"):
            await ask(session)
        assert loads == ["m", "m"]
        assert session.shut_down(PATIENCE_S)

    asyncio.run(run())


def test_new_settings_hold_for_the_next_request() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        session.configure(Settings(deadline_ms=1))

        assert await ask(session, invoked=False) == []  # the engine would block for ever

    check(test)


def test_the_status_says_what_the_session_does() -> None:
    statuses: list[Status] = []

    async def test(session: Session, engine: BlockingEngine) -> None:
        session.on_status = lambda: statuses.append(session.status)
        assert session.status.busy  # it is not loaded
        assert session.status.message == "Loading the model."
        await asyncio.wrap_future(session.warm_up().future)
        request = ask(session)
        (await engine.call(1)).answer("1")
        await request

        assert [status.busy for status in statuses] == [True, False]
        assert all(status.kind is StatusKind.NORMAL for status in statuses)
        assert session.counters == {"answered": 1}

    check(test)
