"""Looks through open documents: when they begin and end, and what is known meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from dgemma_engine.errors import CheckpointError
from dgemma_engine.types import CancelToken, Span
from dgemma_ls.checking import Checking
from dgemma_ls.documents import Change
from dgemma_ls.edits import Replacement, carry_span
from dgemma_ls.features.fill import Infiller
from dgemma_ls.positions import Position, PositionEncoding
from dgemma_ls.session import Session
from dgemma_ls.settings import Settings
from dgemma_ls.types import Snapshot
from tests.ls.sessions import PATIENCE_S, URI, BlockingEngine, a_session, insertion


@dataclass(frozen=True)
class Mark:
    span: Span


@dataclass
class MarkLook:
    """Finds the x of a text, one in each slice."""

    snapshot: Snapshot
    marks: list[Mark] = field(default_factory=list)
    done: bool = False
    n_new: int = 0
    fails: bool = False

    def run(self, engine: Infiller, token: CancelToken) -> bool:
        if self.fails:
            raise ValueError("a mistake of ours")
        start = self.marks[-1].span.end if self.marks else 0
        at = self.snapshot.text.find("x", start)
        if at < 0:
            self.done = True
        else:
            self.marks.append(Mark(Span(start=at, end=at + 1)))
        return self.done

    def found(self, older: Sequence[Mark]) -> Sequence[Mark]:
        end = self.marks[-1].span.end if self.marks else 0
        return self.marks + [mark for mark in older if mark.span.start >= end and not self.done]


class Marks(Checking[Mark]):
    name = "marks"

    def __init__(self, session: Session, *, pause_s: float = 0.0) -> None:
        super().__init__(session, pause_s=pause_s)
        self.fails = False
        self.wanted = True
        self.looks: list[MarkLook] = []
        self.heard: list[str] = []
        self.on_news = self.heard.append

    def _is_wanted(self, snapshot: Snapshot) -> bool:
        return self.wanted

    async def _begin(self, snapshot: Snapshot) -> MarkLook:
        self.looks.append(MarkLook(snapshot, fails=self.fails))
        return self.looks[-1]

    def _carry(self, item: Mark, change: Replacement) -> Mark | None:
        span = carry_span(item.span, [change])
        return None if span is None else replace(item, span=span)


def starts(marks: Marks, uri: str = URI) -> list[int] | None:
    found = marks.found(uri)
    return None if found is None else [mark.span.start for mark in found.items]


async def settled(marks: Marks, uri: str = URI) -> None:
    while (found := marks.found(uri)) is not None and found.pending:
        await marks.news(uri)


async def turns() -> None:
    """Give the loop the time to begin what need not wait."""
    for _ in range(20):
        await asyncio.sleep(0)


def check(test: Callable[[Session, Marks], Awaitable[None]], *, pause_s: float = 0.0) -> None:
    """Run a test's coroutine with a session that has ``x a x`` open."""

    async def run() -> None:
        with a_session(BlockingEngine()) as session:
            marks = Marks(session, pause_s=pause_s)
            session.open(URI, 1, "python", "x a x\n")
            await asyncio.wait_for(test(session, marks), PATIENCE_S)
            marks.close()

    asyncio.run(run())


def test_an_opened_document_is_looked_through_at_once_however_long_the_pause() -> None:
    async def test(session: Session, marks: Marks) -> None:
        assert starts(marks) == []
        await settled(marks)
        assert starts(marks) == [0, 4]
        while len(marks.heard) < 3:  # two found, and the end
            await asyncio.sleep(0.001)
        assert set(marks.heard) == {URI}

    check(test, pause_s=1e6)


def test_what_was_found_moves_along_until_the_next_look() -> None:
    async def test(session: Session, marks: Marks) -> None:
        await settled(marks)
        session.change(URI, 2, [insertion("bb ", 0, 2)])
        found = marks.found(URI)
        assert found is not None
        assert found.snapshot is session.document(URI)
        assert found.pending
        assert starts(marks) == [0, 7]
        session.change(URI, 3, [insertion("y", 0, 0)])
        assert starts(marks) == [1, 8]
        assert len(marks.looks) == 1

    check(test, pause_s=1e6)


def test_what_a_change_reached_into_is_forgotten() -> None:
    async def test(session: Session, marks: Marks) -> None:
        await settled(marks)
        session.change(URI, 2, [Change("y", (Position(0, 4), Position(0, 5)))])
        assert starts(marks) == [0]

    check(test, pause_s=1e6)


def test_a_new_version_is_looked_through_and_the_look_at_the_old_one_stops() -> None:
    async def test(session: Session, marks: Marks) -> None:
        session.change(URI, 2, [insertion("x", 0, 2)])
        session.change(URI, 3, [insertion("x", 0, 2)])
        await settled(marks)
        assert starts(marks) == [0, 2, 3, 6]
        assert [look.snapshot.version for look in marks.looks] == [3]

    check(test)


def test_a_version_with_the_same_text_is_looked_through_too() -> None:
    async def test(session: Session, marks: Marks) -> None:
        await settled(marks)
        session.change(URI, 2, [])
        found = marks.found(URI)
        assert found is not None
        assert found.pending
        assert starts(marks) == [0, 4]

    check(test, pause_s=1e6)


def test_a_closed_document_is_unknown_and_whoever_waits_is_told() -> None:
    async def test(session: Session, marks: Marks) -> None:
        await settled(marks)
        session.change(URI, 2, [insertion("x", 0, 2)])
        waiting = asyncio.ensure_future(marks.news(URI))
        await asyncio.sleep(0)
        marks.heard.clear()
        session.close(URI)
        await waiting
        assert marks.found(URI) is None
        assert marks.heard == [URI]

    check(test, pause_s=1e6)


def test_settings_decide_anew_what_is_looked_at() -> None:
    async def test(session: Session, marks: Marks) -> None:
        await settled(marks)
        marks.wanted = False
        session.configure(Settings())
        assert marks.found(URI) is None
        marks.wanted = True
        session.configure(Settings())
        await settled(marks)
        assert starts(marks) == [0, 4]
        marks.heard.clear()
        session.configure(Settings())
        assert marks.heard  # what is shown may depend on them
        assert len(marks.looks) == 2

    check(test, pause_s=1e6)


def test_a_change_that_makes_a_document_wanted_is_a_change() -> None:
    async def test(session: Session, marks: Marks) -> None:
        marks.wanted = False
        session.change(URI, 2, [])
        assert marks.found(URI) is None
        marks.wanted = True
        session.change(URI, 3, [insertion("x", 0, 2)])
        await turns()
        assert starts(marks) == []
        assert marks.looks == []

    check(test, pause_s=1e6)


def test_without_an_engine_nothing_is_begun() -> None:
    def load(settings: Settings) -> Infiller:
        raise CheckpointError("there are no weights")

    async def test() -> None:
        session = Session(Settings(), PositionEncoding.UTF16, load)
        marks = Marks(session)
        with pytest.raises(CheckpointError):
            await asyncio.wrap_future(session.warm_up().future)
        session.open(URI, 1, "python", "x a x\n")
        await settled(marks)
        assert starts(marks) == []
        assert marks.looks == []
        assert session.shut_down(PATIENCE_S)

    asyncio.run(asyncio.wait_for(test(), PATIENCE_S))


def test_looking_again_keeps_what_is_known_until_it_has_come_there() -> None:
    async def test(session: Session, marks: Marks) -> None:
        await settled(marks)
        marks.look_again()
        assert starts(marks) == [0, 4]
        await settled(marks)
        assert len(marks.looks) == 2

    check(test, pause_s=1e6)


def test_a_look_that_fails_is_over_and_the_next_one_is_not() -> None:
    async def test(session: Session, marks: Marks) -> None:
        marks.fails = True
        await settled(marks)
        assert starts(marks) == []
        marks.fails = False
        session.change(URI, 2, [insertion("x", 0, 0)])
        await settled(marks)
        assert starts(marks) == [0, 1, 5]

    check(test)


def test_who_waits_no_longer_than_a_time_is_let_go() -> None:
    async def test(session: Session, marks: Marks) -> None:
        await settled(marks)
        await marks.news(URI, timeout_s=0.01)
        await marks.news("file:///unknown")

    check(test)


def test_after_the_end_nothing_is_said_and_nothing_known() -> None:
    async def test(session: Session, marks: Marks) -> None:
        marks.close()
        assert marks.heard == []
        assert marks.found(URI) is None

    check(test)
