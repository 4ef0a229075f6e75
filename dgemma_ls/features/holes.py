"""Fill several holes of a document together, each seeing what the others get.

Pure, but for :func:`ask`, which calls the engine it is given. A hole is a cursor, a selection, or a
marker in the text (:mod:`dgemma_ls.features.hole_markers`). What stands in a hole is replaced.
Holes that are too far apart for one canvas are filled in groups, one after the other.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dgemma_engine.errors import RequestError
from dgemma_engine.types import CancelToken, InfillResult, JointResult, Span, StopReason
from dgemma_ls import gate
from dgemma_ls.features import fill
from dgemma_ls.features.fill import Infiller, lengths_around
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.features.hole_markers import fills_line, is_marker
from dgemma_ls.features.hole_slots import slot_for
from dgemma_ls.postprocess import variants
from dgemma_ls.syntax import wants_multiline
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot

_LINE_BREAK = re.compile(r"[\r\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What became of the holes.

    Attributes:
        edits: one for each hole that was filled, in document order.
        n_left: how many were not, as nothing fit to be shown was found.
    """

    edits: tuple[Edit, ...]
    n_left: int


def in_order(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Sort holes as given by an editor, where two cursors may stand at one place.

    Raises:
        RequestError: if two holes overlap.
    """
    ordered = sorted(set(spans), key=lambda span: (span.start, span.end))
    if any(a.end > b.start for a, b in itertools.pairwise(ordered)):
        raise RequestError("two of the holes overlap; give places that do not")
    return tuple(ordered)


def ask(
    engine: Infiller,
    snapshot: Snapshot,
    spans: Sequence[Span],
    *,
    before: str = "",
    context: str = "",
    seed: int = 0,
    cancel: CancelToken | None = None,
) -> Filled | Refusal:
    """Have the engine fill holes and gate what it finds; runs on the engine thread.

    Args:
        engine: the engine.
        snapshot: the document.
        spans: the holes, in order, not overlapping.
        before: text before the document that is no part of it, as the cells above a cell.
        context: what other files say.
        seed: of the engine's own generator.
        cancel: asked at each denoising step.

    Returns:
        The edits of the holes that were filled, or why none was.

    Raises:
        RequestError: if a hole is longer than a canvas.
    """
    asking = _Asking(before=before, context=context, seed=seed, cancel=cancel)
    draft, grown = snapshot, 0  # groups further up are filled already
    edits: list[Edit] = []
    refusal: Refusal | None = None
    for group in grouped(snapshot, spans, engine):
        shifted = [Span(start=span.start + grown, end=span.end + grown) for span in group]
        found = _fill_group(engine, draft, shifted, asking)
        if isinstance(found, Refusal):
            if found.reason is RefusalReason.CANCELLED:
                return found
            refusal = refusal or found
            continue
        edits += [replace(edit, span=span) for edit, span in zip(found, group, strict=True)]
        n_chars = len(draft.text)
        draft = replace(draft, text=applied(draft, found))
        grown += len(draft.text) - n_chars
    if not edits:
        return refusal or Refusal(reason=RefusalReason.NO_CANDIDATE)
    return Filled(edits=tuple(edits), n_left=len(spans) - len(edits))


def grouped(snapshot: Snapshot, spans: Sequence[Span], engine: Infiller) -> list[list[Span]]:
    """Put holes together whose surroundings leave enough of one canvas for what they get."""
    budget = engine.max_span_tokens // 2
    groups: list[list[Span]] = []
    n_tokens = 0
    for span in spans:
        if groups:
            between = snapshot.text[groups[-1][-1].end : span.start]
            # A token holds a few characters: of a long text it need not be counted.
            n_more = len(between) // 8
            if n_more <= budget:
                n_more = len(engine.tokenizer.encode(between))
            n_tokens += n_more
            if n_tokens <= budget:
                groups[-1].append(span)
                continue
        groups.append([span])
        n_tokens = 0
    return groups


def applied(snapshot: Snapshot, edits: Sequence[Edit]) -> str:
    """Give the text after edits of one version, in document order and not overlapping."""
    parts, place = [], 0
    for edit in edits:
        parts += [snapshot.text[place : edit.span.start], edit.new_text]
        place = edit.span.end
    return "".join([*parts, snapshot.text[place:]])


def finish_together(
    snapshot: Snapshot, spans: Sequence[Span], result: JointResult
) -> tuple[Edit, ...] | Refusal:
    """Turn the engine's answer for several holes into edits, or say why there are none."""
    if result.stop is StopReason.CANCELLED:
        return Refusal(reason=RefusalReason.CANCELLED)
    refusal = Refusal(reason=RefusalReason.NO_CANDIDATE)
    for candidate in result.candidates:
        verdict = gated_together(snapshot, spans, candidate.texts)
        if not isinstance(verdict, Refusal):
            return verdict
        refusal = verdict
    return refusal


def gated_together(
    snapshot: Snapshot, spans: Sequence[Span], texts: Sequence[str]
) -> tuple[Edit, ...] | Refusal:
    """Filter and gate texts for all holes as one change: half of it alone may not even parse."""
    edits = []
    for span, text in zip(spans, texts, strict=True):
        wanted = variants(text, snapshot, span)
        if isinstance(wanted, Refusal):
            return wanted
        if not wanted[0].strip():
            return Refusal(reason=RefusalReason.EMPTY)
        edits.append(
            Edit(uri=snapshot.uri, version=snapshot.version, span=span, new_text=wanted[0])
        )
    start, end = spans[0].start, spans[-1].end
    after = applied(snapshot, edits)
    whole = Edit(
        uri=snapshot.uri,
        version=snapshot.version,
        span=Span(start=start, end=end),
        new_text=after[start : len(after) - (len(snapshot.text) - end)],
    )
    verdict = gate.check(snapshot, whole)
    return verdict if isinstance(verdict, Refusal) else tuple(edits)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """What is the same for all groups; the arguments of :func:`ask`."""

    before: str
    context: str
    seed: int
    cancel: CancelToken | None


def _fill_group(
    engine: Infiller, snapshot: Snapshot, spans: Sequence[Span], asking: _Asking
) -> tuple[Edit, ...] | Refusal:
    if len(spans) == 1:
        return _fill_one(engine, snapshot, spans[0], asking)
    n_before = len(asking.before)
    result = engine.infill_jointly(
        asking.before + snapshot.text,
        [Span(start=span.start + n_before, end=span.end + n_before) for span in spans],
        context=asking.context,
        # A hole in the middle of a line wants no second one, and all share the rule.
        multiline=all(_wants_lines(snapshot, span) for span in spans),
        n_candidates=1,
        seed=asking.seed,
        accept=lambda texts: not isinstance(gated_together(snapshot, spans, texts), Refusal),
        cancel=asking.cancel,
    )
    return finish_together(snapshot, spans, result)


def _fill_one(
    engine: Infiller, snapshot: Snapshot, span: Span, asking: _Asking
) -> tuple[Edit, ...] | Refusal:
    check = GateCheck(snapshot, span)
    request = fill.prepare(snapshot, span, lengths=_lengths(engine, snapshot, span))
    result: InfillResult = engine.infill(
        asking.before + request.prefix,
        request.suffix,
        context=asking.context,
        lengths=request.lengths,
        multiline=_wants_lines(snapshot, span),
        n_candidates=1,
        seed=asking.seed,
        slot=slot_for(snapshot, span),
        check=check,
        cancel=asking.cancel,
    )
    outcome = fill.finish(snapshot, span, result, limit=1, check=check)
    return outcome if isinstance(outcome, Refusal) else tuple(outcome)


def _lengths(engine: Infiller, snapshot: Snapshot, span: Span) -> tuple[int, ...] | None:
    """Lengths to try: of a marker or a cursor nothing is known, a selection is as long as it is."""
    old_text = snapshot.text[span.start : span.end]
    if not old_text or is_marker(old_text):
        return None
    n_tokens = len(engine.tokenizer.encode(old_text))
    if n_tokens > engine.max_span_tokens:
        raise RequestError(
            f"a hole has {n_tokens} tokens, one canvas holds {engine.max_span_tokens}; give a"
            " shorter one"
        )
    return lengths_around(max(n_tokens, 1), engine.max_span_tokens)


def _wants_lines(snapshot: Snapshot, span: Span) -> bool:
    old_text = snapshot.text[span.start : span.end]
    if _LINE_BREAK.search(old_text):
        return True
    if old_text:  # a comment that has a line for itself stands for a statement or more
        marker = old_text != "___" and is_marker(old_text)
        return marker and fills_line(snapshot.text, span.start, span.end)
    return wants_multiline(snapshot, span.start)
