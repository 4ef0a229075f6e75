from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.context.lines import split_lines
from dgemma_ls.context.ring import ChunkRing, chunk_around, similarity
from dgemma_ls.types import Snapshot
from tests.strategies import texts


def snapshot(text: str, uri: str = "a") -> Snapshot:
    return Snapshot(uri=uri, version=1, language_id="python", text=text)


def numbered(n_lines: int, name: str = "line") -> str:
    return "".join(f"{name} {idx}\n" for idx in range(n_lines))


def check(before: str, n_lines: int, expect: str) -> None:
    """``║`` is the cursor; ``expect`` has it before the line that the user was at."""
    start, _, end = before.partition("║")
    chunk = chunk_around(snapshot(start + end), len(start), n_lines=n_lines)
    lines = split_lines(chunk.text)
    lines[chunk.focus : chunk.focus + 1] = ["║" + "".join(lines[chunk.focus : chunk.focus + 1])]
    assert "\n".join(lines) == expect


def test_a_chunk_has_as_many_lines_before_as_after() -> None:
    check("a\nb\nc║\nd\ne\n", 3, "b\n║c\nd")


def test_at_the_top_there_are_more_after_and_at_the_end_more_before() -> None:
    check("║a\nb\nc\nd\n", 3, "║a\nb\nc")
    check("a\nb\nc\nd║", 3, "b\nc\n║d")


def test_the_newest_chunks_are_kept_oldest_first() -> None:
    ring = ChunkRing(max_chunks=2)
    for name in ("x", "y", "z"):
        ring.visit(snapshot(numbered(9, name), uri=name), 0)
    assert [chunk.uri for chunk in ring.chunks()] == ["y", "z"]


def test_a_place_visited_again_is_kept_once_with_its_newest_text() -> None:
    ring = ChunkRing(chunk_lines=8)
    ring.visit(snapshot(numbered(40)), 100)
    ring.visit(snapshot(numbered(40, "b"), uri="b"), 0)
    ring.visit(snapshot(numbered(40).replace("line 12", "changed")), 110)
    assert [chunk.uri for chunk in ring.chunks()] == ["b", "a"]
    assert "changed" in ring.chunks()[1].text


def test_places_far_apart_in_one_document_are_two_chunks() -> None:
    ring = ChunkRing(chunk_lines=8)
    ring.visit(snapshot(numbered(90)), 0)
    ring.visit(snapshot(numbered(90)), 600)
    assert len(ring.chunks()) == 2


def test_a_near_duplicate_in_another_document_goes() -> None:
    ring = ChunkRing(chunk_lines=40)
    ring.visit(snapshot(numbered(40), uri="a"), 0)
    ring.visit(snapshot(numbered(40).replace("line 7\n", "other\n"), uri="copy"), 0)
    assert [chunk.uri for chunk in ring.chunks()] == ["copy"]


def test_blank_places_and_lines_of_data_are_not_remembered() -> None:
    ring = ChunkRing()
    ring.visit(snapshot(" \n\n"), 1)
    ring.visit(snapshot("x" * 30_000), 1)
    assert ring.chunks() == ()


def test_a_forgotten_document_leaves_no_text() -> None:
    ring = ChunkRing()
    ring.visit(snapshot("a = 1\n", uri="a"), 0)
    ring.visit(snapshot("b = 1\n", uri="b"), 0)
    ring.forget("a")
    assert [chunk.uri for chunk in ring.chunks()] == ["b"]


def test_similarity_counts_shared_lines_and_not_indentation() -> None:
    assert similarity("a\nb\n", "  b\n\n  a\n") == 1
    assert similarity("a\nb\n", "a\nc\n") == 0.5
    assert similarity("a\na\n", "a\n") == 2 / 3
    assert similarity("", "") == 0


@given(texts(), st.data(), st.integers(1, 8))
def test_a_chunk_is_whole_lines_of_its_document_around_the_cursor(
    text: str, data: st.DataObject, n_lines: int
) -> None:
    offset = data.draw(st.integers(0, len(text)))
    chunk = chunk_around(snapshot(text), offset, n_lines=n_lines)
    end = chunk.start + len(chunk.text)
    assert text[chunk.start : end] == chunk.text
    assert chunk.start <= offset <= end
    assert chunk.start == 0 or text[chunk.start - 1] == "\n"
    assert end == len(text) or text[end - 1] == "\n"
    assert chunk.text.count("\n") <= n_lines
