"""A session for tests, with an engine that blocks until it is let."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dgemma_engine.types import CancelToken, InfillResult
from dgemma_ls.documents import Change
from dgemma_ls.positions import Position, PositionEncoding
from dgemma_ls.session import Session
from dgemma_ls.settings import Settings
from dgemma_ls.suggestions import Suggestions
from tests.engines import Asked, StandIn, result

PATIENCE_S = 10.0  # only reached when a test fails
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
                return result(stop=stop, milliseconds=1.0)
        if isinstance(self._answer, Exception):
            raise self._answer
        assert self._answer is not None
        return result(*self._answer, milliseconds=1.0)


class VirtualClock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class BlockingEngine(StandIn):
    """Hands each of its calls to the test."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._more = threading.Condition()

    def fill(self, asked: Asked) -> InfillResult:
        assert asked.cancel is not None
        call = Call(asked.prefix, asked.suffix, asked.cancel)
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
            assert self._more.wait_for(lambda: len(self.calls) >= number, PATIENCE_S)


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
    assert session.shut_down(PATIENCE_S)


def check(test: Callable[[Session, BlockingEngine], Awaitable[None]], **options: Any) -> None:
    """Run a test's coroutine with a session that has ``x = `` open in version 1."""

    async def run() -> None:
        engine = BlockingEngine()
        with a_session(engine, **options) as session:
            session.open(URI, 1, "python", "x = \n")
            await asyncio.wait_for(test(session, engine), PATIENCE_S)

    asyncio.run(run())


def ask(
    session: Session, character: int = 4, *, invoked: bool = True
) -> asyncio.Task[list[Change]]:
    return task(inline(session, URI, Position(0, character), invoked=invoked))


def inline(
    session: Session, uri: str, position: Position, *, invoked: bool
) -> Coroutine[Any, Any, list[Change]]:
    """Ask as the inline feature does, with nothing remembered from earlier requests."""
    pending = Suggestions(session).suggest(uri, position, invoked=invoked)

    async def texts() -> list[Change]:
        return [Change(one.text, one.range) for one in await pending()]

    return texts()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def task(coroutine: Coroutine[Any, Any, list[Change]]) -> asyncio.Task[list[Change]]:
    return asyncio.ensure_future(coroutine)


def insertion(text: str, line: int, character: int) -> Change:
    position = Position(line, character)
    return Change(text, (position, position))
