"""Confidence intervals by bootstrap, resampling whole files. Numbers only; pure.

Cases of one file resemble each other (a file that repeats itself is easy throughout), so a file is
drawn with all its cases or not at all. Drawing cases would promise more certainty than there is.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

N_RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean, and where it may lie."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """What half of all cases take at most, and nine in ten."""

    median: float
    p90: float


def spread(values: Sequence[float]) -> Spread:
    """Give median and 90th percentile of at least one value."""
    median, p90 = np.quantile(values, (0.5, 0.9))
    return Spread(median=float(median), p90=float(p90))


def cluster_bootstrap(
    values: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    seed: int,
    n_resamples: int = N_RESAMPLES,
) -> Interval:
    """Give the mean over all cases with its percentile interval.

    Args:
        values: one for each case, at least one.
        clusters: the file of each case.
        seed: of the resampling.
        n_resamples: how often to draw as many files as there are, with replacement.

    Raises:
        ValueError: there is no value, or not one cluster for each.
    """
    return ratio_bootstrap(
        values, [1.0] * len(values), clusters, seed=seed, n_resamples=n_resamples
    )


def ratio_bootstrap(
    numerators: Sequence[float],
    denominators: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    seed: int,
    n_resamples: int = N_RESAMPLES,
) -> Interval:
    """Give the quotient of two sums over all cases with its percentile interval.

    For what is no mean over cases: bits per byte, or a share of those cases that something holds
    for. Draws in which the denominators add up to nothing say nothing and are left out.

    Args:
        numerators: one for each case, at least one.
        denominators: one for each case, none below zero, not all zero.
        clusters: the file of each case.
        seed: of the resampling.
        n_resamples: how often to draw as many files as there are, with replacement.

    Raises:
        ValueError: there is no value, the three differ in length, or all denominators are zero.
    """
    if not numerators or not len(numerators) == len(denominators) == len(clusters):
        raise ValueError(
            f"{len(numerators)} values, {len(denominators)} denominators and"
            f" {len(clusters)} clusters"
        )
    if not any(denominators):
        raise ValueError("all denominators are zero")
    places = {cluster: idx for idx, cluster in enumerate(dict.fromkeys(clusters))}
    members = [places[cluster] for cluster in clusters]
    above = np.bincount(members, weights=numerators)
    below = np.bincount(members, weights=denominators)
    drawn = np.random.default_rng(seed).integers(len(places), size=(n_resamples, len(places)))
    above_drawn, below_drawn = above[drawn].sum(axis=1), below[drawn].sum(axis=1)
    says_something = below_drawn > 0
    quotients = above_drawn[says_something] / below_drawn[says_something]
    outside = (1 - LEVEL) / 2
    low, high = np.quantile(quotients, (outside, 1 - outside))
    mean = float(np.sum(numerators) / np.sum(denominators))
    return Interval(mean=mean, low=float(low), high=float(high))


def paired_difference(
    ours: Sequence[float], theirs: Sequence[float], clusters: Sequence[Hashable], *, seed: int
) -> Interval:
    """Give how much better ``ours`` is than ``theirs`` on the same cases.

    Raises:
        ValueError: the three differ in length, or are empty.
    """
    differences = [our - their for our, their in zip(ours, theirs, strict=True)]
    return cluster_bootstrap(differences, clusters, seed=seed)
