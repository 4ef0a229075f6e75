"""Surprising words as diagnostics, hints all of them."""

from lsprotocol import types

from dgemma_ls import convert
from dgemma_ls.checking import Findings
from dgemma_ls.features.surprise import Doubt
from dgemma_ls.questions import View

CODE = "surprise"


def surprise_diagnostics(view: View, found: Findings[Doubt]) -> list[types.Diagnostic]:
    """Convert what was found in a document, the most surprising first."""
    return [to_diagnostic(view, doubt) for doubt in found.items]


def to_diagnostic(view: View, doubt: Doubt) -> types.Diagnostic:
    """Convert a doubt."""
    return types.Diagnostic(
        range=convert.to_range(view.range_of(doubt.span)),
        message=message(doubt),
        severity=types.DiagnosticSeverity.Hint,
        code=CODE,
        source="dgemma",
        data={"score": round(doubt.score, 2), "version": view.snapshot.version},
    )


def message(doubt: Doubt) -> str:
    """Say what is surprising."""
    said = f"“{doubt.text}” is unlikely here"
    return (
        f"{said}; the model would rather see “{doubt.alternative}”."
        if doubt.gain > 0
        else f"{said}."
    )
