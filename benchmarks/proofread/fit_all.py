"""Fit all of ``dgemma_ls/proofread/data/*.json`` anew, to the byte.

    python benchmarks/proofread/fit_all.py SOURCES [--seed 1] [--work FOLDER] [--only alone]

SOURCES holds the source distributions that ``sources.json`` names, and ``selection.jsonl``, the
split of that name that ``python -m dgemma_engine.train`` makes of the corpus. They are unpacked
into a new folder in ``--work``; nothing else is read. One process, one thread;
fifteen minutes of CPU time.
"""

import argparse
import hashlib
import json
import os
import random
import sys
import tarfile
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # sums in one order

import fit
import fit_alone
import fit_features

from dgemma_ls.evaluation.typo_noise import KINDS
from dgemma_ls.proofread.decide import load_weights

_SOURCES = Path(__file__).parent / "sources.json"
# Passages drawn, about half of which have prose, and the share of them that get an error.
_DRAWS = {
    "without_model": {"passages": 12000, "errors": 0.75},
    "with_model": {"passages": 7000, "errors": 0.85},
}


def unpack(sources: Path, work: Path) -> list[Path]:
    """Unpack the distributions and the selection split; give their folders in order.

    Raises:
        SystemExit: a file is missing, or not the one that was fitted on.
    """
    expected: dict[str, str] = json.loads(_SOURCES.read_text())
    for name, digest in expected.items():
        path = sources / name
        if not path.is_file():
            raise SystemExit(f"{path} is missing; see dgemma_ls/proofread/data/README.md")
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise SystemExit(f"{path} is not the file that the weights were fitted on")
        if name.endswith(".tar.gz"):
            with tarfile.open(path) as archive:
                archive.extractall(work, filter="data")
    selection = work / "selection"
    selection.mkdir()
    for number, line in enumerate((sources / "selection.jsonl").open(encoding="utf-8")):
        row = json.loads(line)
        name = f"{number}_{row['package']}_{row['path'].replace('/', '_')}"
        (selection / name).write_text(row["text"], encoding="utf-8", newline="")
    return sorted(path for path in work.iterdir() if path.is_dir())


def main() -> None:
    """Fit the weights without the model, those with it, and those of the model alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="where to unpack (default: the system's)")
    parser.add_argument("--only", choices=[*_DRAWS, "alone"], help="one of the three")
    args = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets reaches ties
        again = os.environ | {"PYTHONHASHSEED": "0"}
        os.execve(sys.executable, [sys.executable, *sys.argv], again)  # noqa: S606 - ourselves
    work = Path(tempfile.mkdtemp(dir=args.work))
    folders = unpack(args.sources, work)
    for name, draw in _DRAWS.items():
        if args.only not in (None, name):
            continue
        out = work / f"{name}.jsonl"
        drawn = argparse.Namespace(
            out=out,
            folders=folders,
            seed=random.Random(f"{args.seed} {name}").randrange(2**31),
            model=name == "with_model",
            kinds=list(KINDS),
            **draw,
        )
        fit_features.write_features(drawn)
        fit.weights(argparse.Namespace(features=out, name=name))
        load_weights.cache_clear()  # the next reads these
    if args.only in (None, "alone"):
        fit_alone.fit_alone(folders, seed=args.seed)


if __name__ == "__main__":
    main()
