"""Intervals against a naive bootstrap that draws file by file."""

import random

import numpy as np
import pytest

from dgemma_ls.evaluation.statistics import (
    cluster_bootstrap,
    paired_difference,
    ratio_bootstrap,
)

RNG = random.Random(5)
FILES = [RNG.choice("abcdefgh") for _ in range(60)]
VALUES = [float(RNG.random() < 0.4) for _ in FILES]


def naive_interval(values: list[float], files: list[str], seed: int) -> tuple[float, float]:
    names = list(dict.fromkeys(files))
    members = {name: [v for v, f in zip(values, files, strict=True) if f == name] for name in names}
    means = []
    for row in np.random.default_rng(seed).integers(len(names), size=(2000, len(names))):
        drawn = [value for idx in row for value in members[names[idx]]]
        means.append(sum(drawn) / len(drawn))
    means.sort()
    return means[50], means[1949]


def test_the_interval_is_that_of_a_loop_over_files() -> None:
    interval = cluster_bootstrap(VALUES, FILES, seed=1)
    low, high = naive_interval(VALUES, FILES, seed=1)

    assert interval.mean == pytest.approx(sum(VALUES) / len(VALUES))
    assert interval.low == pytest.approx(low, abs=0.005)
    assert interval.high == pytest.approx(high, abs=0.005)


def naive_ratio(above: list[float], below: list[float], seed: int) -> tuple[float, float]:
    names = list(dict.fromkeys(FILES))
    ratios = []
    for row in np.random.default_rng(seed).integers(len(names), size=(2000, len(names))):
        drawn = [n for idx in row for n, file in enumerate(FILES) if file == names[idx]]
        ratios.append(sum(above[n] for n in drawn) / sum(below[n] for n in drawn))
    ratios.sort()
    return ratios[50], ratios[1949]


def test_a_quotient_has_the_interval_of_a_loop_over_files() -> None:
    below = [float(1 + idx % 5) for idx in range(len(VALUES))]
    interval = ratio_bootstrap(VALUES, below, FILES, seed=1)
    low, high = naive_ratio(VALUES, below, seed=1)

    assert interval.mean == pytest.approx(sum(VALUES) / sum(below))
    assert interval.low == pytest.approx(low, abs=0.005)
    assert interval.high == pytest.approx(high, abs=0.005)


def test_a_draw_with_nothing_to_divide_by_says_nothing() -> None:
    interval = ratio_bootstrap([1.0, 0.0, 0.0], [2.0, 0.0, 0.0], list("abc"), seed=0)
    assert (interval.mean, interval.low, interval.high) == (0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match="zero"):
        ratio_bootstrap([1.0], [0.0], ["a"], seed=0)


def test_cases_of_one_file_are_no_more_evidence_for_being_many() -> None:
    once = cluster_bootstrap([0.0, 1.0, 0.0, 1.0, 1.0], list("abcde"), seed=0)
    often = cluster_bootstrap([0.0, 1.0, 0.0, 1.0, 1.0] * 20, list("abcde") * 20, seed=0)
    as_if_apart = cluster_bootstrap([0.0, 1.0, 0.0, 1.0, 1.0] * 20, range(100), seed=0)

    assert often == once
    assert as_if_apart.high - as_if_apart.low < (often.high - often.low) / 2


def test_the_same_answers_differ_by_nothing() -> None:
    interval = paired_difference(VALUES, VALUES, FILES, seed=0)
    assert (interval.mean, interval.low, interval.high) == (0.0, 0.0, 0.0)


def test_of_two_equally_good_systems_one_seems_better_as_often_as_promised() -> None:
    rng = random.Random(0)
    files = [n % 40 for n in range(400)]
    n_wrong = 0
    for trial in range(200):
        # Each system has files that suit it, so that cases of one file agree.
        luck = {(system, name): rng.random() for system in "ab" for name in files}
        ours, theirs = (
            [float(rng.random() < luck[system, name]) for name in files] for system in "ab"
        )
        interval = paired_difference(ours, theirs, files, seed=trial)
        n_wrong += not interval.low <= 0 <= interval.high
    assert 2 <= n_wrong <= 20  # 10 are expected; taking cases for independent gives 59


def test_a_better_system_is_seen_to_be_better() -> None:
    better = [1.0 if RNG.random() < 0.5 else value for value in VALUES]
    interval = paired_difference(better, VALUES, FILES, seed=0)
    assert 0 < interval.low < interval.mean < interval.high


def test_a_seed_repeats() -> None:
    first = cluster_bootstrap(VALUES, FILES, seed=1)
    assert cluster_bootstrap(VALUES, FILES, seed=1) == first
    assert cluster_bootstrap(VALUES, FILES, seed=2) != first


@pytest.mark.parametrize(("values", "files"), [([], []), ([1.0], ["a", "b"])])
def test_values_and_clusters_must_pair_up(values: list[float], files: list[str]) -> None:
    with pytest.raises(ValueError, match="clusters"):
        cluster_bootstrap(values, files, seed=0)
