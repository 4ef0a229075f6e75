"""A report of filled gaps as tables: for a terminal and as Markdown."""

from collections.abc import Sequence

from dgemma_ls.evaluation.cases import BUCKETS
from dgemma_ls.evaluation.layout import Table, percent, percent_with_bounds, to_markdown, to_text
from dgemma_ls.evaluation.metrics import METRICS
from dgemma_ls.evaluation.report import COMPARED, Difference, Report
from dgemma_ls.evaluation.statistics import Spread
from dgemma_ls.evaluation.systems import SHIPPED, SHIPPED_UNKNOWN


def tables(report: Report) -> list[Table]:
    """Lay the report out."""
    found = {(s.system, s.bucket, s.metric): s for s in report.scores}

    def cell(system: str, bucket: str, metric: str) -> str:
        score = found.get((system, bucket, metric))
        if score is None:
            return "-"
        interval = score.interval
        return percent_with_bounds(interval) if metric == COMPARED else percent(interval.mean)

    laid_out = [
        Table(
            title=f"{title}, %" + (" [95 % interval]" if metric == COMPARED else ""),
            header=("", *(BUCKETS[bucket].title for bucket in report.buckets)),
            rows=tuple(
                (title_, *(cell(system, bucket, metric) for bucket in report.buckets))
                for system, title_ in report.titles.items()
            ),
        )
        for metric, title in METRICS.items()
    ]
    exact_match, *others = laid_out
    return [
        exact_match,
        *_unknown_length_table(report),
        *_difference_table(report),
        *_effect_table(report),
        *others,
        _cost_table(report),
    ]


def as_text(report: Report) -> str:
    """Give the report for a terminal."""
    return to_text(_preamble(report), tables(report))


def as_markdown(report: Report) -> str:
    """Give the report for a document."""
    return to_markdown(_preamble(report), tables(report))


def _unknown_length_table(report: Report) -> list[Table]:
    """What not knowing the length costs: the share of exact matches that is left."""
    exact = {(s.system, s.bucket): s.interval.mean for s in report.scores if s.metric == COMPARED}
    if not {SHIPPED, SHIPPED_UNKNOWN} <= set(report.titles):
        return []

    def kept(bucket: str) -> str:
        told = exact[SHIPPED, bucket]
        return percent(exact[SHIPPED_UNKNOWN, bucket] / told) if told else "-"

    return [
        Table(
            title="exact match, any length / told the length, %",
            header=("", *(BUCKETS[bucket].title for bucket in report.buckets)),
            rows=((report.titles[SHIPPED], *map(kept, report.buckets)),),
        )
    ]


def _difference_table(report: Report) -> list[Table]:
    if not report.differences:
        return []
    best = {d.bucket: d.baseline for d in report.differences}
    return [
        Table(
            title="exact match less that of the best baseline, points [95 % interval]",
            header=("", *(BUCKETS[bucket].title for bucket in report.buckets)),
            rows=(
                ("best baseline", *(best.get(bucket, "-") for bucket in report.buckets)),
                *_signed_rows(report, report.differences),
            ),
        )
    ]


def _effect_table(report: Report) -> list[Table]:
    """What a change is worth: variants beside what they are variants of."""
    if not report.effects:
        return []
    titles = report.titles
    of = {d.system: titles[d.baseline].strip() for d in report.effects}
    rows = _signed_rows(report, report.effects)
    names = [name for name in titles if name in of]
    return [
        Table(
            title="exact match less that of the system it varies, points [95 % interval]",
            header=("", *(BUCKETS[bucket].title for bucket in report.buckets), "varies"),
            rows=tuple((*row, of[name]) for name, row in zip(names, rows, strict=True)),
        )
    ]


def _signed_rows(report: Report, differences: Sequence[Difference]) -> tuple[tuple[str, ...], ...]:
    found = {(d.system, d.bucket): d for d in differences}
    return tuple(
        (title, *(_signed(found.get((name, bucket))) for bucket in report.buckets))
        for name, title in report.titles.items()
        if any(d.system == name for d in differences)
    )


def _cost_table(report: Report) -> Table:
    costs = {cost.system: cost for cost in report.costs}
    return Table(
        title="a fill, prefix already encoded: median, and nine in ten at most",
        header=("", "ms", "90 %", "forwards", "90 %", "tokens x forwards", "90 %"),
        rows=tuple(
            (
                title,
                *_spread(costs[name].milliseconds, digits=1),
                *_spread(costs[name].forwards),
                *_spread(costs[name].token_forwards),
            )
            for name, title in report.titles.items()
            if name in costs
        ),
    )


def _spread(spread: Spread | None, *, digits: int = 0) -> tuple[str, str]:
    if spread is None:
        return "-", "-"
    return f"{spread.median:.{digits}f}", f"{spread.p90:.{digits}f}"


def _preamble(report: Report) -> list[str]:
    counted = {s.bucket: s for s in report.scores if s.metric == COMPARED}
    sizes = ", ".join(
        f"{BUCKETS[name].title}: {counted[name].n_cases} in {counted[name].n_files}"
        for name in report.buckets
    )
    return [
        f"model {report.model}, data {report.data}, seed {report.seed}",
        f"cases, and files that they are from: {sizes or 'none'}",
        *report.notes,
    ]


def _signed(difference: Difference | None) -> str:
    if difference is None:
        return "-"
    interval = difference.interval
    bounds = f"[{100 * interval.low:+.0f}, {100 * interval.high:+.0f}]"
    return f"{100 * interval.mean:+.1f} {bounds}"
