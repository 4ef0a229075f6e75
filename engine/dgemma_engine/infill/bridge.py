"""The document as a proposer of endings: causal paths meet what stands before the suffix elsewhere.

A causal path knows only what is before the gap, and a copy must match on both sides. Between them
lies the common case that a gap begins as the model expects and ends as the document does elsewhere:
another call with the usual last arguments. So every path is tried with every ending, which is a few
tokens right before another occurrence of the suffix' first ones. How likely an ending's first token
is after a path, the search knows already; what is beyond it is for the judge to read.
"""

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from dgemma_engine.infill.causal import Continuation
from dgemma_engine.model.branches import Branches
from dgemma_engine.model.transformer import Transformer

_N_OCCURRENCES = 10
_MAX_RIGHT = 8
"""Tokens of the suffix compared; longer matches tell nothing more."""

_NATS_PER_TOKEN = 0.5
"""What another token of an ending costs before the judge has read it. The document's statistics
instead choose no better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """A causal path and an ending from the document.

    Attributes:
        ids: tokens of both.
        log_prob: a guess at their log-probability, nats.
    """

    ids: tuple[int, ...]
    log_prob: float


def find_endings(
    before: Sequence[int], after: Sequence[int], *, n_tokens: int
) -> list[tuple[int, ...]]:
    """Find what stands before other occurrences of the suffix' beginning.

    Args:
        before: tokens before the gap, nearest last.
        after: tokens after it, nearest first.
        n_tokens: most tokens of an ending.

    Returns:
        Distinct endings of 1 to ``n_tokens`` tokens from the occurrences that go on like the suffix
        for longest; those before the gap first among equals, the nearest first.
    """
    if not after:
        return []
    occurrences = [
        (text, place)
        for text in (before, after)
        for place in range(len(text) - 1, 0, -1)
        if text[place] == after[0]
    ]
    likest = heapq.nlargest(  # stable
        _N_OCCURRENCES, occurrences, key=lambda found: _n_equal(found[0], found[1], after)
    )
    return list(
        dict.fromkeys(
            tuple(text[start:place])
            for text, place in likest
            for start in range(place - 1, max(0, place - n_tokens) - 1, -1)
        )
    )


def _n_equal(text: Sequence[int], place: int, after: Sequence[int]) -> int:
    limit = min(_MAX_RIGHT, len(text) - place, len(after))
    return next((n for n in range(limit) if text[place + n] != after[n]), limit)


@torch.inference_mode()
def propose_bridges(
    model: Transformer,
    branches: Branches,
    last_id: int,
    paths: Sequence[Continuation],
    endings: Sequence[tuple[int, ...]],
    *,
    lengths: Sequence[int] | range,
    n_proposals: int,
    accept: Callable[[Sequence[int]], bool] = lambda ids: True,
) -> list[Bridge]:
    """Join causal paths and endings where they go together best.

    Args:
        model: the model.
        branches: of the search that found the paths.
        last_id: the token before the gap, with which the branches begin.
        paths: of any length; none at all is one of them, too.
        endings: from the document.
        lengths: how many tokens both together may have.
        n_proposals: most bridges to return.
        accept: says whether tokens may stand in the gap at all.

    Returns:
        Bridges with distinct tokens, the likeliest first; none that is a path already.
    """
    if not endings:
        return []
    beginnings = {(): 0.0} | {path.ids: path.log_prob for path in paths}
    rows = branches.read([(last_id, *ids) for ids in beginnings])
    logits = model.logits(branches.outputs[[row[-1] for row in rows]])  # (P, V)
    device = logits.device
    firsts = torch.tensor([ending[0] for ending in endings], device=device)
    n_ending = torch.tensor([len(ending) for ending in endings], device=device)
    n_path = torch.tensor([len(ids) for ids in beginnings], device=device)
    scores = torch.log_softmax(logits, dim=-1)[:, firsts]  # (P, E)
    scores += torch.tensor([*beginnings.values()], device=device)[:, None]
    scores -= _NATS_PER_TOKEN * (n_ending - 1)
    fits = torch.isin(n_path[:, None] + n_ending, torch.tensor([*lengths], device=device))
    ranked, places = scores.masked_fill(~fits, -torch.inf).flatten().sort(descending=True)
    starts, found = list(beginnings), dict[tuple[int, ...], Bridge]()
    for log_prob, place in zip(ranked.tolist(), places.tolist(), strict=True):
        if log_prob == -math.inf or len(found) == n_proposals:
            break
        ids = (*starts[place // len(endings)], *endings[place % len(endings)])
        if ids not in beginnings and ids not in found and accept(ids):
            found[ids] = Bridge(ids=ids, log_prob=log_prob)
    return list(found.values())
