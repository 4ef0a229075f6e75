"""The probabilities from which a fix is safe, or worth a suggestion.

The rule: the lowest threshold that keeps the tier's aims in passages that were not fitted on. The
mistakes of the texts themselves count as wrong edits there, and of synthetic errors a third is on
the curated list, of people's three quarters, so there is no need for a margin. One threshold serves
all kinds, since they are probabilities of being right in documents with the errors that people
make; but a word changed for another one without asking is the worst that can happen, so what only
the context tells is safe only where it is much surer than the aims ask.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from dgemma_engine.types import Span
from dgemma_ls.proofread.decide import Weights, choose
from dgemma_ls.proofread.proposals import Kind, Proposal

_BY_CONTEXT = frozenset({Kind.REALWORD, Kind.MISSING, Kind.GRAMMAR})
_SAFE = {"precision": 0.97, "false": 0.15}  # of all edits; and in 1,000 words
_SUGGEST = {"precision": 0.85, "false": 1.0}
_SAFE_BY_CONTEXT = {"precision": 0.99, "false": 0.02}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The choice at one place of a passage that the fit had not seen.

    Attributes:
        kind: of error.
        probability: that it is right, by the fit.
        is_right: whether it is.
        weight: how many such there are in real documents, for one here.
    """

    kind: Kind
    probability: float
    is_right: bool
    weight: float


def choices(rows: Iterable[dict[str, Any]], table: dict[Kind, Weights]) -> list[Chosen]:
    """Give what is chosen in some passages."""
    found = []
    for row in rows:
        proposals = [
            Proposal(
                kind=Kind(p["kind"]),
                span=Span(start=0, end=0),  # nothing here asks
                new_text=p["new"],
                place=tuple(p["place"]),
                features=p["features"],
            )
            for p in row["proposals"]
        ]
        known = {id(one): p for one, p in zip(proposals, row["proposals"], strict=True)}
        for choice in choose(proposals, table):
            p = known[id(choice.proposal)]
            if p["features"].get("article_an") and not p["at_error"]:
                continue  # "a identifier": the text's own mistakes, and settled by the rule
            found.append(
                Chosen(
                    kind=choice.proposal.kind,
                    probability=choice.probability,
                    is_right=p["right"],
                    weight=p["weight"],
                )
            )
    return found


def with_thresholds(
    rows: list[dict[str, Any]], chosen: list[Chosen], table: dict[Kind, Weights]
) -> dict[Kind, Weights]:
    """Choose the thresholds by choices in passages that their fits had not seen."""
    n_words = sum(row["words"] for row in rows)
    n_errors = Counter(row["error"] for row in rows if row["error"])
    context = [one for one in chosen if one.kind in _BY_CONTEXT]
    others = [one for one in chosen if one.kind not in _BY_CONTEXT]
    suggest = _lowest(chosen, n_words, **_SUGGEST)
    safe = {
        **dict.fromkeys(_BY_CONTEXT, _lowest(context, n_words, **_SAFE_BY_CONTEXT)),
        **dict.fromkeys(set(Kind) - _BY_CONTEXT, _lowest(others, n_words, **_SAFE)),
    }
    for kind in Kind:
        for tier, least in (("safe", safe[kind]), ("suggest", suggest)):
            of_kind = [one for one in chosen if one.kind is kind and one.probability >= least]
            right = [one for one in of_kind if one.is_right]
            print(
                f"{kind.value:9} {tier:8} from {least:.3f}: {len(right)} of {n_errors[kind.value]}"
                f" errors, {len(of_kind) - len(right)} wrong"
            )
    return {
        kind: replace(weights, safe=max(safe[kind], suggest), suggest=suggest)
        for kind, weights in table.items()
    }


def _lowest(chosen: list[Chosen], n_words: int, *, precision: float, false: float) -> float:
    """Give the lowest probability from which on all is precise enough; 1 if there is none."""
    least, right, wrong = 1.0, 0.0, 0.0
    ranked = sorted(chosen, key=lambda one: -one.probability)
    for idx, one in enumerate(ranked):
        right, wrong = right + one.weight * one.is_right, wrong + one.weight * (not one.is_right)
        below = ranked[idx + 1].probability if idx + 1 < len(ranked) else -math.inf
        if (
            below < one.probability
            and right >= precision * (right + wrong)
            and 1000 * wrong <= false * n_words
        ):
            least = one.probability
    return least
