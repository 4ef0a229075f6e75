"""What ``fix`` prints: lines for people, a patch, JSON, SARIF 2.1.0."""

import difflib
import json
import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from dgemma_ls.positions import LineIndex, PositionEncoding
from dgemma_ls.proofread.proposals import Kind
from dgemma_ls.proofread.types import Fix, Tier
from dgemma_ls.types import Snapshot
from dgemma_ls.version import VERSION

Found = Sequence[tuple[Snapshot, Sequence[Fix]]]

_MESSAGES = {
    Kind.NONWORD: "is no word",
    Kind.REALWORD: "is another word",
    Kind.DOUBLED: "stands twice",
    Kind.MISSING: "is missing",
    Kind.GRAMMAR: "does not agree",
}
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def message(fix: Fix) -> str:
    """Say in one line what is wrong and what should stand there."""
    if fix.kind is Kind.MISSING:
        return f"“{fix.new.strip()}” may be missing here"
    if not fix.new.strip():
        return f"“{fix.word}” is one too many"
    return f"“{fix.old}” should be “{fix.new}”"


def as_lines(found: Found) -> str:
    """Give a line for each fix, as compilers do."""
    rows = []
    for snapshot, fixes in found:
        index = LineIndex(snapshot.text)
        for fix in fixes:
            line, column = _place(index, fix.span.start)
            rows.append(
                f"{snapshot.uri}:{line}:{column}: {message(fix)} "
                f"[{fix.kind.value}, {fix.tier.value}, {fix.probability:.2f}]\n"
            )
    return "".join(rows)


def as_diff(snapshot: Snapshot, new_text: str) -> str:
    r"""Give a unified diff; for ``patch`` a line ends at ``\n`` only, whatever precedes it."""
    rows = difflib.unified_diff(
        _rows(snapshot.text),
        _rows(new_text),
        fromfile=f"a/{snapshot.uri}",
        tofile=f"b/{snapshot.uri}",
    )
    return "".join(
        row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows
    )


def as_json(found: Found) -> str:
    """Give one array with an object for each fix; lines and columns from 1, in characters."""
    rows = []
    for snapshot, fixes in found:
        index = LineIndex(snapshot.text)
        for fix in fixes:
            line, column = _place(index, fix.span.start)
            end_line, end_column = _place(index, fix.span.end)
            rows.append(
                {
                    "path": snapshot.uri,
                    "line": line,
                    "column": column,
                    "end_line": end_line,
                    "end_column": end_column,
                    "old": fix.old,
                    "new": fix.new,
                    "kind": fix.kind.value,
                    "tier": fix.tier.value,
                    "probability": round(fix.probability, 4),
                    "others": list(fix.others),
                }
            )
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def as_sarif(found: Found) -> str:
    """Give a SARIF log with a fix for each result."""
    results = []
    for snapshot, fixes in found:
        index = LineIndex(snapshot.text)
        results += [_result(snapshot, index, fix) for fix in fixes]
    driver = {
        "name": "dgemma-ls",
        "version": VERSION,
        "rules": [
            {"id": kind.value, "shortDescription": {"text": f"A word {said}"}}
            for kind, said in _MESSAGES.items()
        ],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, ensure_ascii=False) + "\n"


def _result(snapshot: Snapshot, index: LineIndex, fix: Fix) -> dict[str, Any]:
    line, column = _place(index, fix.span.start)
    end_line, end_column = _place(index, fix.span.end)
    region = {
        "startLine": line,
        "startColumn": column,
        "endLine": end_line,
        "endColumn": end_column,
    }
    artifact = {"uri": _uri(snapshot.uri)}
    replacement = {"deletedRegion": region, "insertedContent": {"text": fix.new}}
    return {
        "ruleId": fix.kind.value,
        "level": "warning" if fix.tier is Tier.SAFE else "note",
        "message": {"text": message(fix)},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
        "fixes": [
            {"artifactChanges": [{"artifactLocation": artifact, "replacements": [replacement]}]}
        ],
    }


def _uri(path: str) -> str:
    """Give a path as SARIF wants it: no relative one begins with a slash, and none has blanks."""
    return Path(path).as_uri() if Path(path).is_absolute() else quote(PurePath(path).as_posix())


def _place(index: LineIndex, offset: int) -> tuple[int, int]:
    position = index.position_at(offset, PositionEncoding.UTF32)
    return position.line + 1, position.character + 1


def _rows(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)
