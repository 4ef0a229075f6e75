"""A report as one picture: exact match by bucket and system. Needs the extra ``eval``."""

import importlib
import importlib.util
from pathlib import Path

from dgemma_ls.evaluation.cases import BUCKETS
from dgemma_ls.evaluation.report import COMPARED, Report
from dgemma_ls.files import FileError

_GROUP_WIDTH = 0.84  # of the distance between two buckets


def can_draw() -> bool:
    """Say whether matplotlib is installed; it is no dependency of the server."""
    return importlib.util.find_spec("matplotlib") is not None


def draw(report: Report, path: Path) -> None:
    """Write the picture; the suffix says of what kind it is.

    Raises:
        FileError: the file cannot be written, or the suffix stands for no kind of picture.
    """
    # Figures of their own, without pyplot, need no display and leave nothing behind.
    figure_module = importlib.import_module("matplotlib.figure")
    figure = figure_module.Figure(figsize=(11, 5), layout="constrained")
    axes = figure.subplots()
    colours = importlib.import_module("matplotlib").colormaps["tab20"].colors
    width = _GROUP_WIDTH / max(1, len(report.titles))
    found = {(s.system, s.bucket): s.interval for s in report.scores if s.metric == COMPARED}
    for row, (system, title) in enumerate(report.titles.items()):
        # What every system has: a score in every bucket.
        intervals = [found[system, bucket] for bucket in report.buckets]
        heights = [100 * interval.mean for interval in intervals]
        errors = [
            [100 * max(0.0, interval.mean - interval.low) for interval in intervals],
            [100 * max(0.0, interval.high - interval.mean) for interval in intervals],
        ]
        places = [column + (row + 0.5) * width for column in range(len(report.buckets))]
        axes.bar(places, heights, width, label=title.strip(), color=colours[row % 20])
        axes.errorbar(places, heights, errors, fmt="none", ecolor="black", elinewidth=0.8)
    axes.set_xticks(
        [column + _GROUP_WIDTH / 2 for column in range(len(report.buckets))],
        [BUCKETS[bucket].title for bucket in report.buckets],
    )
    axes.set_ylabel("exact match, %")
    axes.set_title(f"{report.model}: gaps in held-out files, by tokens, with 95 % intervals")
    axes.legend(ncols=2, fontsize="small")
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as err:
        raise FileError(f"{path} cannot be written: {err}") from err
