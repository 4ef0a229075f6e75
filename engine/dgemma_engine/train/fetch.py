"""Recipe → a folder with the pinned wheels and source distributions, by pip.

pip asks the build backend of a source distribution for its metadata even if it only downloads it,
so fetching documentation runs the packages' own build scripts; reading it afterwards runs nothing.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from dgemma_engine.train.corpus import CorpusRecipe, Report
from dgemma_engine.train.progress import OnProgress, no_progress
from dgemma_engine.train.sources import Package, find_sdist, find_wheel

RunPip = Callable[[Sequence[str]], str]
"""Runs pip with these arguments; gives its last complaint, nothing if all went well."""

_AT_ONCE = 4


def call_pip(arguments: Sequence[str]) -> str:
    """Run the running Python's pip; a :data:`RunPip`."""
    command = [sys.executable, "-m", "pip", "--quiet", "--no-input", *arguments]
    done = subprocess.run(  # its output may be of any encoding
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or [f"pip ended with {done.returncode}"])[-1]


def fetch(
    recipe: CorpusRecipe,
    folder: Path,
    report: Report,
    *,
    progress: OnProgress = no_progress,
    run_pip: RunPip = call_pip,
) -> None:
    """Download what the recipe names and the folder lacks.

    Args:
        recipe: wheels of its packages, selection and hold-out, and the source distributions of
            its documentation.
        folder: made if absent; a file is there completely or not at all.
        report: called with one line per file.
        progress: told of files.
        run_pip: fetches one file.

    Raises:
        ValueError: some could not be had; all that could are there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wheels = recipe.packages + recipe.selection + recipe.holdout
    wanted = [(package, False) for package in wheels]
    wanted += [(package, True) for package in recipe.documentation]
    missing = [
        (package, is_sdist)
        for package, is_sdist in wanted
        if (find_sdist if is_sdist else find_wheel)(package, folder) is None
    ]
    # A local version is somebody's own build, which no index has.
    local = [package for package, _ in missing if "+" in package.version]
    for package in local:
        report(f"skipped: {_label(package)}: not on an index, taken from the running environment")
    missing = [(package, is_sdist) for package, is_sdist in missing if package not in local]
    n_done, n_failed = len(wanted) - len(missing), 0
    progress(n_done, len(wanted))
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        futures = {
            pool.submit(_fetch_one, package, folder, run_pip, is_sdist=is_sdist): (
                f"{_label(package)}{' (source)' if is_sdist else ''}"
            )
            for package, is_sdist in missing
        }
        for future in as_completed(futures):
            complaint = future.result()
            report(f"{futures[future]}: {complaint or 'fetched'}")
            n_failed += bool(complaint)
            n_done += 1
            progress(n_done, len(wanted))
    finally:  # interrupted: what is under way ends, the rest does not begin
        pool.shutdown(cancel_futures=True)
    if n_failed:
        raise ValueError(
            f"{n_failed} of {len(wanted)} files could not be fetched; run the step again for them,"
            " or build the corpus without"
        )


def _fetch_one(package: Package, folder: Path, run_pip: RunPip, *, is_sdist: bool) -> str:
    kind = ("--no-binary", package.name) if is_sdist else ("--only-binary", ":all:")
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as scratch:
        complaint = run_pip(["download", "--no-deps", *kind, "--dest", scratch, _label(package)])
        for path in Path(scratch).iterdir() if not complaint else ():
            path.replace(folder / path.name)
    return complaint


def _label(package: Package) -> str:
    return f"{package.name}=={package.version}"
