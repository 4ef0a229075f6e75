"""Fit all of ``dgemma_ls/proofread/data/*.json`` anew, to the byte.

    python benchmarks/proofread/fit_all.py SOURCES [--seed 1] [--work FOLDER] [--only alone]

SOURCES holds the source distributions that ``sources.json`` names, and ``selection.jsonl``, the
split of that name that ``python -m dgemma_engine.train`` makes of the corpus. They are unpacked
into a new folder in ``--work``; nothing else is read. One process, one thread; some twenty minutes.
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
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # sums in one order

import fit
import fit_alone
import fit_features

from dgemma_ls.evaluation.typo_noise import KINDS
from dgemma_ls.proofread.decide import load_weights
from dgemma_ls.proofread.proposals import Kind

_SOURCES = Path(__file__).parent / "sources.json"
_BY_CONTEXT = [Kind.REALWORD, Kind.MISSING, Kind.GRAMMAR]
# Draws: passages, the share of them with an error, of which kinds, and whether the model is asked.
_DRAWS: dict[str, list[dict[str, Any]]] = {
    "without_model": [
        {"passages": 6000, "errors": 0.5, "kinds": list(KINDS)},
        {"passages": 6000, "errors": 0.5, "kinds": list(KINDS)},
    ],
    "with_model": [
        {"passages": 1500, "errors": 0.85, "kinds": list(KINDS)},
        {"passages": 2400, "errors": 0.9, "kinds": _BY_CONTEXT},
    ],
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
    for name, draws in _DRAWS.items():
        if args.only not in (None, name):
            continue
        found = []
        for number, draw in enumerate(draws):
            out = work / f"{name}-{number}.jsonl"
            seed = random.Random(f"{args.seed} {name} {number}").randrange(2**31)
            model = name == "with_model"
            fit_features.write_features(
                argparse.Namespace(out=out, folders=folders, seed=seed, model=model, **draw)
            )
            found.append(out)
        fit.weights(argparse.Namespace(features=found, name=name))
        load_weights.cache_clear()  # the next reads these
    if args.only in (None, "alone"):
        fit_alone.fit_alone(folders, seed=args.seed)


if __name__ == "__main__":
    main()
