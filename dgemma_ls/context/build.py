"""Put context from other files before a prefix, within a budget of tokens.

What changes least stands first, so that the engine's prefix cache keeps hitting: outlines of
imported files, then chunks of other documents, then settled edits. While one types in one place
none of them changes. Each part has a share of the budget that does not depend on the later parts.

Privacy is checked here, at each request, and not only when something was remembered: an ignore file
written since then counts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dgemma_ls.context.comments import line_comment
from dgemma_ls.context.edits import RecentEdit
from dgemma_ls.context.imports import imported_files
from dgemma_ls.context.lines import comment, split_lines
from dgemma_ls.context.outline import has_outline, outline
from dgemma_ls.context.ring import Chunk, chunk_around, similarity
from dgemma_ls.privacy import IgnoreFiles, Place, find_place, read_shared, why_not_shared
from dgemma_ls.syntax import language_for_path
from dgemma_ls.types import Snapshot

_OUTLINE_SHARE = 0.4
_OUTLINE_AND_CHUNKS_SHARE = 0.85
_MAX_FILES = 8  # to read for outlines
_TOO_SIMILAR = 0.5  # to the text around the cursor: the model would repeat it (llama.vim)
_LINES_AROUND = 48
_FEWEST_LINES = 3  # of a chunk that is cut to fit


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Comment lines that belong together, under a heading that says where they come from."""

    heading: str
    lines: tuple[str, ...]
    focus: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workspace:
    folders: Sequence[Path]
    ignore: IgnoreFiles


def build_context(
    snapshot: Snapshot,
    offset: int,
    *,
    workspace_folders: Sequence[Path],
    ignore: IgnoreFiles,
    chunks: Sequence[Chunk],
    edits: Sequence[RecentEdit],
    count_tokens: Callable[[str], int],
    budget_tokens: int,
) -> str:
    """Gather what other files say, as comment lines in the document's language.

    Reads files of the workspace, so it runs on the engine thread; all else is given.

    Args:
        snapshot: the document.
        offset: the cursor, code points.
        workspace_folders: absolute paths; nothing outside is used.
        ignore: remembers the ignore files.
        chunks: of a :class:`ChunkRing`, oldest first.
        edits: of :class:`RecentEdits`, oldest first.
        count_tokens: counts a text's tokens.
        budget_tokens: the most that the result may have.

    Returns:
        Text to stand before the document's own, ending with a line end; empty where there is
        nothing to say, or the language has no line comments. The same arguments and files give
        the same text.
    """
    marker = line_comment(snapshot.language_id)
    if marker is None or budget_tokens < 1:
        return ""
    workspace = _Workspace(folders=workspace_folders, ignore=ignore)
    counted = _Lines(marker, count_tokens)
    counted.add(_outlines(snapshot, workspace), int(_OUTLINE_SHARE * budget_tokens))
    # Newest first, as they matter most; within the text the oldest, which stays longest, leads.
    limit = int(_OUTLINE_AND_CHUNKS_SHARE * budget_tokens)
    counted.add(_chunks(snapshot, offset, chunks, workspace), limit, newest_first=True)
    counted.add(_edits(edits, workspace), budget_tokens, newest_first=True)
    return counted.text(budget_tokens)


class _Lines:
    """Comment lines that fit; each line is counted once, and the whole once at the end."""

    def __init__(self, marker: str, count_tokens: Callable[[str], int]) -> None:
        self._marker = marker
        self._count = count_tokens
        self._pieces: list[list[str]] = []
        self._n_tokens = 0

    def add(self, pieces: Iterator[_Piece], limit: int, *, newest_first: bool = False) -> None:
        """Add pieces while all lines together stay within ``limit`` tokens."""
        added: list[list[str]] = []
        for piece in pieces:
            lines = [comment(self._marker, line) for line in (piece.heading, *piece.lines)]
            costs = [self._count(line) for line in lines]
            room = limit - self._n_tokens - costs[0]
            first, end = _window(costs[1:], piece.focus, room)
            complete = end - first == len(piece.lines)
            if complete or end - first >= _FEWEST_LINES:
                added.append([lines[0], *lines[1 + first : 1 + end]])
                self._n_tokens += costs[0] + sum(costs[1 + first : 1 + end])
            if not complete:
                break
        self._pieces += reversed(added) if newest_first else added

    def text(self, budget: int) -> str:
        """Join the lines; counted as a whole, they must fit as well."""
        pieces = [list(piece) for piece in self._pieces]
        while pieces and self._count(text := "".join(map("".join, pieces))) > budget:
            pieces[-1].pop()
            if len(pieces[-1]) <= 1:  # only its heading is left
                pieces.pop()
        return text if pieces else ""


def _window(costs: Sequence[int], focus: int, room: int) -> tuple[int, int]:
    """Give the range of lines around ``focus`` whose costs fit into ``room``."""
    first = end = min(focus, len(costs))
    while True:
        below = end < len(costs) and costs[end] <= room
        above = first > 0 and costs[first - 1] <= room
        # In turns, beginning with the line at the focus.
        if below and (not above or end - focus <= focus - first):
            room -= costs[end]
            end += 1
        elif above:
            first -= 1
            room -= costs[first]
        else:
            return first, end


def _outlines(snapshot: Snapshot, workspace: _Workspace) -> Iterator[_Piece]:
    place = find_place(snapshot.uri, workspace.folders)
    if place is None or place.folder is None:
        return
    path, folder = place.paths[0], place.folder
    found = imported_files(snapshot.language_id, snapshot.text, path, folder)
    for imported in found[:_MAX_FILES]:
        language_id = language_for_path(imported.path)
        if not has_outline(language_id):
            continue
        text = read_shared(
            imported.path, workspace_folders=workspace.folders, ignore=workspace.ignore
        )
        if not isinstance(text, str):
            continue
        signatures = outline(language_id, text)
        wanted = [one for one in signatures if one.owner in imported.names] or signatures
        if wanted:
            name = imported.path.relative_to(folder).as_posix()
            yield _Piece(heading=f"{name} defines:", lines=tuple(one.line for one in wanted))


def _chunks(
    snapshot: Snapshot, offset: int, chunks: Sequence[Chunk], workspace: _Workspace
) -> Iterator[_Piece]:
    here = chunk_around(snapshot, offset, n_lines=_LINES_AROUND).text
    for chunk in reversed(chunks):
        if chunk.uri == snapshot.uri or similarity(chunk.text, here) > _TOO_SIMILAR:
            continue
        name = _shared_name(chunk.uri, chunk.text, workspace)
        if name is None:
            continue
        lines = split_lines(chunk.text)
        kept = [idx for idx, line in enumerate(lines) if line.strip()]
        yield _Piece(
            heading=f"From {name}:",
            lines=tuple(lines[idx] for idx in kept),
            focus=sum(idx < chunk.focus for idx in kept),
        )


def _edits(edits: Sequence[RecentEdit], workspace: _Workspace) -> Iterator[_Piece]:
    for edit in reversed(edits):
        name = _shared_name(edit.uri, edit.old + edit.new, workspace)
        if name is not None and (lines := edit.diff()):
            yield _Piece(heading=f"Changed in {name}:", lines=lines)


def _shared_name(uri: str, text: str, workspace: _Workspace) -> str | None:
    """Give a document's name in the workspace, or ``None`` where its text must not be used."""
    reason = why_not_shared(uri, text, workspace_folders=workspace.folders, ignore=workspace.ignore)
    place = None if reason else find_place(uri, workspace.folders)
    return None if place is None else _relative_name(place)


def _relative_name(place: Place) -> str | None:
    path, folder = place.paths[0], place.folder
    return None if folder is None else path.relative_to(folder).as_posix()
