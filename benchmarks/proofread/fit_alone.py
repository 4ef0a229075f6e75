"""Fit ``dgemma_ls/proofread/data/alone.json``: typos by the model alone, on synthetic errors."""

import json
import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import fit
import fit_features
import fit_models

from dgemma_ls.evaluation.typo_noise import KINDS, corrupt
from dgemma_ls.loading import load_engine
from dgemma_ls.proofread.alone import Doubt, Linear, Verdict, doubts, places_of, verdicts
from dgemma_ls.proofread.fixes import Knowledge, examine
from dgemma_ls.proofread.proposals import Kind
from dgemma_ls.types import Snapshot

_PASSAGES = 2400
_ERRORS = 0.7
_LOOKED_AT = 0.04  # share of words
# Of all edits, those far from any error among them. The aim's 0.90 counts edits on the lines of
# errors alone, where most wrong ones are not.
_PRECISION = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    text: str
    wrong: tuple[int, int, str] | None  # where the error is, and the right word
    doubts: list[Doubt]


def fit_alone(folders: list[Path], *, seed: int) -> None:
    """Draw passages, fit what doubts a word, then what decides on its best replacement.

    Two thirds of the passages give the weights, the last third the threshold.
    """
    engine = load_engine()
    rng = random.Random(f"{seed} alone")
    knowledge = Knowledge.load()
    cases: list[_Case] = []
    seen = set()
    for number, snapshot in enumerate(fit_features.passages(folders, _PASSAGES, rng)):
        if number % 200 == 0:
            print("alone", number, len(cases), file=sys.stderr)
        if snapshot.text in seen:
            continue
        seen.add(snapshot.text)
        clean = examine(snapshot, knowledge)
        n_words = sum(t.is_word for p in clean.document.passages for t in p.tokens)
        if n_words < 20 or any(p.features.get("listed") for p in clean.proposals):
            continue
        text, wrong = snapshot.text, None
        if rng.random() < _ERRORS:
            kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
            change = corrupt(clean.document, kind, knowledge.lexicon, rng)
            if change is None:
                continue
            text, start, right = change
            end = len(text) - (len(snapshot.text) - start - len(right))
            wrong = (start, end, right) if kind.value in ("nonword", "realword") else None
        typed = Snapshot(uri=snapshot.uri, version=0, language_id=snapshot.language_id, text=text)
        cases.append(_Case(text=text, wrong=wrong, doubts=doubts(typed, engine.read(text))))
    cut = len(cases) * 2 // 3
    doubt = _fit_doubt(cases[:cut])
    rows, places = [], 0
    for case in cases:
        doubtful = [d for d in case.doubts if doubt.log_odds(d.features) >= doubt.least]
        asked = places_of(case.text, doubtful, engine.tokenizer.encode)
        places += len(asked)
        scores = engine.compare(case.text, asked)
        found = verdicts(doubtful, asked, scores, engine.tokenizer.encode)
        rows.append(_labelled(case, found))
    print("alone: places", places, "words", sum(len(case.doubts) for case in cases))
    bias, weights = fit_models.logistic([row for found in rows[:cut] for row in found])
    decide = Linear(bias=bias, weights=weights, least=0.0)
    least = _least(rows[cut:], cases[cut:], decide)
    content = {
        name: {
            "bias": round(model.bias, 4),
            "weights": {key: round(value, 4) for key, value in sorted(model.weights.items())},
            "least": round(least_of, 4),
        }
        for name, model, least_of in (("doubt", doubt, doubt.least), ("decide", decide, least))
    }
    (fit.DATA / "alone.json").write_text(json.dumps(content, indent=1) + "\n")


def _fit_doubt(cases: Sequence[_Case]) -> Linear:
    rows = [
        {"features": d.features, "right": _is_wrong(case, d)} for case in cases for d in case.doubts
    ]
    bias, weights = fit_models.logistic(rows)
    model = Linear(bias=bias, weights=weights, least=0.0)
    ranked = sorted((model.log_odds(row["features"]), row["right"]) for row in rows)[::-1]
    n_looked_at = int(len(ranked) * _LOOKED_AT)
    n_found = sum(right for _, right in ranked[:n_looked_at])
    print(f"doubt: {n_found} of {sum(right for _, right in ranked)} in {n_looked_at} places")
    return Linear(bias=bias, weights=weights, least=ranked[n_looked_at][0])


def _labelled(case: _Case, found: Sequence[Verdict]) -> list[dict[str, object]]:
    return [
        {
            "features": {key: round(value, 4) for key, value in verdict.features.items()},
            "right": _is_wrong(case, verdict.doubt)
            and case.wrong is not None
            and verdict.new == case.wrong[2],
        }
        for verdict in found
    ]


def _is_wrong(case: _Case, doubt: Doubt) -> bool:
    return case.wrong is not None and (doubt.span.start, doubt.span.end) == case.wrong[:2]


def _least(rows: Sequence[list[dict[str, object]]], cases: Sequence[_Case], model: Linear) -> float:
    """Find the lowest threshold that is still precise enough on passages not fitted on."""
    n_words = sum(len(case.doubts) for case in cases)
    n_errors = sum(case.wrong is not None for case in cases)
    of_words = KINDS[Kind.NONWORD] + KINDS[Kind.REALWORD]  # the rest is not looked for
    rate = of_words * fit.ERRORS_PER_1000 / 1000 * n_words / max(1, n_errors)
    ranked = sorted(
        ((model.log_odds(row["features"]), row["right"]) for found in rows for row in found),  # type: ignore[arg-type]
        key=lambda row: -row[0],
    )
    least, n_right, n_wrong = math.inf, 0, 0
    for log_odds, right in ranked:
        n_right, n_wrong = n_right + bool(right), n_wrong + (not right)
        share = rate * n_right / (rate * n_right + n_wrong)
        if n_right >= fit_models.MIN_RIGHT and share >= _PRECISION:
            least = log_odds
            report = f"{n_right} of {n_errors} errors, {n_wrong} wrong"
    print("alone: from", least, report if least < math.inf else "never", "rate", rate)
    return least
