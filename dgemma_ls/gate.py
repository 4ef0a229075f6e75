"""The last door before the user: an edit passes, or is refused with a reason.

Pure: it parses, and knows no files, engine or protocol.

What "breaks the parse" means
-----------------------------
A text that parses must parse afterwards: not one ERROR or MISSING node is let in. But a text in
which someone types is mostly broken (``foo(`` without its end), and tree-sitter's recovery may
describe one and the same mistake anew after each edit: it swallows more or less of what follows,
or finds a second mistake that the first had hidden. So the flaws of both texts are compared.

The **touched region** is the new text grown over the white space on both sides: white space never
belongs to a flaw, so only this way does a flaw touch the region that ends at the last word before
the cursor. Outside the region both texts have the same characters, moved by a constant; the old
flaws are moved along, and an end that touches the replaced text takes all of the new text in; a
flaw that lay in the replaced text is gone with it and excuses nothing.
The **damage** is the number of flawed characters outside the region, then the number of flaws.
An edit passes when

1. the damage does not grow;
2. no flaw that touches the region is new. One that lies within the region is old if an old flaw of
   the same kind has its start or its end, or if it misses a closing bracket where an old flaw
   touched the region (4. sees to it that the bracket was missing before); one that reaches out
   is old if what it covers outside was covered by an old flaw that touched the region;
3. every other flaw lies within an old one, or the damage falls: then recovery has only put an
   older mistake into other words;
4. while a flaw touches the region, no more brackets are without a partner than before.

So the text in a hole must be right in itself even if its surroundings are broken, and mistakes
elsewhere do not stand in its way. Two mistakes that cancel out (an unclosed bracket, a stray one
below) can fool the comparison either way. Where a language has no grammar, the brackets and quotes
of the whole text must not pair up worse than before.

In a long text all this is said of a section of it (``syntax.sections``). An edit is parsed from the
tree of its document, which may tell a mistake in other words than a parse from the beginning would;
so before an edit passes, the latter has to agree. (Of 13,000 random edits of real files, 22 were
told differently; none was clean by one parse and flawed by the other. A clean text is therefore
taken at its word where it is too long to be parsed again unnoticed.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from dgemma_engine.types import Span
from dgemma_ls.languages import Grammar, grammar_for
from dgemma_ls.syntax import (
    QUICKLY_PARSED,
    Flaw,
    can_parse,
    count_unpaired,
    find_unpaired,
    flaws_of,
    has_limits,
    parse,
    parse_anew,
    section_around,
)
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot

_MISSING_CLOSERS = frozenset({"MISSING )", "MISSING ]", "MISSING }"})


def check(snapshot: Snapshot, edit: Edit) -> Edit | Refusal:
    """Let an edit pass as it is, or say why not.

    Raises:
        ValueError: if the edit is of another document or version, or reaches past its end.
    """
    edit.require_fits(snapshot)
    if snapshot.text[edit.span.start : edit.span.end] == edit.new_text:
        return Refusal(reason=RefusalReason.EMPTY)
    return Refusal(reason=RefusalReason.BREAKS_PARSE) if _judge(snapshot, edit).breaks else edit


def broken_spans(snapshot: Snapshot, edit: Edit) -> tuple[Span, ...]:
    """Give the parts of the new text that the new flaws touch, in document order.

    Returns:
        Spans of ``edit.new_text``; none where :func:`check` lets the edit pass, all of the text
        where the flaws lie outside of it.

    Raises:
        ValueError: if the edit is of another document or version, or reaches past its end.
    """
    edit.require_fits(snapshot)
    if snapshot.text[edit.span.start : edit.span.end] == edit.new_text:
        return ()
    judgement = _judge(snapshot, edit)
    if not judgement.breaks:
        return ()
    n_new = len(edit.new_text)
    parts = [_part(flaw, edit.span.start, n_new) for flaw in judgement.culprits]
    return _merged([part for part in parts if part]) or (Span(start=0, end=n_new),)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judgement:
    """Whether an edit breaks the parse, and by which flaws, as places in the edited text."""

    breaks: bool
    culprits: tuple[Span, ...] = ()


_PASSES = _Judgement(breaks=False)


@lru_cache(maxsize=4)  # whoever is told that an edit breaks the parse asks next where
def _judge(snapshot: Snapshot, edit: Edit) -> _Judgement:
    grammar = grammar_for(snapshot.language_id)
    if grammar is None or not _takes_both(grammar, snapshot, edit):
        return _judge_brackets(snapshot, edit)
    section = section_around(snapshot.language_id, snapshot.text, edit.span)
    shift = section.start
    span = Span(start=edit.span.start - shift, end=edit.span.end - shift)
    text = snapshot.text[section.start : section.end]
    judgement = _judge_section(grammar, text, replace(edit, span=span))
    culprits = (Span(start=each.start + shift, end=each.end + shift) for each in judgement.culprits)
    return replace(judgement, culprits=tuple(culprits))


def _takes_both(grammar: Grammar, snapshot: Snapshot, edit: Edit) -> bool:
    """Say whether the parser takes the text before and after; a copy only where it may not."""
    if not has_limits(grammar):
        return True
    return can_parse(grammar, snapshot.text) and can_parse(grammar, edit.apply(snapshot))


def _judge_brackets(snapshot: Snapshot, edit: Edit) -> _Judgement:
    if count_unpaired(edit.apply(snapshot)) <= count_unpaired(snapshot.text):
        return _PASSES
    places = (edit.span.start + n for n in find_unpaired(edit.new_text))
    return _Judgement(breaks=True, culprits=tuple(Span(start=n, end=n + 1) for n in places))


def _judge_section(grammar: Grammar, text: str, edit: Edit) -> _Judgement:
    parsed = parse(grammar, text)
    edited = parsed.replaced(edit.span.start, edit.span.end, edit.new_text)
    new = flaws_of(edited)
    judgement = _compare(text, edit, edited.text, flaws_of(parsed), new)
    if judgement.breaks or (not new and len(text) > QUICKLY_PARSED):
        return judgement
    # Of a text that is not long, ``parsed`` is a parse from the beginning already.
    old = parsed if len(text) <= QUICKLY_PARSED else parse_anew(grammar, text)
    new = flaws_of(parse_anew(grammar, edited.text))
    return _compare(text, edit, edited.text, flaws_of(old), new)


def _compare(
    before: str, edit: Edit, after: str, flaws_before: Sequence[Flaw], flaws_after: Sequence[Flaw]
) -> _Judgement:
    if not flaws_after:
        return _PASSES
    broken = _Judgement(breaks=True, culprits=tuple(flaw.span for flaw in flaws_after))
    if not flaws_before:
        return broken
    region = _touched_region(after, edit)
    old = [_carried(flaw, edit) for flaw in flaws_before if not _is_replaced(flaw, edit)]
    places = {flaw.span for flaw in old}
    broken = replace(
        broken, culprits=tuple(flaw.span for flaw in flaws_after if flaw.span not in places)
    )
    old_damage = _damage([_carried(flaw, edit) for flaw in flaws_before], region)
    new_damage = _damage(flaws_after, region)
    if new_damage > old_damage:
        return broken
    outermost = [flaw for flaw in flaws_after if not flaw.nested]
    touching = [flaw for flaw in outermost if _touch(flaw.span, region)]
    if any(_is_new_in_region(flaw, old, region) for flaw in touching):
        return broken
    elsewhere = [flaw for flaw in outermost if not _touch(flaw.span, region)]
    if new_damage == old_damage and not _lie_within(elsewhere, old):
        return broken
    if touching and count_unpaired(after) > count_unpaired(before):
        return broken
    return _PASSES


def _part(flaw: Span, start: int, n_new: int) -> Span | None:
    """Give the part of the new text that a flaw touches; a missing thing touches its neighbours."""
    widened = 1 if flaw.start == flaw.end else 0
    low = max(flaw.start - widened - start, 0)
    high = min(flaw.end + widened - start, n_new)
    return Span(start=low, end=high) if low < high else None


def _merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Drop spans that hold smaller ones, as the smaller tell more; join those that touch."""
    telling = [a for a in spans if not any(a != b and _within(b, a) for b in spans)]
    merged: list[Span] = []
    for span in sorted(set(telling), key=lambda each: (each.start, each.end)):
        if merged and span.start <= merged[-1].end:
            span = Span(start=merged.pop().start, end=span.end)
        merged.append(span)
    return tuple(merged)


def _is_replaced(flaw: Flaw, edit: Edit) -> bool:
    """Say whether a flaw lay in the old text of the span; at its edge, nothing may be missing."""
    at_edge = flaw.span.start == flaw.span.end and flaw.span.start in (
        edit.span.start,
        edit.span.end,
    )
    return _within(flaw.span, edit.span) and not at_edge


def _carried(flaw: Flaw, edit: Edit) -> Flaw:
    """Give an old flaw its place in the edited text."""
    start, end = flaw.span.start, flaw.span.end
    new_end = edit.span.start + len(edit.new_text)
    if start > edit.span.start:
        start = new_end + start - edit.span.end if start > edit.span.end else edit.span.start
    if end >= edit.span.start:
        end = new_end + max(end - edit.span.end, 0)
    return replace(flaw, span=Span(start=start, end=end))


def _touched_region(after: str, edit: Edit) -> Span:
    before_it = after[: edit.span.start]
    behind_it = after[edit.span.start + len(edit.new_text) :]
    return Span(start=len(before_it.rstrip()), end=len(after) - len(behind_it.lstrip()))


def _damage(flaws: Sequence[Flaw], region: Span) -> tuple[int, int]:
    n_characters = sum(
        part.end - part.start
        for flaw in flaws
        if not flaw.nested
        for part in _outside(flaw.span, region)
    )
    return n_characters, len(flaws)


def _is_new_in_region(flaw: Flaw, old: Sequence[Flaw], region: Span) -> bool:
    old_there = [other for other in old if _touch(other.span, region)]
    if not _within(flaw.span, region):
        return not all(
            any(_within(part, other.span) for other in old_there)
            for part in _outside(flaw.span, region)
        )
    if flaw.kind in _MISSING_CLOSERS and old_there:
        return False
    return not any(
        other.kind == flaw.kind
        and _within(other.span, region)
        and (other.span.start == flaw.span.start or other.span.end == flaw.span.end)
        for other in old_there
    )


def _lie_within(flaws: Sequence[Flaw], old: Sequence[Flaw]) -> bool:
    places = {flaw.span for flaw in old}
    return all(
        # Mostly it is the very same span; the search is for where recovery found other words.
        flaw.span in places or any(_within(flaw.span, place) for place in places)
        for flaw in flaws
    )


def _outside(span: Span, region: Span) -> list[Span]:
    """Give the parts of a span that stick out of the region on the left and on the right."""
    parts = []
    if span.start < region.start:
        parts.append(Span(start=span.start, end=min(span.end, region.start)))
    if span.end > region.end:
        parts.append(Span(start=max(span.start, region.end), end=span.end))
    return parts


def _touch(span: Span, region: Span) -> bool:
    return span.start <= region.end and region.start <= span.end


def _within(span: Span, place: Span) -> bool:
    return place.start <= span.start and span.end <= place.end
