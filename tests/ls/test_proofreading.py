"""What is shown of a document's typos between two looks."""

import asyncio
from collections.abc import Awaitable, Callable

from dgemma_ls.proofreading import Proofreading
from dgemma_ls.session import Session
from tests.ls.sessions import BlockingEngine, a_session, insertion

URI = "file:///a.md"
TEXT = "You should recieve it, and it is a good idea to seperate it from the others.\n"


def check(test: Callable[[Session, Proofreading], Awaitable[None]]) -> None:
    """Run a test's coroutine with a document that was looked through."""

    async def run() -> None:
        with a_session(BlockingEngine()) as session:
            proofreading = Proofreading(session, folder_of=lambda uri: None)
            session.open(URI, 1, "markdown", TEXT)
            while (found := proofreading.found(URI)) is None or found.pending:
                await proofreading.news(URI)
            assert words(proofreading) == ["recieve", "seperate"]
            await test(session, proofreading)
            proofreading.close()

    asyncio.run(run())


def words(proofreading: Proofreading) -> list[str]:
    found = proofreading.found(URI)
    assert found is not None
    return [fix.old for fix in found.items]


def test_a_word_that_a_change_touches_is_unknown_until_the_next_look() -> None:
    async def test(session: Session, proofreading: Proofreading) -> None:
        session.change(URI, 2, [insertion("d", 0, 18)])  # "recieved"
        assert words(proofreading) == ["seperate"]

    check(test)


def test_words_elsewhere_stay_known_after_a_change() -> None:
    async def test(session: Session, proofreading: Proofreading) -> None:
        session.change(URI, 2, [insertion("Now: ", 0, 0)])
        assert words(proofreading) == ["recieve", "seperate"]

    check(test)


def test_a_document_that_is_looked_through_again_keeps_what_is_known() -> None:
    async def test(session: Session, proofreading: Proofreading) -> None:
        proofreading.look_again()
        assert words(proofreading) == ["recieve", "seperate"]
        found = await proofreading.complete(URI)
        assert found is not None
        assert [fix.old for fix in found] == ["recieve", "seperate"]

    check(test)
