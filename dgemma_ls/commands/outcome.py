"""What became of a place in a file, as a diff, as JSON, and as one line about the cost."""

import difflib
import json
import re
import sys
from collections.abc import Sequence

from dgemma_engine.types import InfillResult, Span
from dgemma_ls.features.fill import Proposal
from dgemma_ls.files import TextFile, write_text
from dgemma_ls.positions import LineIndex, PositionEncoding
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot

_REFUSALS = {
    RefusalReason.NO_CANDIDATE: "the model had nothing to offer",
    RefusalReason.BREAKS_PARSE: "every candidate would add a syntax error",
    RefusalReason.EMPTY: "the model would change nothing",
    RefusalReason.REPEATS_SUFFIX: "the model only repeats what follows",
    RefusalReason.STALE: "the file changed meanwhile",
    RefusalReason.CANCELLED: "cancelled",
    RefusalReason.DEADLINE: "the time was up before there was a candidate",
}


def conclude(
    file: TextFile,
    snapshot: Snapshot,
    lines: LineIndex,
    span: Span,
    result: InfillResult,
    outcome: list[Proposal] | Refusal,
    *,
    done: str,
    as_json: bool,
    write: bool,
) -> int:
    """Show what was found, and write the best of it if asked to.

    Args:
        file: the file.
        snapshot: its text.
        lines: its lines.
        span: what was to be replaced.
        result: the engine's answer.
        outcome: what of it may be shown.
        done: what was done, as a participle for the head of the diff.
        as_json: whether to print one JSON object instead of a diff.
        write: whether to write the best text to the file.

    Returns:
        The exit code: 0, or 1 if there is nothing to show.

    Raises:
        FileError: if the file cannot be written.
    """
    if write and not isinstance(outcome, Refusal):
        write_text(file, outcome[0].edit.apply(snapshot))
    if as_json:
        print(json.dumps(_as_json(lines, span, result, outcome)))
    elif not isinstance(outcome, Refusal):
        sys.stdout.write(_diff(snapshot, outcome[0].edit, done))
    # Only now, so that a reader who closed the pipe early learns of nothing.
    print(_summary(result, outcome), file=sys.stderr)
    return 1 if isinstance(outcome, Refusal) else 0


def _as_json(
    lines: LineIndex, span: Span, result: InfillResult, outcome: list[Proposal] | Refusal
) -> dict[str, object]:
    refused = outcome.reason.value if isinstance(outcome, Refusal) else None
    proposals = [] if isinstance(outcome, Refusal) else outcome
    return {
        "text": proposals[0].edit.new_text if proposals else None,
        "range": {"start": _json_place(lines, span.start), "end": _json_place(lines, span.end)},
        "candidates": [
            {"text": proposal.edit.new_text, "score": proposal.score} for proposal in proposals
        ],
        "forwards": result.forwards,
        "milliseconds": result.milliseconds,
        "refused": refused,
    }


def _json_place(lines: LineIndex, offset: int) -> dict[str, int]:
    position = lines.position_at(offset, PositionEncoding.UTF32)
    return {"line": position.line + 1, "column": position.character + 1}


def _diff(snapshot: Snapshot, edit: Edit, done: str) -> str:
    r"""Give a unified diff; for ``patch`` a line ends at ``\n`` only, whatever precedes it."""
    rows = difflib.unified_diff(
        _rows(snapshot.text),
        _rows(edit.apply(snapshot)),
        fromfile=snapshot.uri,
        tofile=f"{snapshot.uri} ({done})",
    )
    return "".join(
        row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows
    )


def _rows(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _summary(result: InfillResult, outcome: Sequence[Proposal] | Refusal) -> str:
    cost = f"{result.forwards} forwards, {result.milliseconds:.0f} ms"
    if isinstance(outcome, Refusal):
        return f"dgemma-ls: refused: {_REFUSALS[outcome.reason]} ({cost})"
    return cost
