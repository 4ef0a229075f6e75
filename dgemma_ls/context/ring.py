"""Where the user has been lately: a bounded ring of chunks of open documents.

Source of the idea and of its thresholds: ggml-org/llama.vim, ``ring_*``.
"""

from collections import Counter, deque
from dataclasses import dataclass
from functools import lru_cache

from dgemma_ls.context.lines import split_lines
from dgemma_ls.types import Snapshot

_MAX_CHARS = 20_000  # of a chunk; more are lines of data
_SAME = 0.9  # two chunks more alike than this are one, seen twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some lines of a document as they were when the user was there.

    Attributes:
        uri: the document.
        start: offset of its first character then.
        text: whole lines, at most as many as the ring's chunks have.
        focus: index of the line that the user was at.
    """

    uri: str
    start: int
    text: str
    focus: int


class ChunkRing:
    """The newest chunks, oldest first. Belongs to the event loop; :meth:`chunks` is a value."""

    def __init__(self, *, max_chunks: int = 16, chunk_lines: int = 48) -> None:
        """Make an empty ring.

        Args:
            max_chunks: at least 1; beyond it the oldest chunk goes.
            chunk_lines: at least 1; lines of a chunk.
        """
        self._chunks: deque[Chunk] = deque(maxlen=max_chunks)
        self._chunk_lines = chunk_lines

    def visit(self, snapshot: Snapshot, offset: int) -> None:
        """Remember the lines around a place: where an edit, the cursor or an opened range is."""
        chunk = chunk_around(snapshot, offset, n_lines=self._chunk_lines)
        if not chunk.text.strip() or len(chunk.text) > _MAX_CHARS:
            return
        for old in [old for old in self._chunks if _overlap(old, chunk) or _is_same(old, chunk)]:
            self._chunks.remove(old)
        self._chunks.append(chunk)

    def forget(self, uri: str) -> None:
        """Drop what came from a document, as one that may no longer be read."""
        for old in [old for old in self._chunks if old.uri == uri]:
            self._chunks.remove(old)

    def chunks(self) -> tuple[Chunk, ...]:
        """Give the chunks, oldest first."""
        return tuple(self._chunks)


def chunk_around(snapshot: Snapshot, offset: int, *, n_lines: int) -> Chunk:
    """Cut whole lines around an offset, as many before it as after it where there are as many."""
    text = snapshot.text
    start = text.rfind("\n", 0, offset) + 1
    first = _up(text, start, n_lines // 2)
    end = _down(text, first, n_lines)
    n_after = len(split_lines(text[start:end]))
    first = _up(text, start, n_lines - n_after)  # more of them near the end of the text
    chunk = text[first:end]
    return Chunk(
        uri=snapshot.uri,
        start=first,
        text=chunk,
        focus=len(split_lines(text[first:start])),
    )


def similarity(text: str, other: str) -> float:
    """Say how alike two texts are by the lines they share: 0 for nothing, 1 for the same lines.

    Indentation, blank lines and the order of lines do not count.
    """
    lines, others = _line_counts(text), _line_counts(other)
    total = lines.total() + others.total()
    return 2 * (lines & others).total() / total if total else 0.0


@lru_cache(maxsize=64)  # chunks are compared again at each visit; nobody may change the result
def _line_counts(text: str) -> Counter[str]:
    return Counter(stripped for line in split_lines(text) if (stripped := line.strip()))


def _is_same(chunk: Chunk, other: Chunk) -> bool:
    return similarity(chunk.text, other.text) > _SAME


def _overlap(chunk: Chunk, other: Chunk) -> bool:
    """Say whether two chunks of one document share more than half of the shorter one."""
    if chunk.uri != other.uri:
        return False
    start = max(chunk.start, other.start)
    end = min(chunk.start + len(chunk.text), other.start + len(other.text))
    return 2 * (end - start) > min(len(chunk.text), len(other.text))


def _up(text: str, start: int, n_lines: int) -> int:
    for _ in range(n_lines):
        if start == 0:
            break
        start = text.rfind("\n", 0, start - 1) + 1
    return start


def _down(text: str, start: int, n_lines: int) -> int:
    for _ in range(n_lines):
        end = text.find("\n", start)
        if end < 0:
            return len(text)
        start = end + 1
    return start
