"""Ghost text at the cursor: a fill whose span holds at most what an editor closed by itself.

Pure, as :mod:`dgemma_ls.features.fill`, on which it stands. Three kinds of places:

- a cursor in a line that goes on: the span is empty;
- a cursor before nothing but closing brackets and quotes (``foo(║)``): they are the span, and every
  item writes them anew, so that one may close them itself and go on behind (``foo(║a).bar()``)
  and nothing is doubled. The engine sees them as the text after the gap;
- an item chosen in the editor's popup: its range is the span, and every item begins with its text.

In a text of a structured document all of them stand for that text alone: what closes it stays as it
is, and what the engine reads and writes is plain text (:mod:`dgemma_ls.features.leaves`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dgemma_engine.types import CancelToken, InfillResult, Origin, Span, StopReason
from dgemma_ls.features.fill import FillRequest, Infiller
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.features.leaves import LeafGap, leaf_gap
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """An edit that passed the gate, and who proposed it."""

    edit: Edit
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one request.

    Attributes:
        suggestions: best first, at least one.
        complete: false if the deadline cut the engine short: asked again, it may know better.
    """

    suggestions: tuple[Suggestion, ...]
    complete: bool


def one_line(snapshot: Snapshot, offset: int) -> bool:
    """Never want several lines; the shape of whatever decides that."""
    return False


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


def prepare(
    snapshot: Snapshot,
    place: Place,
    *,
    multiline: bool = False,
    before: str = "",
    leaf: LeafGap | None = None,
) -> FillRequest:
    """Ask for what may stand at a place; ``before`` is read as if the document began with it."""
    if leaf is not None:
        return FillRequest(
            prefix=before + leaf.prefix + place.head,
            suffix=leaf.suffix,
            multiline=multiline and leaf.may_break,
            lengths=None,
        )
    return FillRequest(
        prefix=before + snapshot.text[: place.span.start] + place.head,
        suffix=place.tail + snapshot.text[place.span.end :],
        multiline=multiline,
        lengths=None,
    )


def ask(
    engine: Infiller,
    snapshot: Snapshot,
    place: Place,
    *,
    multiline: bool,
    limit: int,
    before: str = "",
    context: str = "",
    seed: int = 0,
    cancel: CancelToken | None = None,
) -> Answer | Refusal:
    """Have the engine find texts for a place, and gate them; runs on the engine thread.

    Args:
        engine: finds them.
        snapshot: the document.
        place: of :func:`place_at`.
        multiline: whether they may have several lines.
        limit: how many are wanted at most.
        before: text before the document that is no part of it, as the cells above a cell.
        context: what other files say.
        seed: of the request.
        cancel: asked at every step.
    """
    place, leaf = within_leaf(snapshot, place)
    request = prepare(snapshot, place, multiline=multiline, before=before, leaf=leaf)
    check = PlaceCheck(snapshot, place, in_leaf=leaf is not None)
    result = engine.infill(
        request.prefix,
        request.suffix,
        context=context,
        lengths=request.lengths,
        multiline=request.multiline,
        n_candidates=limit,
        seed=seed,
        check=check,
        cancel=cancel,
    )
    return finish(snapshot, place, result, limit=limit, check=check)


class PlaceCheck:
    """The gate for the texts that the engine finds for a place; a ``dgemma_engine.SpanCheck``."""

    def __init__(self, snapshot: Snapshot, place: Place, *, in_leaf: bool = False) -> None:
        """Take the document and the place; ``in_leaf`` as :func:`within_leaf` gives it."""
        self._place = place
        self._gate = GateCheck(snapshot, place.span)
        if in_leaf:
            self._gate.enter_leaf()

    @property
    def first_refusal(self) -> Refusal | None:
        """The refusal of the text that was asked about first."""
        return self._gate.first_refusal

    def verdict(self, text: str) -> Edit | Refusal:
        """Give the edit that may be shown for a text, or say why none may."""
        if not text.strip():
            return Refusal(reason=RefusalReason.EMPTY)
        refusal = Refusal(reason=RefusalReason.REPEATS_SUFFIX)
        for whole in _with_tail(self._place.head + text, self._place.tail):
            verdict = self._gate.verdict(whole)
            if isinstance(verdict, Refusal):
                refusal = verdict
            elif _keeps_head(verdict, self._place):
                return verdict
        return refusal

    def bad_spans(self, text: str) -> tuple[Span, ...]:
        """Give the parts of a text that keep it from being shown."""
        if isinstance(self.verdict(text), Edit):
            return ()
        n_head, n_text = len(self._place.head), len(text)
        bad = self._gate.bad_spans(self._place.head + text + self._place.tail)
        inside = [
            Span(
                start=min(max(span.start - n_head, 0), n_text),
                end=min(max(span.end - n_head, 0), n_text),
            )
            for span in bad
        ]
        return tuple(inside) or (Span(start=0, end=n_text),)


def finish(
    snapshot: Snapshot,
    place: Place,
    result: InfillResult,
    *,
    limit: int | None = None,
    check: PlaceCheck | None = None,
) -> Answer | Refusal:
    """Turn the engine's answer into suggestions, best first, or say why there is none.

    Args:
        snapshot: the document as it was when :func:`prepare` saw it.
        place: where they go.
        result: the engine's answer; a draft that the deadline left is as good as any.
        limit: how many are wanted at most; those after them are not even parsed.
        check: the one that the engine asked, which need not parse again.
    """
    check = check or PlaceCheck(snapshot, place)
    if result.stop is StopReason.CANCELLED:
        return Refusal(reason=RefusalReason.CANCELLED)
    late = result.stop is StopReason.DEADLINE
    found: dict[str, Suggestion] = {}  # by text, as filters can make two candidates the same
    refusals: list[Refusal] = []
    for candidate in result.candidates:
        verdict = check.verdict(candidate.text)
        if isinstance(verdict, Refusal):
            refusals.append(verdict)
        else:
            suggestion = Suggestion(edit=verdict, origin=candidate.origin)
            found.setdefault(verdict.new_text, suggestion)
        if len(found) == limit:
            break
    if found:
        return Answer(suggestions=tuple(found.values()), complete=not late)
    # When nothing passes, what the engine liked best tells most.
    if refusals:
        return refusals[0]
    if result.n_refused and check.first_refusal is not None:
        return check.first_refusal
    return Refusal(reason=RefusalReason.DEADLINE if late else RefusalReason.NO_CANDIDATE)


def _with_tail(text: str, tail: str) -> Iterator[str]:
    """Give a text with what it may not have closed itself, the whole tail first.

    Each character of the tail is in what comes out, in its order, or an editor could not show it
    as ghost text around what is there.
    """
    yield text + tail
    place = 0
    for number, closer in enumerate(tail, start=1):
        if closer.isspace():
            continue
        place = text.find(closer, place) + 1
        if place == 0:
            return
        yield text + tail[number:]


def _keeps_head(edit: Edit, place: Place) -> bool:
    """Say whether the filters left more than what the popup's item says by itself."""
    text = edit.new_text
    return text.startswith(place.head) and len(text) > len(place.head)


def _holds(span: Span, offset: int) -> bool:
    return span.start <= offset <= span.end
