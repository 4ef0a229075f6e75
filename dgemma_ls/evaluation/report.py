"""Outcomes → a report, and the report as JSON. Knows no files, no engine and no layout."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from dgemma_ls.evaluation.cases import BUCKETS
from dgemma_ls.evaluation.metrics import METRICS
from dgemma_ls.evaluation.runner import Outcome
from dgemma_ls.evaluation.statistics import (
    Interval,
    Spread,
    cluster_bootstrap,
    paired_difference,
    spread,
)
from dgemma_ls.evaluation.systems import System

COMPARED = "exact_match"
"""The metric by which the best baseline is chosen and differences are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One system on one bucket by one metric.

    Attributes:
        system: its name.
        bucket: its name.
        metric: its name.
        n_cases: cases that the metric says something about.
        n_files: files that they were cut out of.
        interval: of the mean, in shares of 1.
    """

    system: str
    bucket: str
    metric: str
    n_cases: int
    n_files: int
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A system's exact match less that of another one, on the same cases."""

    system: str
    bucket: str
    baseline: str
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a fill of a system takes, over all buckets.

    Attributes:
        system: its name.
        milliseconds: with an encoded prefix.
        forwards: of the decoder; ``None`` for what has none.
        token_forwards: tokens of all canvases over these forwards.
    """

    system: str
    milliseconds: Spread
    forwards: Spread | None
    token_forwards: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run of the evaluation.

    Attributes:
        model: the checkpoint.
        data: where the documents came from.
        seed: of the cases and of the resampling.
        titles: what tables call each system, in their order.
        buckets: names, in the order of the columns.
        scores: every system on every bucket by every metric.
        differences: to the best baseline, where there is one.
        effects: of what variants change: differences to what they are variants of.
        costs: one for each system.
        notes: what a reader of the tables must know.
    """

    model: str
    data: str
    seed: int
    titles: dict[str, str]
    buckets: tuple[str, ...]
    scores: tuple[Score, ...]
    differences: tuple[Difference, ...]
    effects: tuple[Difference, ...]
    costs: tuple[Cost, ...]
    notes: tuple[str, ...]


def make_report(
    outcomes: Sequence[Outcome],
    systems: Sequence[System],
    *,
    model: str,
    data: str,
    seed: int,
    notes: Iterable[str] = (),
) -> Report:
    """Sum up the outcomes of a run, whole or cut short."""
    buckets = tuple(name for name in BUCKETS if any(o.case.bucket == name for o in outcomes))
    groups = {
        (system.name, bucket): [
            o for o in outcomes if o.system == system.name and o.case.bucket == bucket
        ]
        for system in systems
        for bucket in buckets
    }
    scores = [
        score
        for (system, bucket), group in groups.items()
        for metric in METRICS
        if (score := _score(system, bucket, metric, group, seed)) is not None
    ]
    baselines = [system.name for system in systems if system.is_baseline]
    differences = [
        _difference(name, bucket, best, groups, seed)
        for bucket in buckets
        if (best := _best(baselines, bucket, scores)) is not None
        for name in (system.name for system in systems)
        if name != best
    ]
    names = {system.name for system in systems}
    effects = [
        _difference(system.name, bucket, system.variant_of, groups, seed)
        for bucket in buckets
        for system in systems
        if system.variant_of in names
    ]
    return Report(
        model=model,
        data=data,
        seed=seed,
        titles={system.name: system.title for system in systems},
        buckets=buckets,
        scores=tuple(scores),
        differences=tuple(differences),
        effects=tuple(effects),
        costs=tuple(
            _cost(system.name, [o for o in outcomes if o.system == system.name])
            for system in systems
            if outcomes
        ),
        notes=tuple(notes),
    )


def to_json(report: Report) -> str:
    """Give the report for a program."""
    return json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n"


def _score(
    system: str, bucket: str, metric: str, group: Sequence[Outcome], seed: int
) -> Score | None:
    told = [o for o in group if metric in o.values]
    if not told:
        return None
    files = [o.case.document.path for o in told]
    return Score(
        system=system,
        bucket=bucket,
        metric=metric,
        n_cases=len(told),
        n_files=len(set(files)),
        interval=cluster_bootstrap([o.values[metric] for o in told], files, seed=seed),
    )


def _cost(system: str, outcomes: Sequence[Outcome]) -> Cost:
    forwards = [o.answer.forwards for o in outcomes if o.answer.forwards is not None]
    tokens = [o.answer.token_forwards for o in outcomes if o.answer.token_forwards is not None]
    return Cost(
        system=system,
        milliseconds=spread([o.milliseconds for o in outcomes]),
        forwards=spread(forwards) if forwards else None,
        token_forwards=spread(tokens) if tokens else None,
    )


def _best(baselines: Sequence[str], bucket: str, scores: Sequence[Score]) -> str | None:
    means = {
        s.system: s.interval.mean
        for s in scores
        if s.bucket == bucket and s.metric == COMPARED and s.system in baselines
    }
    return max(means, key=lambda name: means[name]) if means else None


def _difference(
    name: str,
    bucket: str,
    baseline: str,
    groups: dict[tuple[str, str], list[Outcome]],
    seed: int,
) -> Difference:
    ours, theirs = groups[name, bucket], groups[baseline, bucket]
    return Difference(
        system=name,
        bucket=bucket,
        baseline=baseline,
        interval=paired_difference(
            [o.values[COMPARED] for o in ours],
            [o.values[COMPARED] for o in theirs],
            [o.case.document.path for o in ours],
            seed=seed,
        ),
    )
