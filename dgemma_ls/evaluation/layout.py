"""Lines and tables as text: for a terminal and as Markdown. Knows no report."""

from collections.abc import Sequence
from dataclasses import dataclass

from dgemma_ls.evaluation.statistics import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells to print; the first column is left-aligned, the others are right-aligned."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def to_text(preamble: Sequence[str], tables: Sequence[Table]) -> str:
    """Lay out for a terminal."""
    blocks = ["\n".join(preamble)]
    for table in tables:
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


def to_markdown(preamble: Sequence[str], tables: Sequence[Table]) -> str:
    """Lay out for a document."""
    blocks = ["\n".join(f"- {line}" for line in preamble)]
    for table in tables:
        rule = "|".join(["---", *["---:"] * (len(table.header) - 1)])
        rows = [f"| {' | '.join(cell.strip() for cell in row)} |" for row in table.rows]
        header = f"| {' | '.join(table.header)} |"
        blocks.append("\n".join([f"**{table.title}**\n", header, f"|{rule}|", *rows]))
    return "\n\n".join(blocks) + "\n"


def percent(share: float) -> str:
    """Give a share of 1 in percent."""
    return f"{100 * share:.1f}"


def percent_with_bounds(interval: Interval) -> str:
    """Give a share of 1 in percent, and where it may lie."""
    return f"{percent(interval.mean)} [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"


def number_with_bounds(interval: Interval) -> str:
    """Give a number that is no share, and where it may lie."""
    return f"{interval.mean:.3f} [{interval.low:.2f}, {interval.high:.2f}]"
