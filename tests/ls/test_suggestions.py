"""What is asked of the engine, and what is answered without it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from dgemma_engine.types import InfillResult, StopReason
from dgemma_ls.documents import Change
from dgemma_ls.positions import Position, PositionEncoding
from dgemma_ls.session import Session
from dgemma_ls.settings import Settings
from dgemma_ls.statistics import read_statistics
from dgemma_ls.suggestions import Offered, Suggestions
from dgemma_ls.types import Snapshot
from tests.engines import Asked, StandIn, result

_PATIENCE_S = 10.0  # only reached when a test fails
URI = "file:///a.py"


class ScriptedEngine(StandIn):
    """Answers at once with what the test put down, and keeps what it was asked."""

    def __init__(self) -> None:
        self.texts: tuple[str, ...] = ("value", "other")
        self.stop = StopReason.STABLE
        self.asked: list[tuple[str, str, bool]] = []

    def fill(self, asked: Asked) -> InfillResult:
        self.asked.append((asked.prefix, asked.suffix, asked.multiline))
        return result(*self.texts, stop=self.stop)


class Editor:
    """An editor with one document; what it types, it types at the cursor ║."""

    def __init__(
        self,
        text: str,
        *,
        wants_multiline: Callable[[Snapshot, int], bool] | None = None,
        statistics_file: str = "",
    ) -> None:
        self.engine = ScriptedEngine()
        settings = Settings(deadline_ms=600_000, statistics_file=statistics_file)
        self.session = Session(settings, PositionEncoding.UTF16, lambda _: self.engine)
        self.suggestions = (
            Suggestions(self.session)
            if wants_multiline is None
            else Suggestions(self.session, wants_multiline=wants_multiline)
        )
        before, _, after = text.partition("║")
        self.version = 1
        self.line = before.count("\n")
        self.character = len(before.rpartition("\n")[2])
        self.session.open(URI, 1, "python", before + after)

    @property
    def cursor(self) -> Position:
        return Position(self.line, self.character)

    def type(self, text: str) -> None:
        self.version += 1
        change = Change(text, (self.cursor, self.cursor))
        self.session.change(URI, self.version, [change])
        self.character += len(text)

    async def suggest(self, *, invoked: bool = False, version: int | None = None) -> list[Offered]:
        pending = self.suggestions.suggest(URI, self.cursor, invoked=invoked, version=version)
        return await pending()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def in_time() -> None:
        await asyncio.wait_for(test(), _PATIENCE_S)

    asyncio.run(in_time())


def texts(offered: Sequence[Offered]) -> list[str]:
    return [one.text for one in offered]


def test_what_is_typed_along_is_offered_on_without_the_engine() -> None:
    async def test() -> None:
        editor = Editor("x = ║\n")
        first = await editor.suggest()
        editor.type("v")
        second = await editor.suggest()
        editor.type("alu")  # as if a part was accepted
        third = await editor.suggest(invoked=True)

        assert (texts(first), texts(second), texts(third)) == (["value", "other"], ["alue"], ["e"])
        assert third[0].range == (Position(0, 8), Position(0, 8))
        assert first[0].id == second[0].id == third[0].id
        assert len(editor.engine.asked) == 1
        assert editor.session.counters["typed_through"] == 2

    run(test)


def test_what_is_typed_otherwise_is_asked_anew() -> None:
    async def test() -> None:
        editor = Editor("x = ║\n")
        await editor.suggest()
        editor.type("w")
        editor.engine.texts = ("here",)

        assert texts(await editor.suggest()) == ["here"]
        assert [prefix for prefix, _, _ in editor.engine.asked] == ["x = ", "x = w"]

    run(test)


def test_a_draft_is_offered_and_asked_anew_when_a_key_asks() -> None:
    async def test() -> None:
        editor = Editor("x = ║\n")
        editor.engine.stop = StopReason.DEADLINE
        assert texts(await editor.suggest()) == ["value", "other"]
        assert texts(await editor.suggest()) == ["value", "other"]
        assert len(editor.engine.asked) == 1

        editor.engine.stop = StopReason.STABLE
        editor.engine.texts = ("better",)
        assert texts(await editor.suggest(invoked=True)) == ["better"]
        assert len(editor.engine.asked) == 2

    run(test)


def test_another_version_than_ours_gets_nothing() -> None:
    async def test() -> None:
        editor = Editor("x = ║\n")
        editor.type("y")

        assert await editor.suggest(version=1) == []
        assert editor.engine.asked == []
        assert texts(await editor.suggest(version=2)) == ["value", "other"]

    run(test)


def test_closers_right_of_the_cursor_are_replaced() -> None:
    async def test() -> None:
        editor = Editor("f(║)\n")
        (one, other) = await editor.suggest()

        assert editor.engine.asked == [("f(", ")\n", False)]
        assert (one.text, one.range) == ("value)", (Position(0, 2), Position(0, 3)))
        assert (other.text, other.range) == ("other)", one.range)

    run(test)


def test_the_item_chosen_in_the_popup_is_built_upon() -> None:
    async def test() -> None:
        editor = Editor("x = pr║\n")
        editor.engine.texts = ("(1)",)
        chosen = (Position(0, 4), Position(0, 6))
        pending = editor.suggestions.suggest(
            URI, editor.cursor, invoked=False, selected=(chosen, "print")
        )
        (one,) = await pending()

        assert editor.engine.asked == [("x = print", "\n", False)]
        assert (one.text, one.range) == ("print(1)", chosen)

        editor.type("int")  # along the chosen item, which goes on to be a suggestion
        assert texts(await editor.suggest()) == ["(1)"]
        assert len(editor.engine.asked) == 1

    run(test)


def test_what_is_shown_does_not_stand_in_for_the_item_chosen_in_the_popup() -> None:
    async def test() -> None:
        editor = Editor("x = ║\n")
        await editor.suggest()
        editor.engine.texts = ("(1)",)
        here = (editor.cursor, editor.cursor)
        pending = editor.suggestions.suggest(
            URI, editor.cursor, invoked=False, selected=(here, "print")
        )

        assert texts(await pending()) == ["print(1)"]

    run(test)


def test_several_lines_are_asked_for_where_the_predicate_wants_them() -> None:
    async def test() -> None:
        seen: list[tuple[str, int]] = []

        def wants_multiline(snapshot: Snapshot, offset: int) -> bool:
            seen.append((snapshot.text, offset))
            return True

        editor = Editor("def f():\n    ║\n", wants_multiline=wants_multiline)
        editor.engine.texts = ("x = 1\n    return x",)
        (one,) = await editor.suggest()

        assert seen == [("def f():\n    \n", 13)]
        assert editor.engine.asked[0][2] is True
        assert one.text == "x = 1\n    return x"
        assert one.range == (editor.cursor, editor.cursor)

    run(test)


def test_the_begun_word_is_named() -> None:
    async def test() -> None:
        editor = Editor("x = total_║\n")

        assert [one.word for one in await editor.suggest()] == ["total_", "total_"]

    run(test)


def test_a_closed_document_is_forgotten() -> None:
    async def test() -> None:
        editor = Editor("x = ║\n")
        await editor.suggest()
        editor.session.close(URI)
        editor.suggestions.forget(URI)
        editor.session.open(URI, 1, "python", "x = \n")
        await editor.suggest()

        assert len(editor.engine.asked) == 2

    run(test)


def test_only_what_was_offered_is_counted() -> None:
    async def test() -> None:
        editor = Editor("x = ║\n")
        one, other = await editor.suggest()
        editor.suggestions.note_shown(one.id)
        editor.suggestions.note_partly_accepted(one.id)
        editor.suggestions.note_accepted(other.id)
        editor.suggestions.note_accepted("unknown")

        assert editor.session.counters == {
            "answered": 1,
            "shown": 1,
            "partly_accepted": 1,
            "accepted": 1,
        }

    run(test)


def test_of_an_item_that_was_taken_in_part_that_part_is_counted(tmp_path: Path) -> None:
    async def test() -> None:
        editor = Editor("x = ║\n", statistics_file=str(tmp_path / "s.json"))
        editor.engine.texts = ("'\U0001f980ab'",)
        (one,) = await editor.suggest()
        editor.suggestions.note_partly_accepted(one.id, 4)  # of UTF-16: the crab has two
        editor.suggestions.close()

        assert read_statistics(tmp_path / "s.json")["python"].accepted_chars == 3

    run(test)
