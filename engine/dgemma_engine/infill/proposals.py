"""What the proposers of a request come up with, and how it becomes candidates."""

from collections.abc import Sequence
from dataclasses import dataclass

from dgemma_engine.infill.bridge import Bridge
from dgemma_engine.infill.causal import Continuation
from dgemma_engine.infill.copy import Copy
from dgemma_engine.infill.fill import FilledRow
from dgemma_engine.infill.seams import seam_of
from dgemma_engine.types import Candidate, Origin

_CERTAIN_MATCH, _CERTAIN_RIGHT = 21, 5
"""Tokens that agree around a copy from which on it answers at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier suggestion for this gap, as far as it still fits."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """What the model wrote with nothing clamped after the gap."""

    ids: tuple[int, ...]


Proposal = FilledRow | Copy | Continuation | Bridge | Earlier | Free


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A proposal with its text and the judge's score in nats.

    Attributes:
        proposal: who came up with it.
        text: for the gap, without what was known already.
        score: higher is better.
        repaired: whether part of it was denoised again because of a fault.
    """

    proposal: Proposal
    text: str
    score: float
    repaired: bool = False


def is_certain(proposal: Proposal) -> bool:
    """Whether a copy's surroundings speak so clearly that nothing else need be asked."""
    return isinstance(proposal, Copy) and (
        proposal.n_left + proposal.n_right >= _CERTAIN_MATCH and proposal.n_right >= _CERTAIN_RIGHT
    )


def own_word(proposal: Proposal) -> float:
    """What a proposer thinks of its own proposal: nats per token, or about as much."""
    match proposal:
        case FilledRow():
            return proposal.confidence
        case Continuation():
            return (proposal.log_prob + proposal.log_follow) / (len(proposal.ids) + 1)
        case Bridge():
            return proposal.log_prob / (len(proposal.ids) + 1)
        case Copy():
            return -1 / (proposal.n_left + proposal.n_right)
        case _:
            return 0.0


def best_first(scored: Sequence[Scored], around: tuple[str, str]) -> list[Scored]:
    """Order by falling score, shorter first among equals; one of those that look the same.

    What has a bad seam comes last, however likely it is: of 4,000 spans of real code, 3 had one.

    Args:
        scored: in any order.
        around: the texts before and after the gap.
    """

    def rank(one: Scored) -> tuple[bool, float, int]:
        seam = seam_of(one.text, *around)
        return not seam.is_clean, -one.score, len(one.proposal.ids)

    by_look: dict[str, Scored] = {}
    for one in sorted(scored, key=rank):
        by_look.setdefault(" ".join(one.text.split()), one)
    return list(by_look.values())


def to_candidate(one: Scored) -> Candidate:
    """Give a scored proposal as the engine's callers know it."""
    proposal = one.proposal
    return Candidate(
        text=one.text,
        score=one.score,
        forwards=proposal.forwards if isinstance(proposal, FilledRow) else 0,
        n_tokens=len(proposal.ids),
        origin=_origin(proposal),
        repaired=one.repaired,
    )


def _origin(proposal: Proposal) -> Origin:
    match proposal:
        case FilledRow() | Free():
            return Origin.DENOISED
        case Copy():
            return Origin.COPIED
        case Continuation():
            return Origin.CONTINUED
        case Bridge():
            return Origin.BRIDGED
        case Earlier():
            return Origin.EARLIER
