"""Holes that take one kind of text only. Pure.

Numbers alone: told that a number is wanted, the model is right more often; told of a name or a
string, it is not (``docs/infill.md``, figures by ``benchmarks/slots.py``).
"""

import re

from dgemma_engine.types import Slot, SlotKind, Span
from dgemma_ls.syntax import node_kind_at
from dgemma_ls.types import Snapshot

_NUMBER_KIND = re.compile(r"(?:int|integer|float|floating_point|real|number)(?:_[a-z]+)?\Z")
_NUMBER = re.compile(r"(?<![\w.])\d[\w.]*(?![\w.])")


def slot_for(snapshot: Snapshot, span: Span) -> Slot | None:
    """Give the slot of a hole in which a number stands, a literal as the tree has it."""
    match = _NUMBER.match(snapshot.text, span.start)
    if match is None or match.end() != span.end:
        return None
    kind = node_kind_at(snapshot, span.start)
    if kind is None or not _NUMBER_KIND.search(kind):
        return None
    return Slot(kind=SlotKind.NUMBER)
