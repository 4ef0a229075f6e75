"""The most probable text of a regular language, where every position has its own distribution.

The last forward of a canvas gives marginals: per position the probabilities of its tokens, as if
the others did not matter. Among all token sequences of that length whose bytes an automaton
accepts (``automata.py``), dynamic programming over positions × states finds the most probable one.
Pure Python over the few best tokens of each position; no text of the document here.

Source:
    DINGO (arXiv 2505.23061), for automata over tokens. Ours read bytes, are expanded only where
    the search goes, and a bound spares most of the table: what scores less than a known solution,
    even with the best of all that follows, cannot lead to a better one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from dgemma_engine.infill.automata import Automaton, S

if TYPE_CHECKING:
    from torch import Tensor

N_CANDIDATES = 64
"""Tokens per position that are worth a look; what is beyond has next to no probability."""

Candidates = Sequence[tuple[int, float]]
"""Token ids and log-probabilities of one position, by falling probability."""

_N_SCOUTS = 8
"""States per position of the first, quick search for a solution to measure others by."""

_MAX_STATES = 64
"""Of 92 canvases of 24 tokens, real and random, every one had its exact answer with as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """The most probable allowed sequence.

    Attributes:
        ids: one token per position.
        log_probability: the sum over positions, nats.
    """

    ids: tuple[int, ...]
    log_probability: float


class TokenAutomaton(Generic[S]):
    """An automaton that reads tokens. Remembers every step, so keep it for as long as it serves.

    States are numbered in the order in which they are met; -1 is the dead one.
    """

    def __init__(self, automaton: Automaton[S], token_bytes: Sequence[bytes]) -> None:
        """Read tokens by their bytes; a token without any, as ``<eos>``, is never allowed."""
        self._automaton, self._token_bytes = automaton, token_bytes
        self._numbers: dict[S, int] = {}
        self._states: list[S] = []
        self._bytes_read: list[dict[int, int]] = []
        self.tokens_read: list[dict[int, int]] = []
        """Per state, the tokens read from there so far and where they led."""
        self.start = self._number(automaton.start)

    def accepts(self, state: int) -> bool:
        """Say whether the text may end here."""
        return self._automaton.accepts(self._states[state])

    def step(self, state: int, token_id: int) -> int:
        """Read one token."""
        known = self.tokens_read[state].get(token_id)
        if known is not None:
            return known
        text = self._token_bytes[token_id] if token_id < len(self._token_bytes) else b""
        reached = state if text else -1
        for byte in text:
            following = self._bytes_read[reached].get(byte)
            reached = self._step_byte(reached, byte) if following is None else following
            if reached < 0:
                break
        self.tokens_read[state][token_id] = reached
        return reached

    def _step_byte(self, state: int, byte: int) -> int:
        following = self._automaton.step(self._states[state], byte)
        reached = -1 if following is None else self._number(following)
        self._bytes_read[state][byte] = reached
        return reached

    def _number(self, state: S) -> int:
        number = self._numbers.setdefault(state, len(self._states))
        if number == len(self._states):
            self._states.append(state)
            self._bytes_read.append({})
            self.tokens_read.append({})
        return number


def most_probable(
    candidates: Sequence[Candidates],
    machine: TokenAutomaton[S],
    *,
    max_states: int = _MAX_STATES,
    n_scouts: int = _N_SCOUTS,
) -> Projection | None:
    """Find the most probable sequence that an automaton accepts.

    Exact among the candidates, as long as no position has more than ``max_states`` states that
    could still lead to something better; of more, the best are kept.

    Args:
        candidates: of each position; the result has a token for every one of them.
        machine: says which sequences are allowed.
        max_states: bounds the time.
        n_scouts: as ``max_states``, for a quick search that comes first and gives the bound below
            which nothing is looked at.

    Returns:
        ``None`` where no sequence of candidates is allowed.
    """
    # What the positions from each one on can add at most.
    rest = [0.0]
    for position in reversed(candidates):
        rest.append(rest[-1] + (position[0][1] if position else -math.inf))
    rest.reverse()
    if not math.isfinite(rest[0]):
        return None
    scouted = _search(candidates, machine, rest, -math.inf, min(n_scouts, max_states))
    if scouted is not None and scouted.log_probability >= rest[0]:
        return scouted
    floor = -math.inf if scouted is None else scouted.log_probability
    found = _search(candidates, machine, rest, floor, max_states)
    return scouted if found is None else found


def top_candidates(log_probs: "Tensor", n_candidates: int = N_CANDIDATES) -> list[Candidates]:
    """Take the best tokens of each position.

    Args:
        log_probs: (L, V); forbidden tokens are ``-inf`` and left out.
        n_candidates: tokens per position at most.
    """
    best = log_probs.float().topk(min(n_candidates, log_probs.shape[-1]), dim=-1)
    return [
        [(token, value) for token, value in zip(ids, values, strict=True) if value > -math.inf]
        for ids, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def _search(
    candidates: Sequence[Candidates],
    machine: TokenAutomaton[S],
    rest: Sequence[float],
    floor: float,
    max_states: int,
) -> Projection | None:
    """Go through the positions with the best sequence into every state, if above the floor."""
    scores = {machine.start: 0.0}
    came_from: list[dict[int, tuple[int, int]]] = []
    for idx, position in enumerate(candidates):
        if len(scores) > max_states:
            kept = sorted(scores, key=scores.__getitem__, reverse=True)[:max_states]
            scores = {state: scores[state] for state in kept}
        reached: dict[int, float] = {}
        sources: dict[int, tuple[int, int]] = {}
        for state, score in scores.items():
            least = floor - rest[idx + 1] - score
            known = machine.tokens_read[state]
            for token, log_prob in position:
                if log_prob < least:
                    break
                following = known.get(token)
                if following is None:
                    following = machine.step(state, token)
                if following >= 0:
                    total = score + log_prob
                    if total > reached.get(following, -math.inf):
                        reached[following] = total
                        sources[following] = (state, token)
        scores = reached
        came_from.append(sources)
    ends = [state for state in scores if machine.accepts(state)]
    if not ends:
        return None
    state = max(ends, key=scores.__getitem__)
    total = scores[state]
    ids: list[int] = []
    for sources in reversed(came_from):
        state, token = sources[state]
        ids.append(token)
    return Projection(ids=tuple(reversed(ids)), log_probability=total)
