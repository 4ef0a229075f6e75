"""Offers while somebody types: what is dropped, and what nobody wants."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from dgemma_engine.types import CancelToken, Place, Span, TokenReading
from dgemma_ls.documents import Change
from dgemma_ls.next_edits import NextEdits, OfferedEdit
from dgemma_ls.positions import Position
from dgemma_ls.session import Session
from tests.ls.sessions import PATIENCE_S, URI, BlockingEngine, a_session, insertion

TEXT = "total = 1\n" + "".join(f"print({n}, total)\n" for n in range(4))


class Engine(BlockingEngine):
    """Finds every wording as likely as every other."""

    def read(
        self, text: str, *, window: int | None = None, cancel: CancelToken | None = None
    ) -> list[TokenReading]:
        return [TokenReading(span=Span(start=0, end=len(text)), margin=0.0, surprisal=0.0)]

    def compare(
        self, text: str, places: Sequence[Place], *, cancel: CancelToken | None = None
    ) -> list[tuple[float, ...]]:
        return [tuple(0.0 for _ in place.texts) for place in places]


def check(test: Callable[[Session, NextEdits], Awaitable[None]]) -> None:
    """Run a test's coroutine with a session in which ``total`` has become ``product`` once."""

    async def run() -> None:
        with a_session(Engine()) as session:
            next_edits = NextEdits(session)
            session.open(URI, 1, "python", TEXT)
            session.change(URI, 2, [Change("product", (Position(0, 0), Position(0, 5)))])
            await asyncio.wait_for(test(session, next_edits), PATIENCE_S)
            assert session.counters["failed"] == 0

    asyncio.run(run())


async def offered(next_edits: NextEdits) -> OfferedEdit | None:
    found = await next_edits.suggest(URI, Position(0, 7))()
    return found[0] if found else None


def line_of(offer: OfferedEdit | None) -> int:
    assert offer is not None
    return offer.range[0].line


def test_two_rejected_places_speak_for_all_others() -> None:
    async def test(session: Session, next_edits: NextEdits) -> None:
        for line in (1, 2):
            offer = await offered(next_edits)
            assert offer is not None
            assert line_of(offer) == line
            next_edits.reject(offer.id)
        assert await offered(next_edits) is None

    check(test)


def test_an_offer_that_is_typed_into_is_made_no_more() -> None:
    async def test(session: Session, next_edits: NextEdits) -> None:
        first = await offered(next_edits)
        assert line_of(first) == 1
        session.change(URI, 3, [insertion(" ", 1, 11)])
        assert line_of(await offered(next_edits)) == 2

    check(test)


def test_an_offer_keeps_its_name_while_somebody_types_elsewhere() -> None:
    async def test(session: Session, next_edits: NextEdits) -> None:
        first = await offered(next_edits)
        session.change(URI, 3, [insertion("# a note\n", 0, 0)])
        second = await offered(next_edits)
        assert first is not None
        assert second is not None
        assert (second.id, second.version, line_of(second)) == (first.id, 3, 2)

    check(test)


def test_a_closed_document_is_forgotten() -> None:
    async def test(session: Session, next_edits: NextEdits) -> None:
        assert await offered(next_edits) is not None
        session.close(URI)
        assert await offered(next_edits) is None

    check(test)
