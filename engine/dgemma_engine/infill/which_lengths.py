"""Which span lengths get a canvas: where nobody tells, as the drafts say, and near the best one.

Few lengths are denoised, and the true one may lie between them or beyond. The neighbours of the
best one are worth their canvases where they could change the answer: the judge is close between
lengths, or likes the longest best, which may have been too short to say all. Pure; what the model
itself says of lengths is in ``lengths.py``.
"""

from collections.abc import Collection, Iterable, Sequence

from dgemma_engine.infill.fill import FilledRow
from dgemma_engine.infill.proposals import Scored

_LINE_LENGTHS = (1, 2, 3, 4, 6, 8, 12)
_BLOCK_LENGTHS = (*_LINE_LENGTHS, 16, 24, 32, 48, 64)

_NATS_OF_DOUBT = 3.0
"""Scores so close might change places with another canvas."""


def lengths_to_try(*, multiline: bool, has_begun: bool, longest: int) -> tuple[int, ...]:
    """Give span lengths for a gap of which nothing is known, the shortest first.

    Args:
        multiline: whether the span may have several lines.
        has_begun: whether a token was begun before the gap: it is part of the span.
        longest: tokens that a span can have.
    """
    lengths: tuple[int, ...] = _BLOCK_LENGTHS if multiline else _LINE_LENGTHS
    if has_begun:
        lengths = (1, *(n + 1 for n in lengths))
    return tuple(n for n in lengths if n <= longest)


def lengths_of_drafts(best_first: Iterable[Scored], *, longest: int) -> tuple[int, ...]:
    """Give the distinct lengths of what was judged, the best first, as far as a canvas goes."""
    lengths = (len(one.proposal.ids) for one in best_first)
    return tuple(dict.fromkeys(n for n in lengths if n <= longest))


def lengths_to_refine(
    scored: Sequence[Scored], tried: Collection[int], *, radius: int, longest: int
) -> tuple[int, ...]:
    """Give the lengths to denoise as well.

    Args:
        scored: everything that was judged, drafts included.
        tried: lengths that were denoised.
        radius: how far from the best one to look, tokens.
        longest: tokens that a span can have.

    Returns:
        Nearest first; none where the best length is in no doubt, or nothing denoised comes near
        the best draft.
    """
    denoised = [one for one in scored if isinstance(one.proposal, FilledRow)]
    if not denoised or not radius:
        return ()
    best = max(denoised, key=lambda one: one.score)
    length = len(best.proposal.ids)
    rivals = [one.score for one in denoised if len(one.proposal.ids) != length]
    matters = best.score >= max(one.score for one in scored) - _NATS_OF_DOUBT
    is_close = any(score >= best.score - _NATS_OF_DOUBT for score in rivals)
    if not matters or not (is_close or length == max(tried)):
        return ()
    near = [length + sign * far for far in range(1, radius + 1) for sign in (-1, 1)]
    return tuple(n for n in near if 1 <= n <= longest and n not in tried)
