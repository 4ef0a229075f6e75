"""The filters between engine and gate, one per file; their order stands here."""

from dgemma_engine.types import Span
from dgemma_ls.postprocess.context import FillContext
from dgemma_ls.postprocess.line_endings import use_line_endings
from dgemma_ls.postprocess.suffix_overlap import trim_suffix_overlap
from dgemma_ls.types import Refusal, Snapshot

__all__ = ["FillContext", "variants"]

_CLOSERS = ")]}\"'"


def variants(text: str, snapshot: Snapshot, span: Span) -> tuple[str, ...] | Refusal:
    """Give the texts to try for a candidate's, the most wanted first.

    Whether an overlap is a repetition only the parse can say: in ``f(g(├h(x))┤))`` the brackets
    belong to both sides, in ``f(├x)┤)`` they do not. So the second text is for when the gate
    refuses the first: uncut where the filter cut, without the bracket where it let a lone one be.
    """
    native = use_line_endings(text, snapshot)
    context = FillContext(snapshot=snapshot, span=span)
    trimmed = trim_suffix_overlap(native, context)
    if isinstance(trimmed, Refusal):
        return trimmed
    if trimmed != native:
        return trimmed, native
    closer = context.suffix[:1]
    if closer and closer in _CLOSERS and len(native) > 1 and native.endswith(closer):
        return native, native[:-1]
    return (native,)
