"""The logistic model of each kind of error; with the model's say, stacked on those without."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from dgemma_ls.proofread.decide import Weights, load_weights
from dgemma_ls.proofread.proposals import Kind

_L2 = 1.0
MIN_RIGHT = 10  # fewer do not show anything


def fit_kinds(rows: list[dict[str, Any]], *, with_model: bool) -> dict[Kind, Weights]:
    """Fit each kind; what a proposal counts stands in its ``weight``."""
    table = {}
    for kind in Kind:
        if with_model and kind is Kind.DOUBLED:  # a rule; the model has nothing to add
            table[kind] = load_weights(with_model=False)[kind]
            continue
        of_kind = [p for row in rows for p in row["proposals"] if p["kind"] == kind.value]
        bias, fitted = _stacked(kind, of_kind) if with_model else logistic(of_kind)
        table[kind] = Weights(bias=bias, weights=fitted, safe=1.0, suggest=1.0)
    return table


def logistic(proposals: Iterable[dict[str, Any]]) -> tuple[float, dict[str, float]]:
    """Fit ``right`` by ``features``: the constant, and a weight for each feature.

    Args:
        proposals: with ``features`` and ``right``, and ``weight`` where one counts for more or
            less than others.
    """
    proposals = list(proposals)
    names = sorted({name for proposal in proposals for name in proposal["features"]})
    x = np.array([[p["features"].get(name, 0.0) for name in names] for p in proposals])
    y = np.array([float(p["right"]) for p in proposals])
    counts = np.array([p.get("weight", 1.0) for p in proposals])
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale < 1e-6] = 1.0
    z = np.concatenate(((x - mean) / scale, np.ones((len(x), 1))), axis=1)
    w = np.zeros(z.shape[1])
    penalty = np.full(len(w), _L2)
    penalty[-1] = 0.0

    def loss(w: npt.NDArray[np.float64]) -> float:
        log_odds = z @ w
        errors = counts * (np.logaddexp(0.0, log_odds) - y * log_odds)
        return float(errors.sum() + (penalty * w * w).sum() / 2)

    for _ in range(60):  # Newton's method, with shorter steps where a whole one leads up
        p = 1 / (1 + np.exp(-np.clip(z @ w, -30, 30)))
        gradient = z.T @ (counts * (p - y)) + penalty * w
        hessian = (z.T * (counts * p * (1 - p) + 1e-9)) @ z + np.diag(penalty + 1e-6)
        step = np.linalg.solve(hessian, gradient)
        before = loss(w)
        while loss(w - step) > before and np.abs(step).max() > 1e-9:
            step /= 2
        w -= step
        if np.abs(step).max() < 1e-6:
            break
    fitted = w[:-1] / scale
    return float(w[-1] - (fitted * mean).sum()), dict(zip(names, map(float, fitted), strict=True))


def _stacked(kind: Kind, proposals: list[dict[str, Any]]) -> tuple[float, dict[str, float]]:
    """Fit how much the model says beside the rest: few examples are enough for that."""
    base = load_weights(with_model=False)[kind]
    rows = [
        {
            "features": {
                "base": base.log_odds(p["features"] | {"listed_alone": 0.0}),
                "model": p["features"]["model"],
            },
            "right": p["right"],
            "weight": p["weight"],
        }
        for p in proposals
    ]
    if sum(row["right"] for row in rows) < MIN_RIGHT:
        return base.bias, dict(base.weights)
    bias, fitted = logistic(rows)
    scale = fitted["base"]
    weights = {name: scale * weight for name, weight in base.weights.items()}
    return bias + scale * base.bias, weights | {"model": fitted["model"]}
