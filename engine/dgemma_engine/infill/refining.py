"""Lengths worth a second look: the neighbours of the best one that was denoised.

Few lengths are denoised, and the true one may lie between them or beyond. Its neighbours are worth
their canvases where they could change the answer: the judge is close between lengths, or likes the
longest best, which may have been too short to say all. Pure; no torch.
"""

from collections.abc import Collection, Sequence

from dgemma_engine.infill.fill import FilledRow
from dgemma_engine.infill.proposals import Scored

_NATS_OF_DOUBT = 3.0
"""Scores so close might change places with another canvas."""


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
