"""A report as tables: for a terminal and as Markdown."""

from dataclasses import dataclass

from dgemma_ls.evaluation.cases import BUCKETS
from dgemma_ls.evaluation.metrics import METRICS
from dgemma_ls.evaluation.report import COMPARED, Difference, Report
from dgemma_ls.evaluation.statistics import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells to print; the first column is left-aligned, the others are right-aligned."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(report: Report) -> list[Table]:
    """Lay the report out."""
    found = {(s.system, s.bucket, s.metric): s for s in report.scores}

    def cell(system: str, bucket: str, metric: str) -> str:
        score = found.get((system, bucket, metric))
        if score is None:
            return "-"
        return _with_bounds(score.interval) if metric == COMPARED else _percent(score.interval.mean)

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
    return [laid_out[0], *_difference_table(report), *laid_out[1:], _time_table(report)]


def as_text(report: Report) -> str:
    """Give the report for a terminal."""
    blocks = [_preamble(report)]
    for table in tables(report):
        widths = [max(map(len, column)) for column in zip(table.header, *table.rows, strict=True)]
        lines = [
            "  ".join(
                text.rjust(width) if idx else text.ljust(width)
                for idx, (text, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in (table.header, *table.rows)
        ]
        blocks.append("\n".join([table.title, *lines]))
    return "\n\n".join(blocks) + "\n"


def as_markdown(report: Report) -> str:
    """Give the report for a document."""
    blocks = [_preamble(report, bullet="- ")]
    for table in tables(report):
        rule = "|".join(["---", *["---:"] * (len(table.header) - 1)])
        rows = [f"| {' | '.join(cell.strip() for cell in row)} |" for row in table.rows]
        header = f"| {' | '.join(table.header)} |"
        blocks.append("\n".join([f"**{table.title}**\n", header, f"|{rule}|", *rows]))
    return "\n\n".join(blocks) + "\n"


def _difference_table(report: Report) -> list[Table]:
    if not report.differences:
        return []
    best = {d.bucket: d.baseline for d in report.differences}
    found = {(d.system, d.bucket): d for d in report.differences}
    return [
        Table(
            title="exact match less that of the best baseline, points [95 % interval]",
            header=("", *(BUCKETS[bucket].title for bucket in report.buckets)),
            rows=(
                ("best baseline", *(best.get(bucket, "-") for bucket in report.buckets)),
                *(
                    (title, *(_signed(found.get((name, bucket))) for bucket in report.buckets))
                    for name, title in report.titles.items()
                    if any(d.system == name for d in report.differences)
                ),
            ),
        )
    ]


def _time_table(report: Report) -> Table:
    return Table(
        title="milliseconds a fill, median, prefix already encoded",
        header=("", "ms"),
        rows=tuple(
            (title, f"{report.milliseconds[name]:.1f}")
            for name, title in report.titles.items()
            if name in report.milliseconds
        ),
    )


def _preamble(report: Report, bullet: str = "") -> str:
    counted = {s.bucket: s for s in report.scores if s.metric == COMPARED}
    sizes = ", ".join(
        f"{BUCKETS[name].title}: {counted[name].n_cases} in {counted[name].n_files}"
        for name in report.buckets
    )
    lines = [
        f"model {report.model}, data {report.data}, seed {report.seed}",
        f"cases, and files that they are from: {sizes or 'none'}",
        *report.notes,
    ]
    return "\n".join(bullet + line for line in lines)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _with_bounds(interval: Interval) -> str:
    return f"{_percent(interval.mean)} [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"


def _signed(difference: Difference | None) -> str:
    if difference is None:
        return "-"
    interval = difference.interval
    bounds = f"[{100 * interval.low:+.0f}, {100 * interval.high:+.0f}]"
    return f"{100 * interval.mean:+.1f} {bounds}"
