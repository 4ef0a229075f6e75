"""Where ghost text goes: what it replaces, what it begins and ends with.

Three kinds of places:

- a cursor in a line that goes on: the span is empty;
- a cursor before nothing but closing brackets and quotes (``foo(║)``): they are the span, and every
  item writes them anew, so that one may close them itself and go on behind (``foo(║a).bar()``)
  and nothing is doubled. The engine sees them as the text after the gap;
- an item chosen in the editor's popup: its range is the span, and every item begins with its text.
"""

import re
from dataclasses import dataclass, replace

from dgemma_engine.types import Span
from dgemma_ls.features.leaves import LeafGap, leaf_gap
from dgemma_ls.types import Refusal, RefusalReason, Snapshot

# To the end of the line only what closes. Tabby's rule is "no word character" (``/^\W*$/``), which
# also takes operators.
_CLOSING = re.compile(r"[ \t;,:)\]}>\"'`]*")
_CLOSER = re.compile(r"[)\]}>\"'`]")
_LINE_BREAK = re.compile(r"[\r\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """The item that is chosen in the editor's popup: it would put ``text`` into ``span``."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a suggestion goes.

    Attributes:
        span: what it replaces; begins and ends on one line, as LSP 3.18 asks.
        head: what each suggestion begins with.
        tail: what it ends with, as far as it does not close the brackets itself.
    """

    span: Span
    head: str
    tail: str


def place_at(snapshot: Snapshot, offset: int, selected: Selected | None = None) -> Place | Refusal:
    """Find out what a suggestion at a cursor replaces.

    Args:
        snapshot: the document.
        offset: the cursor.
        selected: what is chosen in the editor's popup.

    Returns:
        A refusal if the chosen item replaces several lines, or not what is before the cursor.

    Raises:
        ValueError: if the cursor lies past the end of the text.
    """
    if offset > len(snapshot.text):
        raise ValueError(f"{offset=} lies after the text ({len(snapshot.text)} characters)")
    if selected is not None:
        old_text = snapshot.text[selected.span.start : selected.span.end]
        if _LINE_BREAK.search(old_text) or not _holds(selected.span, offset):
            return Refusal(reason=RefusalReason.NO_CANDIDATE)
        return Place(span=selected.span, head=selected.text, tail="")
    tail = closers_after(snapshot.text, offset)
    return Place(span=Span(start=offset, end=offset + len(tail)), head="", tail=tail)


def closers_after(text: str, offset: int) -> str:
    """Give what closes right of a cursor, if nothing else stands there up to the line's end."""
    match = _CLOSING.match(text, offset)
    assert match is not None  # it matches the empty text
    rest = match.group()
    ends_line = match.end() == len(text) or text[match.end()] in "\r\n"
    return rest.rstrip(" \t") if ends_line and _CLOSER.search(rest) else ""


def only_closes(text: str) -> bool:
    """Say whether a text has nothing but closing brackets, quotes and what goes with them."""
    return _CLOSING.fullmatch(text) is not None


def within_leaf(snapshot: Snapshot, place: Place) -> tuple[Place, LeafGap | None]:
    """Give the place in the text of a structured document that a place lies in; it parses.

    Returns:
        The place without what closes the text, and that text; the same place where it lies in none.
    """
    span = Span(start=place.span.start, end=place.span.end - len(place.tail))
    leaf = leaf_gap(snapshot, span)
    return (place, None) if leaf is None else (replace(place, span=span, tail=""), leaf)


def _holds(span: Span, offset: int) -> bool:
    return span.start <= offset <= span.end
