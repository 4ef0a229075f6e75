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
    if not values or len(values) != len(clusters):
        raise ValueError(f"{len(values)} values and {len(clusters)} clusters")
    places = {cluster: idx for idx, cluster in enumerate(dict.fromkeys(clusters))}
    members = [places[cluster] for cluster in clusters]
    sums, sizes = np.bincount(members, weights=values), np.bincount(members)
    drawn = np.random.default_rng(seed).integers(len(places), size=(n_resamples, len(places)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    outside = (1 - LEVEL) / 2
    low, high = np.quantile(means, (outside, 1 - outside))
    return Interval(mean=float(np.mean(values)), low=float(low), high=float(high))


def paired_difference(
    ours: Sequence[float], theirs: Sequence[float], clusters: Sequence[Hashable], *, seed: int
) -> Interval:
    """Give how much better ``ours`` is than ``theirs`` on the same cases.

    Raises:
        ValueError: the three differ in length, or are empty.
    """
    differences = [our - their for our, their in zip(ours, theirs, strict=True)]
    return cluster_bootstrap(differences, clusters, seed=seed)
