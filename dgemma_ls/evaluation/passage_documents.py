"""Passages as the documents that an editor would open, and edits of those as edits of lines."""

from bisect import bisect_right

from dgemma_engine.types import Span
from dgemma_ls.evaluation.fix_scores import LineEdit, Passage
from dgemma_ls.features.typos import language_for_proofreading
from dgemma_ls.types import Snapshot


def as_snapshot(passage: Passage) -> Snapshot | None:
    """Give a passage as a document; ``None`` for unknown languages."""
    language_id = language_for_proofreading(passage.path)
    if language_id is None:
        return None
    text = "".join(line + "\n" for line in passage.lines)
    return Snapshot(uri=passage.path, version=0, language_id=language_id, text=text)


def to_line_edit(passage: Passage, span: Span, text: str) -> LineEdit:
    """Give an edit of :func:`as_snapshot`'s text as one of a line.

    Args:
        passage: it.
        span: what is replaced; its start says on which line.
        text: by what.
    """
    starts = [0]
    for line in passage.lines:
        starts.append(starts[-1] + len(line) + 1)
    number = bisect_right(starts, span.start) - 1
    return LineEdit(number, span.start - starts[number], span.end - starts[number], text)
