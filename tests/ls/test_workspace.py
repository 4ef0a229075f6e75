"""What the engine is told of other files, from documents that are opened, edited and visited."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.documents import Change, DocumentStore
from dgemma_ls.elsewhere import context_budget
from dgemma_ls.positions import Position, PositionEncoding
from dgemma_ls.privacy import ReasonKind
from dgemma_ls.workspace import Workspace

HELPERS = "def area(width, height):\n    return width * height\n"
MAIN = "from helpers import area\n\nsize = area(\n"


def engine(context_tokens: int = 8192) -> Any:
    return SimpleNamespace(
        context_tokens=context_tokens,
        tokenizer=SimpleNamespace(encode=lambda text: text.split()),
    )


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.documents = DocumentStore()
        self.workspace = Workspace(self.documents)
        self.workspace.change_folders(added=[folder])

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        self.documents.open(self.uri(name), 1, "python", text)
        return self.uri(name)

    def replace(self, uri: str, line: int, *changes: tuple[int, int, str]) -> None:
        """Several ranges of one line, last first, as an editor with several cursors sends them."""
        before = self.documents.get(uri)
        assert before is not None
        made = [
            Change(text, (Position(line, start), Position(line, end)))
            for start, end, text in changes
        ]
        after = self.documents.change(uri, before.version + 1, made, PositionEncoding.UTF16)
        self.workspace.note_change(before, after)

    def context(self, uri: str, *, wanted: str = "auto", model: Any = None) -> str:
        snapshot = self.documents.get(uri)
        assert snapshot is not None
        elsewhere = self.workspace.elsewhere(snapshot, len(snapshot.text) - 1, wanted=wanted)
        return elsewhere.text(model or engine())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_imported_files_visited_places_and_settled_edits_are_told(desk: Desk) -> None:
    desk.open("helpers.py", HELPERS)
    other, main = desk.open("other.py", "total = 0\n" * 3), desk.open("main.py", MAIN)
    desk.context(other)
    desk.replace(other, 0, (0, 5, "count"))
    desk.replace(main, 2, (0, 4, "room"))

    text = desk.context(main)

    assert "# helpers.py defines:\n# def area(width, height):\n" in text
    assert "# From other.py:\n# total = 0\n" in text
    assert "# Changed in other.py:\n# -total = 0\n# +count = 0\n" in text
    assert "main.py" not in text  # it speaks for itself


def test_several_cursors_make_one_edit(desk: Desk) -> None:
    other, main = desk.open("other.py", "a = f(a, a)\n"), desk.open("main.py", MAIN)
    desk.replace(other, 0, (9, 10, "b"), (6, 7, "b"), (0, 1, "b"))
    desk.replace(main, 2, (0, 4, "room"))

    assert "# -a = f(a, a)\n# +b = f(b, b)\n" in desk.context(main)


def test_what_may_not_be_shared_is_not_told_even_if_it_was_seen_before(desk: Desk) -> None:
    other, main = desk.open("other.py", "total = 0\n" * 3), desk.open("main.py", MAIN)
    desk.context(other)
    assert "From other.py" in desk.context(main)

    (desk.folder / ".gitignore").write_text("other.py\n")

    assert "other.py" not in desk.context(main)


def test_while_one_types_the_context_stays_the_same(desk: Desk) -> None:
    desk.open("helpers.py", HELPERS)
    main = desk.open("main.py", MAIN)
    first = desk.context(main)
    seen = set()
    for column, key in enumerate("width", start=len("size = area(")):
        desk.replace(main, 2, (column, column, key))
        seen.add(desk.context(main))

    assert first
    assert seen == {first}


@pytest.mark.parametrize(
    ("wanted", "context_tokens", "budget"),
    [
        ("auto", 2047, 0),
        ("auto", 2048, 256),
        ("auto", 8192, 1024),
        ("on", 448, 56),
        ("on", 8192, 1024),
        ("off", 8192, 0),
    ],
)
def test_the_budget_is_an_eighth_where_the_window_is_large_enough(
    wanted: str, context_tokens: int, budget: int
) -> None:
    assert context_budget(engine(context_tokens), wanted) == budget


def test_a_small_window_is_left_to_the_document(desk: Desk) -> None:
    desk.open("helpers.py", HELPERS)
    main = desk.open("main.py", MAIN)

    assert desk.context(main, model=engine(448)) == ""
    assert desk.context(main, wanted="off") == ""
    assert desk.context(main, wanted="on", model=engine(448)) != ""


@given(n_tokens=st.integers(1, 40), n_lines=st.integers(0, 30))
def test_no_context_is_larger_than_its_budget(
    tmp_path_factory: pytest.TempPathFactory, n_tokens: int, n_lines: int
) -> None:
    desk = Desk(tmp_path_factory.mktemp("w"))
    other = desk.open("other.py", "".join(f"value_{n} = {n}\n" for n in range(n_lines)))
    main = desk.open("main.py", MAIN)
    desk.context(other)

    text = desk.context(main, wanted="on", model=engine(8 * n_tokens))

    assert len(text.split()) <= n_tokens


def test_the_watched_document_is_judged_anew(desk: Desk) -> None:
    uri = desk.open("a.py", "x = 1\n")
    assert desk.workspace.watch(uri) is None
    (desk.folder / ".dgemmaignore").write_text("a.py\n")

    desk.workspace.watch_again()

    assert desk.workspace.inactive is not None
    assert desk.workspace.inactive.kind is ReasonKind.IGNORED
    desk.workspace.note_closed(uri)
    assert desk.workspace.inactive is None
