"""Figures with intervals, as JSON and as tables: the report of all tasks but filling gaps.

A figure belongs to a group (a bucket, a system, a kind of typo) and has a metric; what the groups
and the metrics are is the task's business.
"""

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dgemma_ls.evaluation.layout import Table, number_with_bounds, percent_with_bounds, to_text
from dgemma_ls.evaluation.statistics import Interval, ratio_bootstrap

ALL = "all"
"""The group of all cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is measured.

    Attributes:
        title: what tables call it.
        is_share: whether it is a share of 1, which tables show in percent.
    """

    title: str
    is_share: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One metric of one group.

    Attributes:
        group: its name.
        metric: its name.
        n_cases: cases that the metric says something about.
        n_clusters: files, or whatever else these cases are from.
        interval: of the mean.
    """

    group: str
    metric: str
    n_cases: int
    n_clusters: int
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One run of a task.

    Attributes:
        task: its name on the command line.
        settings: model, data, seed and whatever else the figures depend on.
        clusters: what cases depend on each other in, and intervals resample: files.
        figures: by group and metric.
        notes: what a reader of the tables must know.
    """

    task: str
    settings: Mapping[str, Any]
    clusters: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]


def mean_figure(
    group: str,
    metric: str,
    values: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    seed: int,
) -> list[Figure]:
    """Give the mean over cases; nothing where there are none."""
    return ratio_figure(group, metric, values, [1.0] * len(values), clusters, seed=seed)


def ratio_figure(
    group: str,
    metric: str,
    numerators: Sequence[float],
    denominators: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    seed: int,
) -> list[Figure]:
    """Give the quotient of two sums over cases; nothing where there is nothing to divide by."""
    counted = [idx for idx, value in enumerate(denominators) if value]
    if not counted:
        return []
    return [
        Figure(
            group=group,
            metric=metric,
            n_cases=len(counted),
            n_clusters=len({clusters[idx] for idx in counted}),
            interval=ratio_bootstrap(numerators, denominators, clusters, seed=seed),
        )
    ]


def to_json(summary: Summary) -> str:
    """Give the summary for a program."""
    return json.dumps(asdict(summary), indent=1, ensure_ascii=False) + "\n"


def as_text(summary: Summary, tables: Sequence[Table]) -> str:
    """Give the summary for a terminal."""
    settings = ", ".join(f"{key} {_shown(value)}" for key, value in summary.settings.items())
    return to_text([settings, *summary.notes], tables)


def lay_out(
    summary: Summary, title: str, groups: Mapping[str, str], metrics: Mapping[str, Metric]
) -> Table:
    """Make a table with a column for each group and a row for each metric.

    Args:
        summary: has the figures.
        title: of the table.
        groups: the columns: names and titles; those without any figure are left out.
        metrics: the rows.
    """
    found = {(figure.group, figure.metric): figure for figure in summary.figures}
    known = {group for group, metric in found if metric in metrics}
    columns = {name: title for name, title in groups.items() if name in known}

    def cell(group: str, metric: str) -> str:
        figure = found.get((group, metric))
        if figure is None:
            return "-"
        return (percent_with_bounds if metrics[metric].is_share else number_with_bounds)(
            figure.interval
        )

    def n_cases(group: str) -> str:
        figure = next(found[group, name] for name in metrics if (group, name) in found)
        return f"{figure.n_cases} in {figure.n_clusters}"

    return Table(
        title=f"{title} [95 % interval]",
        header=("", *columns.values()),
        rows=(
            (f"cases in {summary.clusters}", *map(n_cases, columns)),
            *(
                (
                    f"{metric.title}, %" if metric.is_share else metric.title,
                    *(cell(group, name) for group in columns),
                )
                for name, metric in metrics.items()
                if any(name == key[1] for key in found)
            ),
        ),
    )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
