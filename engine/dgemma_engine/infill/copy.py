"""The document as a proposer: what stood before between the same neighbours.

Code repeats itself: in a third of all short gaps, the text between the longest match of the left
and of the right context elsewhere in the document is exactly what is missing. Finding it takes no
forward and gives the length for free; whether it fits here is for the judge to say.

Token ids only; pure.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_MAX_LEFT, _MAX_RIGHT = 16, 8
"""Tokens compared on either side; longer matches tell nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A stretch of the document whose surroundings resemble the gap's.

    Attributes:
        ids: the tokens to put into the gap.
        n_left: tokens before it that equal those before the gap, at least 1.
        n_right: tokens after it that equal those after the gap, at least 1.
    """

    ids: tuple[int, ...]
    n_left: int
    n_right: int


def propose_copies(
    before: Sequence[int],
    after: Sequence[int],
    *,
    lengths: Sequence[int] | range,
    n_proposals: int,
    accept: Callable[[Sequence[int]], bool] = lambda ids: True,
) -> list[Copy]:
    """Find the stretches that match best on both sides together.

    Args:
        before: tokens before the gap, nearest last.
        after: tokens after it, nearest first.
        lengths: how many tokens a copy may have.
        n_proposals: most copies to return.
        accept: says whether tokens may stand in the gap at all.

    Returns:
        Copies with distinct tokens, best match first; the one nearest before the gap among equals.
    """
    if not before or not after or not lengths:
        return []
    found: dict[tuple[int, ...], Copy] = {}
    # Text after the gap counts as well, but comes second among equals.
    for text in (before, after):
        for copy in _matches(text, before, after, lengths):
            known = found.get(copy.ids)
            if known is None or _strength(copy) > _strength(known):
                found[copy.ids] = copy
    by_strength = sorted(found.values(), key=_strength, reverse=True)
    return list(itertools.islice((copy for copy in by_strength if accept(copy.ids)), n_proposals))


def _matches(
    text: Sequence[int], before: Sequence[int], after: Sequence[int], lengths: Sequence[int] | range
) -> Iterator[Copy]:
    """Yield every stretch of ``text`` with a match on both sides, the last one first."""
    for start in range(len(text) - 1, 0, -1):
        if text[start - 1] != before[-1]:
            continue
        for length in lengths:
            end = start + length
            if end < len(text) and text[end] == after[0]:
                yield Copy(
                    ids=tuple(text[start:end]),
                    n_left=_n_equal_before(text, start, before),
                    n_right=_n_equal_after(text, end, after),
                )


def _n_equal_before(text: Sequence[int], start: int, before: Sequence[int]) -> int:
    limit = min(_MAX_LEFT, start, len(before))
    return next((n for n in range(limit) if text[start - 1 - n] != before[-1 - n]), limit)


def _n_equal_after(text: Sequence[int], end: int, after: Sequence[int]) -> int:
    limit = min(_MAX_RIGHT, len(text) - end, len(after))
    return next((n for n in range(limit) if text[end + n] != after[n]), limit)


def _strength(copy: Copy) -> int:
    return copy.n_left + copy.n_right
