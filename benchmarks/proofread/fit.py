"""Fit ``dgemma_ls/proofread/data/weights.json`` on synthetic errors in permissive prose.

    python benchmarks/proofread/fit.py features OUT.jsonl FOLDER... [--passages N] [--model]
    python benchmarks/proofread/fit.py weights FEATURES.jsonl [--name without_model]

These are the two steps; ``fit_all.py`` runs them as they were run for what is shipped. FOLDERS hold
unpacked source distributions that neither the model nor the tables have seen. Passages in which the
curated list finds something are left out: their errors are not ours.
"""

import argparse
import json
import math
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dgemma_engine.types import Span
from dgemma_ls.evaluation.typo_noise import KINDS, corrupt
from dgemma_ls.loading import load_engine
from dgemma_ls.proofread.decide import Weights, choose, load_weights
from dgemma_ls.proofread.fixes import Examination, Knowledge, examine
from dgemma_ls.proofread.model_says import add_answers, questions
from dgemma_ls.proofread.proposals import Kind, Proposal
from dgemma_ls.syntax import language_for_path
from dgemma_ls.types import Snapshot

DATA = Path(__file__).parents[2] / "dgemma_ls" / "proofread" / "data"
# Typos of the texts themselves that no list has: they would be learnt as right.
_REAL_TYPOS = {"clck", "couldnt", "virtulenvs", "subclassers", "withing"}
# Words doubled in the texts themselves ("may only only be", "a list of of filepaths"), by what the
# rule would strike; one of them, "writing to to exist", is meant.
_REAL_DOUBLES = {" only", " of", " to", "the "}
_LINES = 36
_SUFFIXES = (".py", ".md", ".rst", ".txt")
_L2 = 1.0
# For each kind at most so many wrong edits in 1,000 words, and at least this precision.
_SAFE = {"false": 0.05, "precision": 0.95}
# A word changed for another word without asking is the worst that can happen.
_SAFE_BY_CONTEXT = {"false": 0.02, "precision": 0.99}
_SUGGEST = {
    "with_model": {"false": 0.3, "precision": 0.8},
    "without_model": {"false": 0.2, "precision": 0.86},
}
# What only neighbours tell is never that sure; suggestions as a whole stay above 0.85.
_SUGGEST_BY_CONTEXT = {
    "with_model": {"false": 0.2, "precision": 0.45},
    "without_model": {"false": 0.15, "precision": 0.6},
}
ERRORS_PER_1000 = 5.0  # of documents that someone wants proofread; synthetic ones have more
_FOLDS = 3
MIN_RIGHT = 10  # fewer do not show a precision
_BY_CONTEXT = (Kind.REALWORD, Kind.MISSING, Kind.GRAMMAR)


def passages(folders: list[Path], n_wanted: int, rng: random.Random) -> Iterator[Snapshot]:
    """Cut passages out of files, the same number of each folder as far as that goes."""
    files = [
        (folder, path)
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix in _SUFFIXES and path.is_file() and "locale" not in path.parts
    ]
    by_folder = defaultdict(list)
    for folder, path in files:
        by_folder[folder].append(path)
    n_given = 0
    while n_given < n_wanted:
        folder = rng.choice(folders)
        # Prose files are fewer than programs, and have most of the words.
        suffix = rng.choice((".py", ".md", ".rst", ".txt"))
        chosen = [path for path in by_folder[folder] if path.suffix == suffix]
        if not chosen:
            continue
        path = rng.choice(chosen)
        lines = path.read_text("utf-8", errors="replace").split("\n")
        at = rng.randrange(max(1, len(lines) // _LINES)) * _LINES
        text = "\n".join(lines[at : at + _LINES]) + "\n"
        n_given += 1
        yield Snapshot(uri=str(path), version=0, language_id=language_for_path(path), text=text)


def features(args: argparse.Namespace) -> None:
    """Write the proposals of clean and of corrupted passages with their labels."""
    rng = random.Random(args.seed)
    knowledge = Knowledge.load()
    reader = _reader() if args.model else None
    seen = set()
    with args.out.open("w") as out:
        for number, snapshot in enumerate(passages(args.folders, args.passages, rng)):
            if snapshot.text in seen:  # a folder of few files gives the same passages again
                continue
            seen.add(snapshot.text)
            clean = examine(snapshot, knowledge)
            if _REAL_TYPOS & clean.document.counts.keys():
                continue
            n_words = sum(t.is_word for p in clean.document.passages for t in p.tokens)
            if n_words < 20 or any(p.features.get("listed") for p in clean.proposals):
                continue
            text, kind = snapshot.text, None
            if rng.random() < args.errors:
                kind = rng.choices(args.kinds, [KINDS[kind] for kind in args.kinds])[0]
                change = corrupt(clean.document, kind, knowledge.lexicon, rng)
                if change is None:
                    continue
                text = change[0]
            wrong = Snapshot(
                uri=snapshot.uri, version=0, language_id=snapshot.language_id, text=text
            )
            found = clean if kind is None else examine(wrong, knowledge)
            if reader is not None:
                reader(found)
            rows = []
            for proposal in found.proposals:
                span = proposal.span
                fixed = text[: span.start] + proposal.new_text + text[span.end :]
                rows.append(
                    {
                        "kind": proposal.kind.value,
                        "place": proposal.place,
                        "new": proposal.new_text,
                        "old": text[span.start : span.end],
                        "right": kind is not None and fixed.split() == snapshot.text.split(),
                        "features": proposal.features,
                    }
                )
            row = {"error": kind and kind.value, "words": n_words, "proposals": rows}
            out.write(json.dumps(row) + "\n")
            if number % 200 == 0:
                print(number, file=sys.stderr)


def _reader() -> Callable[[Examination], None]:
    """Let the embedded model have its say where the weights without it leave a doubt."""
    engine = load_engine()
    table = load_weights(with_model=False)

    def add(found: Examination) -> None:
        asked = questions(found.document, found.proposals, table)
        scores = engine.compare(found.document.snapshot.text, asked.places)
        add_answers(asked, scores)

    return add


def weights(args: argparse.Namespace) -> None:
    """Fit each kind on all passages; choose thresholds by fits that have not seen a third."""
    rows = [json.loads(line) for path in args.features for line in path.open()]
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
            if p["right"] or p["kind"] != Kind.DOUBLED.value or p["old"] not in _REAL_DOUBLES
        ]
        for p in row["proposals"]:
            if p["old"] in _REAL_TYPOS:
                row["proposals"] = []
                break
    _drop_repeated(rows)
    random.Random(0).shuffle(rows)
    rate = (
        ERRORS_PER_1000 / 1000 * sum(r["words"] for r in rows) / sum(bool(r["error"]) for r in rows)
    )
    chosen: dict[Kind, list[tuple[float, bool]]] = {kind: [] for kind in Kind}
    for fold in range(_FOLDS):
        unseen = rows[fold::_FOLDS]
        seen = [row for number, row in enumerate(rows) if number % _FOLDS != fold]
        _choose(unseen, _fit_kinds(seen, rate, with_model=with_model), chosen)
    table = _fit_kinds(rows, rate, with_model=with_model)
    for kind, fitted in table.items():
        print(kind.value)
        for name, weight in sorted(fitted.weights.items(), key=lambda item: -abs(item[1])):
            print(f"    {name:18} {weight:7.3f}")
    table = _with_thresholds(rows, chosen, table, rate, args.name)
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


def _fit_kinds(rows: list[dict[str, Any]], rate: float, *, with_model: bool) -> dict[Kind, Weights]:
    table = {}
    for kind in Kind:
        if with_model and kind is Kind.DOUBLED:  # a rule; the model has nothing to add
            table[kind] = load_weights(with_model=False)[kind]
            continue
        of_kind = [p for row in rows for p in row["proposals"] if p["kind"] == kind.value]
        bias, fitted = _stacked(kind, of_kind, rate) if with_model else logistic(of_kind)
        table[kind] = Weights(bias=bias + math.log(rate), weights=fitted, safe=1.0, suggest=1.0)
    return table


def _drop_repeated(rows: list[dict[str, Any]]) -> None:
    """Drop what is wrong in a passage that was drawn before: one mistake counts once."""
    seen = set()
    for row in rows:
        kept = []
        for p in row["proposals"]:
            key = (p["kind"], p["old"], p["new"], round(p["features"].get("gain", 0.0), 3))
            if p["right"] or key not in seen:
                kept.append(p)
            seen.add(key)
        row["proposals"] = kept


def _stacked(
    kind: Kind, proposals: list[dict[str, Any]], rate: float
) -> tuple[float, dict[str, float]]:
    """Fit how much the model says beside the rest: few examples are enough for that."""
    base = load_weights(with_model=False)[kind]
    rows = [
        {
            "features": {
                "base": base.log_odds(p["features"] | {"listed_alone": 0.0}),
                "model": p["features"]["model"],
            },
            "right": p["right"],
        }
        for p in proposals
    ]
    if sum(row["right"] for row in rows) < MIN_RIGHT:
        return base.bias - math.log(rate), dict(base.weights)
    bias, fitted = logistic(rows)
    scale = fitted["base"]
    weights = {name: scale * weight for name, weight in base.weights.items()}
    return bias + scale * base.bias, weights | {"model": fitted["model"]}


def logistic(proposals: list[dict[str, Any]]) -> tuple[float, dict[str, float]]:
    """Fit ``right`` by ``features``: the constant, and a weight for each feature."""
    names = sorted({name for proposal in proposals for name in proposal["features"]})
    x = np.array([[p["features"].get(name, 0.0) for name in names] for p in proposals])
    y = np.array([float(p["right"]) for p in proposals])
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale < 1e-6] = 1.0
    z = np.concatenate(((x - mean) / scale, np.ones((len(x), 1))), axis=1)
    w = np.zeros(z.shape[1])
    penalty = np.full(len(w), _L2)
    penalty[-1] = 0.0
    for _ in range(40):  # Newton's method
        p = 1 / (1 + np.exp(-np.clip(z @ w, -30, 30)))
        gradient = z.T @ (p - y) + penalty * w
        hessian = (z.T * (p * (1 - p) + 1e-9)) @ z + np.diag(penalty + 1e-6)
        step = np.linalg.solve(hessian, gradient)
        w -= step
        if np.abs(step).max() < 1e-6:
            break
    fitted = w[:-1] / scale
    return float(w[-1] - (fitted * mean).sum()), dict(zip(names, map(float, fitted), strict=True))


def _choose(
    rows: list[dict[str, Any]],
    table: dict[Kind, Weights],
    chosen: dict[Kind, list[tuple[float, bool]]],
) -> None:
    """Add the choices in some passages, their probabilities and whether they are right."""
    for row in rows:
        proposals = [
            (
                Proposal(
                    kind=Kind(p["kind"]),
                    span=Span(start=0, end=0),  # nothing here asks
                    new_text=p["new"],
                    place=tuple(p["place"]),
                    features=p["features"],
                ),
                p["right"],
            )
            for p in row["proposals"]
        ]
        right = {id(proposal): is_right for proposal, is_right in proposals}
        for choice in choose([proposal for proposal, _ in proposals], table):
            of_kind = chosen[choice.proposal.kind]
            of_kind.append((choice.probability, right[id(choice.proposal)]))


def _with_thresholds(
    rows: list[dict[str, Any]],
    chosen: dict[Kind, list[tuple[float, bool]]],
    table: dict[Kind, Weights],
    rate: float,
    name: str,
) -> dict[Kind, Weights]:
    n_words = sum(row["words"] for row in rows)
    n_errors = Counter(row["error"] for row in rows)
    result = {}
    for kind, found in chosen.items():
        if table[kind].suggest < 1.0:  # taken over
            result[kind] = table[kind]
            continue
        found.sort(reverse=True)
        limits = []
        by_context = kind in _BY_CONTEXT
        safe = _SAFE_BY_CONTEXT if by_context else _SAFE
        suggest = (_SUGGEST_BY_CONTEXT if by_context else _SUGGEST)[name]
        for tier in (safe, suggest):
            best, n_right, n_wrong = 1.0, 0, 0
            for idx, (probability, is_right) in enumerate(found):
                n_right, n_wrong = n_right + is_right, n_wrong + (not is_right)
                last = idx + 1 == len(found) or found[idx + 1][0] < probability
                if (
                    last
                    and n_right >= MIN_RIGHT
                    and rate * n_right / (rate * n_right + n_wrong) >= tier["precision"]
                    and 1000 * n_wrong / n_words <= tier["false"]
                ):
                    # Where all are good, those a little less sure than all seen are, too.
                    best = min(probability, 0.5) if idx + 1 == len(found) else probability
                    report = (n_right, n_wrong, n_errors[kind.value])
            limits.append(best)
            print(kind.value, tier, f"from {best:.3f}", report if best < 1 else "never")
        old = table[kind]
        result[kind] = Weights(
            bias=old.bias, weights=old.weights, safe=max(limits), suggest=min(limits)
        )
    return result


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
    step.set_defaults(run=features)
    step = steps.add_parser("weights")
    step.add_argument("features", type=Path, nargs="+")
    step.add_argument("--name", default="without_model")
    step.set_defaults(run=weights)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
