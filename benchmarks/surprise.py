"""How often is a planted mistake among the hints of the surprise map?

    python benchmarks/surprise.py [--cases N] [--data FILE] [--fit] [--checkpoint FOLDER]

In held-out files one name is swapped for another of the same kind nearby (seven of ten times), or
an operator for one that it is confused with. Then the server's own function looks through the file.
Reported is how often the planted place is among the first K hints, by the server's score and by
its parts. ``--fit`` prints weights for ``features/surprise.py``: of the softmax over the words of a
file that finds the planted one; use the selection data for that.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from dgemma_engine import load
from dgemma_engine.types import Span
from dgemma_ls.evaluation.cases import Document, read_documents
from dgemma_ls.features.surprise import FACTS, Doubt
from dgemma_ls.features.surprise_check import (
    MOST,
    StretchCache,
    SurpriseCheck,
    check_steps,
    shown,
)
from dgemma_ls.proofread.steps import run_through
from dgemma_ls.syntax import names_in, operators_in
from dgemma_ls.types import Snapshot

DATA = Path(__file__).parent / "holdout" / "holdout.jsonl.gz"
KS = (1, 3, 5, 10, 20)
_SHORTEST, _LONGEST = 1_500, 5_000  # characters
_N_NEAR = 20
_SHARE_OF_NAMES = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A file with a mistake."""

    path: str
    text: str
    at: int
    is_operator: bool


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=80)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--checkpoint", default="embedded")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    engine = load(options.checkpoint)
    documents = [
        document
        for document in read_documents(options.data)
        if _SHORTEST <= len(document.text) <= _LONGEST
    ]
    cases = list(plant(documents, options.cases, random.Random(options.seed)))
    started = time.process_time()
    found = [look(engine, case.text) for case in cases]
    seconds = time.process_time() - started
    n_characters = sum(len(case.text) for case in cases)
    print(
        f"{len(cases)} files of {n_characters / len(cases):.0f} characters on average, "
        f"{seconds / n_characters * 1000:.2f} s of one core per 1,000 characters\n"
    )
    print("| by | " + " | ".join(f"first {k}" for k in KS) + " |\n" + "|---" * (len(KS) + 1) + "|")
    row("score", cases, found, lambda doubt: doubt.score)
    row("surprisal of the encoder", cases, found, lambda doubt: doubt.facts[1])
    row("margin of the decoder", cases, found, lambda doubt: -doubt.facts[2])
    row("nats for another word", cases, found, lambda doubt: doubt.gain)
    for kind in (False, True):
        those = [n for n, case in enumerate(cases) if case.is_operator == kind]
        title = f"score, {'operators' if kind else 'names'} ({len(those)})"
        row(title, [cases[n] for n in those], [found[n] for n in those], lambda d: d.score)
    hints = [shown(doubts) for doubts in found]
    hits = sum(any(d.span.start == c.at for d in h) for c, h in zip(cases, hints, strict=True))
    n_hints = sum(map(len, hints))
    print(f"\nAs shown (at most {MOST}): {hits} of {len(cases)} among {n_hints} hints")
    if options.fit:
        fit(cases, found)


def plant(documents: Sequence[Document], n: int, rng: random.Random) -> Iterator[Planted]:
    """Make mistakes in documents, one each, in turn."""
    order = list(documents)
    rng.shuffle(order)
    n_made = number = 0
    while n_made < n:
        document = order[number % len(order)]
        number += 1
        text = document.text
        whole = Span(start=0, end=len(text))
        names = [name for name in names_in("python", text, whole) or () if len(name.text) > 1]
        operators = operators_in("python", text, whole)
        swaps: list[tuple[Span, list[str]]] = []
        is_operator = bool(operators) and rng.random() >= _SHARE_OF_NAMES
        if is_operator:
            swaps = [(span, list(others)) for span, others in operators]
        for name in () if is_operator else names:
            if name.text not in ("self", "cls") and not (name.is_label or name.is_function):
                alike = [o for o in names if o.is_member == name.is_member and o.text != name.text]
                alike.sort(key=lambda o: abs(o.span.start - name.span.start))
                near = list(dict.fromkeys(o.text for o in alike if o.text not in ("self", "cls")))
                swaps.append((name.span, near[:_N_NEAR]))
        swaps = [(span, others) for span, others in swaps if others]
        if not swaps:
            continue
        span, others = rng.choice(swaps)
        yield Planted(
            path=document.path,
            text=text[: span.start] + rng.choice(others) + text[span.end :],
            at=span.start,
            is_operator=is_operator,
        )
        n_made += 1


def look(engine: object, text: str) -> list[Doubt]:
    """Look through a text as the server does."""
    snapshot = Snapshot(uri="file", version=1, language_id="python", text=text)
    check = SurpriseCheck(snapshot=snapshot)
    run_through(check_steps(check, StretchCache(), engine))
    return check.doubts


def row(
    title: str,
    cases: Sequence[Planted],
    found: Sequence[list[Doubt]],
    key: Callable[[Doubt], float],
) -> None:
    """Print in how many cases the mistake is among the first hints by a key."""
    ranks = []
    for case, doubts in zip(cases, found, strict=True):
        ordered = sorted(doubts, key=key, reverse=True)
        places = [n for n, doubt in enumerate(ordered) if doubt.span.start == case.at]
        ranks.append(places[0] if places else None)
    counts = [sum(rank is not None and rank < k for rank in ranks) for k in KS]
    print(f"| {title} | " + " | ".join(map(str, counts)) + " |")


def fit(cases: Sequence[Planted], found: Sequence[list[Doubt]]) -> None:
    """Print the weights that make the planted words likeliest."""
    weights = torch.zeros(len(FACTS), requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    rows, targets, kinds = [], [], []
    for case, doubts in zip(cases, found, strict=True):
        places = [n for n, doubt in enumerate(doubts) if doubt.span.start == case.at]
        if places:
            rows.append(torch.tensor([doubt.facts for doubt in doubts]))
            targets.append(places[0])
        kinds += [float(doubt.span.start == case.at) for doubt in doubts]
    facts = torch.tensor([doubt.facts for doubts in found for doubt in doubts])
    optimizer = torch.optim.LBFGS([weights], max_iter=100)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = sum(
            (-torch.log_softmax(r @ weights, 0)[t] for r, t in zip(rows, targets, strict=True)),
            start=(weights**2).sum(),
        )
        loss.backward()
        return loss

    optimizer.step(closure)
    scores = facts @ weights.detach()
    second = torch.optim.LBFGS([bias], max_iter=100)

    def of_bias() -> torch.Tensor:
        second.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            scores + bias, torch.tensor(kinds), reduction="sum"
        )
        loss.backward()
        return loss

    second.step(of_bias)
    named = {name: round(float(w), 2) for name, w in zip(FACTS, weights.detach(), strict=True)}
    print(f"\nbias {bias.item():.2f}, weights {named}")


if __name__ == "__main__":
    main()
