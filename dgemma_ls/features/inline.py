"""Ghost text at the cursor: a fill whose span holds at most what an editor closed by itself.

Pure, as :mod:`dgemma_ls.features.fill`, on which it stands; :mod:`dgemma_ls.features.inline_place`
says where it goes. In a text of a structured document it stands for that text alone: what closes it
stays as it is, and what the engine reads and writes is plain text
(:mod:`dgemma_ls.features.leaves`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dgemma_engine.types import CancelToken, InfillResult, Origin, Span, StopReason
from dgemma_ls.features.fill import FillRequest, Infiller
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.features.inline_place import Place, within_leaf
from dgemma_ls.features.leaves import LeafGap
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot


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
        place: of :func:`~dgemma_ls.features.inline_place.place_at`.
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
