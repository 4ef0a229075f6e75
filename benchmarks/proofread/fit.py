"""Fit ``dgemma_ls/proofread/data/weights.json`` on synthetic errors in permissive prose.

    python benchmarks/proofread/fit.py features OUT.jsonl FOLDER... [--passages N] [--model]
    python benchmarks/proofread/fit.py weights FEATURES.jsonl [--name without_model]

These are the two steps; ``fit_all.py`` runs them as they were run for what is shipped. FOLDERS hold
unpacked source distributions that neither the model nor the tables have seen. Passages in which the
curated list finds something are left out: their errors are not ours.
"""

import argparse
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

from fit_features import REAL_TYPOS, write_features
from fit_models import fit_kinds
from fit_thresholds import Chosen, choices, with_thresholds

from dgemma_ls.evaluation.typo_noise import KINDS
from dgemma_ls.proofread.language import n_function_words
from dgemma_ls.proofread.proposals import Kind

DATA = Path(__file__).parents[2] / "dgemma_ls" / "proofread" / "data"
ERRORS_PER_1000 = 5.0  # of documents that someone wants proofread; synthetic ones have more
_FOLDS = 3


def weights(args: argparse.Namespace) -> None:
    """Fit each kind on all passages; choose thresholds by fits that have not seen a third."""
    rows = [json.loads(line) for line in args.features.open()]
    with_model = args.name == "with_model"
    for row in rows:
        # With the model, what is not worth asking it about is dropped; without, its say is.
        row["proposals"] = [
            p for p in row["proposals"] if p["features"].pop("asked", 0.0) or not with_model
        ]
        if not with_model:
            for p in row["proposals"]:
                p["features"].pop("model", None)
        row["proposals"] = [
            p
            for p in row["proposals"]
            if p["right"] or p["kind"] != Kind.DOUBLED.value or not _is_real_double(p)
        ]
        for p in row["proposals"]:
            if p["old"] in REAL_TYPOS:
                row["proposals"] = []
                break
    _drop_repeated(rows)
    random.Random(0).shuffle(rows)
    _weigh(rows)
    chosen: list[Chosen] = []
    for fold in range(_FOLDS):
        seen = [row for number, row in enumerate(rows) if number % _FOLDS != fold]
        chosen += choices(rows[fold::_FOLDS], fit_kinds(seen, with_model=with_model))
    table = fit_kinds(rows, with_model=with_model)
    for kind, fitted in table.items():
        print(kind.value)
        for name, weight in sorted(fitted.weights.items(), key=lambda item: -abs(item[1])):
            print(f"    {name:18} {weight:7.3f}")
    table = with_thresholds(rows, chosen, table)
    path = DATA / "weights.json"
    data: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    data[args.name] = {
        kind.value: {
            "bias": round(w.bias, 4),
            "weights": {name: round(value, 4) for name, value in sorted(w.weights.items())},
            "safe": round(w.safe, 4),
            "suggest": round(w.suggest, 4),
        }
        for kind, w in table.items()
    }
    path.write_text(json.dumps(data, indent=1) + "\n")


def _is_real_double(proposal: dict[str, Any]) -> bool:
    """Say whether a doubled word is a mistake of the text itself ("a list of of filepaths").

    Read one by one, doubled function words were, all but one ("writing to to exist").
    """
    return not proposal["at_error"] and n_function_words([proposal["old"].strip().lower()]) > 0


def _weigh(rows: list[dict[str, Any]]) -> None:
    """Let each proposal count for as many as there are of it in documents with people's errors."""
    n_words = sum(row["words"] for row in rows)
    n_errors = Counter(row["error"] for row in rows if row["error"])
    for row in rows:
        kind = row["error"]
        share = kind and KINDS[Kind(kind)] * ERRORS_PER_1000 / 1000 * n_words / n_errors[kind]
        for p in row["proposals"]:
            p["weight"] = share if p["right"] or p["at_error"] else 1.0


def _drop_repeated(rows: list[dict[str, Any]]) -> None:
    """Drop what is wrong in the same way twice: texts are copied from package to package."""
    seen = set()
    for row in rows:
        kept = []
        for p in row["proposals"]:
            key = (p["kind"], p["old"], p["new"], round(p["features"].get("gain", 0.0), 3))
            if p["right"] or key not in seen:
                kept.append(p)
            seen.add(key)
        row["proposals"] = kept


def main() -> None:
    """Run a step."""
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(required=True)
    step = steps.add_parser("features")
    step.add_argument("out", type=Path)
    step.add_argument("folders", type=Path, nargs="+")
    step.add_argument("--passages", type=int, default=4000)
    step.add_argument("--seed", type=int, default=0)
    step.add_argument("--errors", type=float, default=0.5, help="share of passages with one")
    step.add_argument(
        "--kinds", type=lambda text: [Kind(k) for k in text.split(",")], default=list(KINDS)
    )
    step.add_argument("--model", action="store_true")
    step.set_defaults(run=write_features)
    step = steps.add_parser("weights")
    step.add_argument("features", type=Path)
    step.add_argument("--name", default="without_model")
    step.set_defaults(run=weights)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
