"""The one wait between a request and its answer, with an engine that blocks until it is let."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from dgemma_engine.errors import CheckpointError
from dgemma_engine.types import CancelToken, Candidate, InfillResult, SpanCheck, StopReason
from dgemma_ls.documents import Change
from dgemma_ls.positions import Position, PositionEncoding
from dgemma_ls.questions import RequestFailedError
from dgemma_ls.session import Session
from dgemma_ls.settings import Settings
from dgemma_ls.status import Status, StatusKind
from dgemma_ls.suggestions import Suggestions

_PATIENCE_S = 10.0  # only reached when a test fails
URI = "file:///a.py"


class Call:
    """One call of the engine: blocks until it is answered or its token trips."""

    def __init__(self, prefix: str, suffix: str, cancel: CancelToken) -> None:
        self.prefix = prefix
        self.suffix = suffix
        self._cancel = cancel
        self._answer: Sequence[str] | Exception | None = None
        self._answered = threading.Event()
        self.stopped = threading.Event()

    def answer(self, *texts: str) -> None:
        self._answer = texts
        self._answered.set()

    def fail(self, error: Exception) -> None:
        self._answer = error
        self._answered.set()

    def run(self) -> InfillResult:
        while not self._answered.wait(0.001):  # a step
            if (stop := self._cancel.stop_reason()) is not None:
                self.stopped.set()
                return InfillResult(candidates=(), stop=stop, forwards=1, milliseconds=1.0)
        if isinstance(self._answer, Exception):
            raise self._answer
        assert self._answer is not None
        candidates = tuple(
            Candidate(text=text, score=0.0, forwards=1, n_tokens=1) for text in self._answer
        )
        return InfillResult(
            candidates=candidates, stop=StopReason.STABLE, forwards=1, milliseconds=1.0
        )


class VirtualClock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class BlockingEngine:
    """Hands each of its calls to the test."""

    max_span_tokens = 64
    context_tokens = 448

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._more = threading.Condition()

    @property
    def tokenizer(self) -> "BlockingEngine":
        return self

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def infill(
        self,
        prefix: str,
        suffix: str,
        *,
        context: str = "",
        lengths: Sequence[int] | None = None,
        multiline: bool = False,
        n_candidates: int = 3,
        steps: int = 8,
        seed: int = 0,
        check: SpanCheck | None = None,
        cancel: CancelToken | None = None,
    ) -> InfillResult:
        assert cancel is not None
        call = Call(prefix, suffix, cancel)
        with self._more:
            self.calls.append(call)
            self._more.notify_all()
        return call.run()

    async def call(self, number: int) -> Call:
        """Wait for the call of this number, from 1, without blocking the loop."""
        await asyncio.to_thread(self._wait_for, number)
        return self.calls[number - 1]

    def _wait_for(self, number: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.calls) >= number, _PATIENCE_S)


@contextmanager
def a_session(
    engine: BlockingEngine,
    settings: Settings | None = None,
    encoding: PositionEncoding = PositionEncoding.UTF16,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Session]:
    settings = settings or Settings(deadline_ms=600_000)
    session = Session(settings, encoding, lambda _: engine, clock=clock)
    yield session
    assert session.shut_down(_PATIENCE_S)


def check(test: Callable[[Session, BlockingEngine], Awaitable[None]], **options: Any) -> None:
    """Run a test's coroutine with a session that has ``x = `` open in version 1."""

    async def run() -> None:
        engine = BlockingEngine()
        with a_session(engine, **options) as session:
            session.open(URI, 1, "python", "x = \n")
            await asyncio.wait_for(test(session, engine), _PATIENCE_S)

    asyncio.run(run())


def ask(
    session: Session, character: int = 4, *, invoked: bool = True
) -> asyncio.Task[list[Change]]:
    return _task(inline(session, URI, Position(0, character), invoked=invoked))


def inline(
    session: Session, uri: str, position: Position, *, invoked: bool
) -> Coroutine[Any, Any, list[Change]]:
    """Ask as the inline feature does, with nothing remembered from earlier requests."""
    pending = Suggestions(session).suggest(uri, position, invoked=invoked)

    async def texts() -> list[Change]:
        return [Change(one.text, one.range) for one in await pending()]

    return texts()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def _task(coroutine: Coroutine[Any, Any, list[Change]]) -> asyncio.Task[list[Change]]:
    return asyncio.ensure_future(coroutine)


def insertion(text: str, line: int, character: int) -> Change:
    position = Position(line, character)
    return Change(text, (position, position))


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


def test_the_snapshot_is_taken_when_the_request_arrives_not_when_it_is_awaited() -> None:
    """Taken later it would be of the changed text, at a place that meant the old one."""

    async def test(session: Session, engine: BlockingEngine) -> None:
        coroutine = inline(session, URI, Position(0, 4), invoked=True)
        session.change(URI, 2, [Change("something else\n")])

        assert await coroutine == []
        assert engine.calls == []

    check(test)


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
        two = _task(inline(session, "file:///b.py", Position(0, 4), invoked=True))
        (await engine.call(1)).answer("1")
        (await engine.call(2)).answer("2")

        assert await one == [insertion("1", 0, 4)]
        assert await two == [insertion("2", 0, 4)]

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
        assert await asyncio.to_thread(call.stopped.wait, _PATIENCE_S)

    check(test)


def test_another_document_in_focus_ends_the_automatic_requests_elsewhere() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        session.open("file:///b.py", 1, "python", "y = \n")
        automatic = ask(session, invoked=False)
        call = await engine.call(1)
        session.focus("file:///b.py")

        assert await automatic == []
        assert await asyncio.to_thread(call.stopped.wait, _PATIENCE_S)

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


def test_an_answer_that_is_there_when_the_change_arrives_is_not_given_out() -> None:
    """The engine is done, but the loop handles the change before the waiting task goes on."""

    async def test(session: Session, engine: BlockingEngine) -> None:
        request = ask(session)
        (await engine.call(1)).answer("1")
        # The loop stands still until the engine thread has nothing left to do.
        session.warm_up().future.result(_PATIENCE_S)
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
        assert await asyncio.to_thread(call.stopped.wait, _PATIENCE_S)

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
        other = _task(inline(session, "file:///b.py", Position(0, 4), invoked=True))
        call = await engine.call(1)
        request = ask(session, invoked=False)
        await asyncio.sleep(0)  # it is handed in, behind the other one
        clock.now_s += 1.0
        call.answer("1")

        assert await other == [insertion("1", 0, 4)]
        assert await request == []
        assert len(engine.calls) == 1

    check(test, settings=Settings(deadline_ms=900), clock=clock)


def test_within_the_debounce_a_newer_request_keeps_the_older_from_the_engine() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        session.open("file:///b.py", 1, "python", "y = \n")
        other = _task(inline(session, "file:///b.py", Position(0, 4), invoked=True))
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
        await asyncio.to_thread(_until, lambda: session.status.busy is False)
        request = ask(session, invoked=False)
        (await engine.call(1)).answer("1")

        assert await request == [insertion("1", 0, 4)]

    check(test, settings=Settings(debounce_ms=10_000))


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
        assert session.shut_down(_PATIENCE_S)

    asyncio.run(run())


def test_shutting_down_answers_what_is_open_with_nothing() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        session.open("file:///b.py", 1, "python", "y = \n")
        running = ask(session)
        await engine.call(1)
        waiting = _task(inline(session, "file:///b.py", Position(0, 4), invoked=True))
        await asyncio.sleep(0)
        session.shut_down(0.0)

        assert await running == []
        assert await waiting == []
        assert len(engine.calls) == 1

    check(test)


def test_new_settings_hold_for_the_next_request() -> None:
    async def test(session: Session, engine: BlockingEngine) -> None:
        session.configure(Settings(deadline_ms=1))

        assert await ask(session, invoked=False) == []  # the engine would block for ever

    check(test)
