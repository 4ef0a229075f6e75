"""A workspace on disk, the user in one document, and what the others contribute."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dgemma_engine.types import Span
from dgemma_ls.context import Chunk, ChunkRing, RecentEdit, RecentEdits, build_context
from dgemma_ls.context.comments import line_comment
from dgemma_ls.privacy import IgnoreFiles
from dgemma_ls.types import Edit, Snapshot
from tests.strategies import texts

MODEL = '''
class Model:
    """What is stored."""

    def save(self, path: str) -> None:
        write(path, self)

def load(path: str) -> Model:
    return read(path)
'''
MAIN = "from pkg.model import Model\n\nmodel = Model()\nmodel."
CANARY = "canary_word"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg" / "model.py").write_text(MODEL)
    (folder / "main.py").write_text(MAIN)
    return folder


def snapshot(path: Path, text: str, language_id: str = "python") -> Snapshot:
    return Snapshot(uri=path.as_uri(), version=1, language_id=language_id, text=text)


def chunks_of(*snapshots: Snapshot) -> tuple[Chunk, ...]:
    ring = ChunkRing()
    for one in snapshots:
        ring.visit(one, 0)
    return ring.chunks()


def edits_of(*snapshots: Snapshot) -> tuple[RecentEdit, ...]:
    """Each document's first word becomes ``changed``; the last edit is not settled yet."""
    edits = RecentEdits()
    for one in (*snapshots, Snapshot(uri="x", version=1, language_id="python", text="x")):
        span = Span(start=0, end=len(one.text.split()[0]))
        edits.record(one, Edit(uri=one.uri, version=1, span=span, new_text="changed"))
    return edits.settled()


def built(
    folder: Path,
    text: str = MAIN,
    *,
    language_id: str = "python",
    chunks: Sequence[Chunk] = (),
    edits: Sequence[RecentEdit] = (),
    count_tokens: Callable[[str], int] = len,
    budget: int = 10_000,
    folders: Sequence[Path] | None = None,
) -> str:
    return build_context(
        snapshot(folder / "main.py", text, language_id),
        len(text),
        workspace_folders=[folder] if folders is None else folders,
        ignore=IgnoreFiles(),
        chunks=chunks,
        edits=edits,
        count_tokens=count_tokens,
        budget_tokens=budget,
    )


def test_what_changes_least_stands_first(folder: Path) -> None:
    older = snapshot(folder / "older.py", "old = 1\n")
    newer = snapshot(folder / "newer.py", "new = 1\n\nother = 2\n")
    changed = snapshot(folder / "pkg" / "a.py", "first = 1\n")
    text = built(folder, chunks=chunks_of(older, newer), edits=edits_of(changed))
    assert (
        text
        == """\
# pkg/model.py defines:
# class Model:
#     def save(self, path: str) -> None:
# From older.py:
# old = 1
# From newer.py:
# new = 1
# other = 2
# Changed in pkg/a.py:
# -first = 1
# +changed = 1
"""
    )


def test_nothing_to_say_is_the_empty_text(folder: Path) -> None:
    assert built(folder, "x = 1\n") == ""
    assert built(folder, budget=0) == ""


def test_a_language_without_line_comments_gets_nothing(folder: Path) -> None:
    chunks = chunks_of(snapshot(folder / "a.py", "a = 1\n"))
    assert built(folder, "{}", language_id="json", chunks=chunks) == ""
    assert built(folder, "", language_id="lua", chunks=chunks) == "-- From a.py:\n-- a = 1\n"


def test_the_document_itself_and_what_resembles_the_place_are_left_out(folder: Path) -> None:
    here = "a = 1\nb = 2\nc = 3\n"
    chunks = chunks_of(
        snapshot(folder / "main.py", "from_here = 1\n"),
        snapshot(folder / "copy.py", "a = 1\nb = 2\nd = 4\n"),
        snapshot(folder / "other.py", "a = 1\ne = 5\nf = 6\n"),
    )
    assert built(folder, here, chunks=chunks) == "# From other.py:\n# a = 1\n# e = 5\n# f = 6\n"


def test_a_chunk_that_does_not_fit_is_cut_around_the_place_visited(folder: Path) -> None:
    text = "".join(f"line_{idx} = {idx}\n" for idx in range(10, 40))
    ring = ChunkRing()
    ring.visit(snapshot(folder / "a.py", text), text.index("line_25"))
    context = built(folder, "x", chunks=ring.chunks(), budget=100)
    assert (
        context == "# From a.py:\n# line_23 = 23\n# line_24 = 24\n# line_25 = 25\n# line_26 = 26\n"
    )


def test_later_parts_do_not_move_earlier_ones(folder: Path) -> None:
    long = "".join(f"value_{idx} = {idx}\n" for idx in range(40))
    chunks = chunks_of(snapshot(folder / "a.py", long))
    edits = edits_of(snapshot(folder / "b.py", "first = 1\n"))
    for budget in range(0, 1_500, 50):
        alone = built(folder, budget=budget, chunks=chunks)
        assert built(folder, budget=budget, chunks=chunks, edits=edits).startswith(alone)


def test_typing_on_changes_nothing(folder: Path) -> None:
    chunks = chunks_of(snapshot(folder / "a.py", "a = 1\n"))
    first = built(folder, MAIN, chunks=chunks)
    assert all(built(folder, MAIN + "save()"[:idx], chunks=chunks) == first for idx in range(7))


def test_secrets_and_what_lies_outside_or_is_ignored_contribute_nothing(
    folder: Path, tmp_path: Path
) -> None:
    (folder / ".gitignore").write_text("ignored.py\n")
    (folder / ".dgemmaignore").write_text("pkg/model.py\n")
    (folder / "link.py").symlink_to(tmp_path / "outside.py")
    (tmp_path / "outside.py").write_text(f"def {CANARY}(): ...\n")
    hidden = [
        snapshot(path, f"{CANARY} = 1\n")
        for path in (
            *(folder / ".env", folder / "secrets" / "a.py", folder / "ignored.py"),
            *(folder / "pkg" / "model.py", folder / "link.py", tmp_path / "outside.py"),
        )
    ]
    unsaved = Snapshot(uri="untitled:a", version=1, language_id="python", text=f"{CANARY} = 2\n")
    text = f"import link\n{MAIN}"
    for one in (*hidden, unsaved):
        assert built(folder, text, chunks=chunks_of(one), edits=edits_of(one)) == ""


def test_without_workspace_folders_nothing_is_read(folder: Path) -> None:
    chunks = chunks_of(snapshot(folder / "a.py", "a = 1\n"))
    assert built(folder, chunks=chunks, folders=[]) == ""


def test_an_ignore_file_written_later_counts(folder: Path) -> None:
    chunks = chunks_of(snapshot(folder / "a.py", "a = 1\n"))
    assert "a = 1" in built(folder, chunks=chunks)
    (folder / ".ignore").write_text("*\n")
    assert built(folder, chunks=chunks) == ""
    (folder / ".ignore").write_bytes(b"\xff")
    assert built(folder, chunks=chunks) == ""


def test_what_is_more_than_the_sum_of_its_lines_still_fits(folder: Path) -> None:
    chunks = chunks_of(snapshot(folder / "a.py", "a = 1\nb = 2\nc = 3\n"))
    edits = [RecentEdit(uri=(folder / "b.py").as_uri(), old="", new="d = 4\n")]

    def count(text: str) -> int:
        return len(text) + text.count("\n", 0, -1)

    for budget in range(400):
        text = built(folder, chunks=chunks, edits=edits, count_tokens=count, budget=budget)
        assert count(text) <= budget
        assert not text.endswith(":\n")  # no heading without lines


_COUNTERS: tuple[Callable[[str], int], ...] = (
    len,
    lambda text: len(text.split()),
    lambda text: len(text) // 4 + text.count("\n") ** 2,  # the whole is more than its lines
    lambda text: len(text.encode("utf-8", "surrogatepass")),
)
_names = st.sampled_from(["a.py", "pkg/b.py", ".env", "../outside.py", "id_rsa", "main.py"])
_code = st.one_of(texts(), texts(8).map(lambda text: f"{CANARY}\n{text}\nx = 1\n" * 3))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    opened=st.lists(st.tuples(_names, _code), max_size=5),
    here=_code,
    counter=st.sampled_from(_COUNTERS),
    budget=st.integers(-5, 600),
    language_id=st.sampled_from(["python", "javascript", "lua", "json"]),
)
def test_the_budget_holds_and_every_line_is_a_comment(
    folder: Path,
    opened: list[tuple[str, str]],
    here: str,
    counter: Callable[[str], int],
    budget: int,
    language_id: str,
) -> None:
    snapshots = [
        snapshot(
            folder / name, text if name in ("a.py", "pkg/b.py", "main.py") else f"{CANARY} secret\n"
        )
        for name, text in opened
    ]
    ring, edits = ChunkRing(max_chunks=4), RecentEdits(max_edits=3)
    for one in snapshots:
        ring.visit(one, len(one.text) // 2)
        edits.record(
            one, Edit(uri=one.uri, version=1, span=Span(start=0, end=0), new_text="changed ")
        )

    def again() -> str:
        return built(
            folder,
            here,
            language_id=language_id,
            chunks=ring.chunks(),
            edits=edits.settled(),
            count_tokens=counter,
            budget=budget,
        )

    text = again()
    assert text == again()
    if text:
        marker = line_comment(language_id)
        assert marker is not None
        assert counter(text) <= budget
        assert text.endswith("\n")
        # splitlines knows more line ends than any language.
        assert all(line.startswith(marker) for line in text.splitlines())
        assert "secret" not in text
