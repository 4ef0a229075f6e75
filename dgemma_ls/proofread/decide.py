"""How sure a proposal is: a logistic model for each kind of error, and two thresholds.

Weights and thresholds stand in ``data/weights.json`` and come from ``benchmarks/proofread/fit.py``,
fitted on synthetic errors in permissive prose. One set of weights serves runs with the model, one
those without.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from dgemma_ls.proofread.proposals import Kind, Proposal

# The curated list is right in 99 of 100 where it has one correction (its maintainers' rule, and
# measured on mined fixes by others); synthetic errors are hardly ever on it, so no fit can tell.
_BY_CONTEXT = frozenset({Kind.REALWORD, Kind.MISSING, Kind.GRAMMAR})
_CERTAIN = math.log(0.99 / 0.01)


def is_certain(features: Mapping[str, float]) -> bool:
    """Say whether a list or a rule settles it, whatever was fitted.

    "An" before a consonant is none of it: it may have been meant to be "and".
    """
    listed = features.get("listed_alone") and not features.get("capital_inside")
    return bool(listed or features.get("article_an"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One kind's logistic model.

    Attributes:
        bias: the constant, for the rate of errors in real documents.
        weights: by feature; what is not named has no say.
        safe: from this probability on a fix is made without asking.
        suggest: from this one on it is shown.
    """

    bias: float
    weights: Mapping[str, float]
    safe: float
    suggest: float

    def log_odds(self, features: Mapping[str, float]) -> float:
        """Give the logarithm of the odds that a proposal is right."""
        fitted = self.bias + sum(
            weight * features.get(name, 0.0) for name, weight in self.weights.items()
        )
        return max(fitted, _CERTAIN) if is_certain(features) else fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The best proposal of a place.

    Attributes:
        proposal: it.
        probability: that it is right, the others of its place considered.
        others: texts that came next, best first.
    """

    proposal: Proposal
    probability: float
    others: tuple[str, ...]


def probability(proposal: Proposal, weights: Mapping[Kind, Weights]) -> float:
    """Give how likely a proposal alone is right."""
    return _sigmoid(weights[proposal.kind].log_odds(proposal.features))


def choose(proposals: Sequence[Proposal], weights: Mapping[Kind, Weights]) -> list[Choice]:
    """Give the best proposal of each place, in document order; chosen ones do not overlap.

    Rivals share the odds: two that seem equally right are both unsafe.
    """
    by_passage: dict[int, list[Proposal]] = {}
    for proposal in proposals:
        by_passage.setdefault(proposal.place[0], []).append(proposal)
    choices = [choice for group in by_passage.values() for choice in _choose(group, weights)]
    return sorted(choices, key=lambda choice: (choice.proposal.place, choice.proposal.span.start))


def _choose(proposals: Sequence[Proposal], weights: Mapping[Kind, Weights]) -> Iterator[Choice]:
    """Choose in one passage: those of different ones never meet."""
    scored = sorted(
        ((weights[proposal.kind].log_odds(proposal.features), proposal) for proposal in proposals),
        key=lambda row: -row[0],
    )
    taken: list[Proposal] = []
    for score, proposal in scored:
        if any(_meet(proposal, other) for other in taken):
            continue
        taken.append(proposal)
        rivals = [
            (other_score, other)
            for other_score, other in scored
            if other is not proposal and _meet(proposal, other)
        ]
        log_odds = score - math.log1p(sum(math.exp(min(60.0, s)) for s, _ in rivals))
        yield Choice(
            proposal=proposal,
            probability=_sigmoid(log_odds),
            others=tuple(other.new_text for _, other in rivals if other.span == proposal.span)[:4],
        )


@cache
def load_weights(*, with_model: bool) -> dict[Kind, Weights]:
    """Read the weights that come with the package, once."""
    data = json.loads((files("dgemma_ls.proofread") / "data" / "weights.json").read_text())
    rows: dict[str, Any] = data["with_model" if with_model else "without_model"]
    return {Kind(kind): Weights(**row) for kind, row in rows.items()}


def _sigmoid(log_odds: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, log_odds))))


def _meet(one: Proposal, other: Proposal) -> bool:
    """Say whether only one of two can be made.

    Where neighbours alone tell, the places beside count too: "can used to" may lack a word or have
    a wrong one.
    """
    if one.place[0] != other.place[0]:
        return False
    (_, start, end), (_, other_start, other_end) = one.place, other.place
    if start < other_end and other_start < end:
        return True
    by_context = one.kind in _BY_CONTEXT and other.kind in _BY_CONTEXT
    return by_context and start <= other_end and other_start <= end
