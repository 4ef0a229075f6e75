"""The probabilities from which a fix is safe, or worth a suggestion."""

from collections import Counter
from typing import Any

from fit_models import MIN_RIGHT

from dgemma_engine.types import Span
from dgemma_ls.proofread.decide import Weights, choose
from dgemma_ls.proofread.proposals import Kind, Proposal

# For each kind at most so many wrong edits in 1,000 words, and at least this precision.
_SAFE = {"false": 0.05, "precision": 0.95}
# A word changed for another word without asking is the worst that can happen.
_SAFE_BY_CONTEXT = {"false": 0.02, "precision": 0.99}
_SUGGEST = {
    "with_model": {"false": 0.3, "precision": 0.8},
    "without_model": {"false": 0.2, "precision": 0.86},
}
# What only neighbours tell is never that sure; suggestions as a whole stay above 0.85.
_SUGGEST_BY_CONTEXT = {
    "with_model": {"false": 0.2, "precision": 0.45},
    "without_model": {"false": 0.15, "precision": 0.6},
}
_BY_CONTEXT = (Kind.REALWORD, Kind.MISSING, Kind.GRAMMAR)


def add_choices(
    rows: list[dict[str, Any]],
    table: dict[Kind, Weights],
    chosen: dict[Kind, list[tuple[float, bool]]],
) -> None:
    """Add the choices in some passages, their probabilities and whether they are right."""
    for row in rows:
        proposals = [
            (
                Proposal(
                    kind=Kind(p["kind"]),
                    span=Span(start=0, end=0),  # nothing here asks
                    new_text=p["new"],
                    place=tuple(p["place"]),
                    features=p["features"],
                ),
                p["right"],
            )
            for p in row["proposals"]
        ]
        right = {id(proposal): is_right for proposal, is_right in proposals}
        for choice in choose([proposal for proposal, _ in proposals], table):
            of_kind = chosen[choice.proposal.kind]
            of_kind.append((choice.probability, right[id(choice.proposal)]))


def with_thresholds(
    rows: list[dict[str, Any]],
    chosen: dict[Kind, list[tuple[float, bool]]],
    table: dict[Kind, Weights],
    rate: float,
    name: str,
) -> dict[Kind, Weights]:
    """Choose the thresholds of each kind by choices in passages that its fit had not seen."""
    n_words = sum(row["words"] for row in rows)
    n_errors = Counter(row["error"] for row in rows)
    result = {}
    for kind, found in chosen.items():
        if table[kind].suggest < 1.0:  # taken over
            result[kind] = table[kind]
            continue
        found.sort(reverse=True)
        limits = []
        by_context = kind in _BY_CONTEXT
        safe = _SAFE_BY_CONTEXT if by_context else _SAFE
        suggest = (_SUGGEST_BY_CONTEXT if by_context else _SUGGEST)[name]
        for tier in (safe, suggest):
            best, n_right, n_wrong = 1.0, 0, 0
            for idx, (probability, is_right) in enumerate(found):
                n_right, n_wrong = n_right + is_right, n_wrong + (not is_right)
                last = idx + 1 == len(found) or found[idx + 1][0] < probability
                if (
                    last
                    and n_right >= MIN_RIGHT
                    and rate * n_right / (rate * n_right + n_wrong) >= tier["precision"]
                    and 1000 * n_wrong / n_words <= tier["false"]
                ):
                    # Where all are good, those a little less sure than all seen are, too.
                    best = min(probability, 0.5) if idx + 1 == len(found) else probability
                    report = (n_right, n_wrong, n_errors[kind.value])
            limits.append(best)
            print(kind.value, tier, f"from {best:.3f}", report if best < 1 else "never")
        old = table[kind]
        result[kind] = Weights(
            bias=old.bias, weights=old.weights, safe=max(limits), suggest=min(limits)
        )
    return result
