"""Where a rename that somebody has begun may go on: the other occurrences of the old name.

A tree tells no bindings. What is known instead: whether the new name stood there before, whether
the changed place is the first of its kind, and how often the same was done already. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dgemma_engine.types import Span
from dgemma_ls.features.changed_words import ChangedWord, Log
from dgemma_ls.syntax import Name, holder, names_in
from dgemma_ls.types import Snapshot

_REACH = 40_000  # characters on each side of a change in which its name is looked for
_NEWEST = 4  # renames that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A place where a rename may go on.

    Attributes:
        span: of the old name.
        old: the name that stands there.
        new: what it would become.
        is_fresh: whether the new name stands nowhere but where somebody has just written it.
        is_first: whether somebody changed the first occurrence, where a name is mostly defined.
        n_done: how often somebody did the same already.
    """

    span: Span
    old: str
    new: str
    is_fresh: bool
    is_first: bool
    n_done: int


def occurrences(snapshot: Snapshot, log: Log) -> Iterator[list[Occurrence]]:
    """Find where renames may go on, those of the newest rename first.

    Args:
        snapshot: the document.
        log: which of its words are changed.

    Yields:
        The places of one rename in document order, at least one.
    """
    seen: set[tuple[str, str]] = set()
    for entry in reversed(log):
        pair = (entry.old, entry.new)
        if not entry.is_rename or pair in seen:
            continue
        seen.add(pair)
        if found := _occurrences(snapshot, entry, log):
            yield found
        if len(seen) == _NEWEST:
            return


def _occurrences(snapshot: Snapshot, entry: ChangedWord, log: Log) -> list[Occurrence]:
    text, at = snapshot.text, entry.span
    if entry.old not in text:
        return []
    around = Span(start=max(0, at.start - _REACH), end=min(len(text), at.end + _REACH))
    names = names_in(snapshot.language_id, text, around) or []
    changed = next((name for name in names if name.span == at), None)
    if changed is None:  # in a comment, a string, or a language without grammar
        return []
    scope = _scope(changed, names, entry.old)
    inside = [name for name in names if scope is None or _within(name.span, scope)]
    left = [name for name in inside if name.text == entry.old and _is_like(name, changed)]
    done = {word.span for word in log if (word.old, word.new) == (entry.old, entry.new)}
    is_fresh = all(
        name.span in done
        for name in inside
        if name.text == entry.new and name.is_member == changed.is_member
    )
    return [
        Occurrence(
            span=name.span,
            old=entry.old,
            new=entry.new,
            is_fresh=is_fresh,
            is_first=min(span.start for span in done) < left[0].span.start,
            n_done=len(done),
        )
        for name in left
    ]


def _scope(changed: Name, names: Sequence[Name], old: str) -> Span | None:
    if changed.is_member:
        return changed.owner
    if changed.is_function:
        return None
    return holder(changed, names, old)


def _is_like(name: Name, changed: Name) -> bool:
    """Say whether a name is of the same kind as the changed one: a member, a variable."""
    if name.is_label or changed.is_label:
        return False
    if changed.is_function:  # it may be a method, which others call as a member
        return True
    return name.is_member == changed.is_member and name.kind == changed.kind


def _within(span: Span, place: Span) -> bool:
    return place.start <= span.start and span.end <= place.end
