"""Ghost text at the cursor: a fill whose span is empty, on one line.

Pure, as :mod:`dgemma_ls.features.fill`, on which it stands.
"""

from dgemma_engine.types import InfillResult, Span
from dgemma_ls.features import fill
from dgemma_ls.features.fill import FillRequest
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.types import Edit, Refusal, Snapshot


def prepare(snapshot: Snapshot, offset: int) -> FillRequest:
    """Ask for what may stand at a cursor; never more than the rest of one line.

    Raises:
        ValueError: if the cursor lies past the end of the text.
    """
    return fill.prepare(snapshot, _cursor(offset))


def gate_check(snapshot: Snapshot, offset: int) -> GateCheck:
    """Make what the engine asks whether a text may be shown at a cursor."""
    return GateCheck(snapshot, _cursor(offset))


def finish(
    snapshot: Snapshot,
    offset: int,
    result: InfillResult,
    *,
    limit: int | None = None,
    check: GateCheck | None = None,
) -> list[Edit] | Refusal:
    """Turn the engine's answer into insertions at the cursor, best first, or say why none.

    Args:
        snapshot: the document as it was when :func:`prepare` saw it.
        offset: the cursor.
        result: the engine's answer.
        limit: how many insertions are wanted at most.
        check: the one that the engine asked.
    """
    return fill.finish(snapshot, _cursor(offset), result, limit=limit, check=check)


def _cursor(offset: int) -> Span:
    # Empty, so it begins and ends on one line, as LSP 3.18 asks of an item's range.
    return Span(start=offset, end=offset)
