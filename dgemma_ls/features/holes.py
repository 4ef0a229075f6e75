"""Fill several holes of a document together, each seeing what the others get.

Pure, but for :func:`ask`, which calls the engine it is given. A hole is a cursor, a selection, or a
marker in the text: ``___`` that stands alone (in Markdown not on a line of its own, where it is a
rule), or a comment that says ``TODO: fill`` and nothing else. What stands in a hole is replaced.
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
from dgemma_ls.postprocess import variants
from dgemma_ls.syntax import wants_multiline
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot

MARKERS = "___ or a comment TODO: fill"
"""What is found where nobody says where the holes are, for messages."""

_MARKER = re.compile(
    r"(?<!\w)___(?!\w)"
    r"|(?:\#+|//+|--|;+|%+)[ \t]*TODO:[ \t]*fill[ \t]*(?=[\r\n]|\Z)"
    r"|/\*\s*TODO:\s*fill\s*\*/"
    r"|<!--\s*TODO:\s*fill\s*-->",
    re.IGNORECASE,
)
_MARKDOWN = frozenset({"markdown", "mdx", "quarto", "rmd"})
_LINE_BREAK = re.compile(r"[\r\n]")
_LINE_END = re.compile(r"[ \t]*(?=[\r\n]|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What became of the holes.

    Attributes:
        edits: one for each hole that was filled, in document order.
        n_left: how many were not, as nothing fit to be shown was found.
    """

    edits: tuple[Edit, ...]
    n_left: int


def find_holes(snapshot: Snapshot) -> tuple[Span, ...]:
    """Find the markers of a document."""
    text = snapshot.text
    return tuple(
        Span(start=match.start(), end=len(text[: match.end()].rstrip(" \t")))
        for match in _MARKER.finditer(text)
        if not (snapshot.language_id in _MARKDOWN and _fills_line(text, match.start(), match.end()))
    )


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
    seed: int = 0,
    cancel: CancelToken | None = None,
) -> Filled | Refusal:
    """Have the engine fill holes and gate what it finds; runs on the engine thread.

    Args:
        engine: the engine.
        snapshot: the document.
        spans: the holes, in order, not overlapping.
        seed: of the engine's own generator.
        cancel: asked at each denoising step.

    Returns:
        The edits of the holes that were filled, or why none was.

    Raises:
        RequestError: if a hole is longer than a canvas.
    """
    draft, grown = snapshot, 0  # groups further up are filled already
    edits: list[Edit] = []
    refusal: Refusal | None = None
    for group in grouped(snapshot, spans, engine):
        shifted = [Span(start=span.start + grown, end=span.end + grown) for span in group]
        found = _fill_group(engine, draft, shifted, seed, cancel)
        if isinstance(found, Refusal):
            if found.reason is RefusalReason.CANCELLED:
                return found
            refusal = refusal or found
            continue
        edits += [replace(edit, span=span) for edit, span in zip(found, group, strict=True)]
        before = len(draft.text)
        draft = replace(draft, text=applied(draft, found))
        grown += len(draft.text) - before
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


def _fill_group(
    engine: Infiller,
    snapshot: Snapshot,
    spans: Sequence[Span],
    seed: int,
    cancel: CancelToken | None,
) -> tuple[Edit, ...] | Refusal:
    if len(spans) == 1:
        return _fill_one(engine, snapshot, spans[0], seed, cancel)
    result = engine.infill_jointly(
        snapshot.text,
        spans,
        # A hole in the middle of a line wants no second one, and all share the rule.
        multiline=all(_wants_lines(snapshot, span) for span in spans),
        n_candidates=1,
        seed=seed,
        accept=lambda texts: not isinstance(gated_together(snapshot, spans, texts), Refusal),
        cancel=cancel,
    )
    return finish_together(snapshot, spans, result)


def _fill_one(
    engine: Infiller, snapshot: Snapshot, span: Span, seed: int, cancel: CancelToken | None
) -> tuple[Edit, ...] | Refusal:
    check = GateCheck(snapshot, span)
    request = fill.prepare(snapshot, span, lengths=_lengths(engine, snapshot, span))
    result: InfillResult = engine.infill(
        request.prefix,
        request.suffix,
        lengths=request.lengths,
        multiline=_wants_lines(snapshot, span),
        n_candidates=1,
        seed=seed,
        check=check,
        cancel=cancel,
    )
    outcome = fill.finish(snapshot, span, result, limit=1, check=check)
    return outcome if isinstance(outcome, Refusal) else tuple(outcome)


def _lengths(engine: Infiller, snapshot: Snapshot, span: Span) -> tuple[int, ...] | None:
    """Lengths to try: of a marker or a cursor nothing is known, a selection is as long as it is."""
    old_text = snapshot.text[span.start : span.end]
    if not old_text or _MARKER.fullmatch(old_text):
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
        marker = old_text != "___" and _MARKER.fullmatch(old_text) is not None
        return marker and _fills_line(snapshot.text, span.start, span.end)
    return wants_multiline(snapshot, span.start)


def _fills_line(text: str, start: int, end: int) -> bool:
    line_start = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    return not text[line_start:start].strip() and _LINE_END.match(text, end) is not None
