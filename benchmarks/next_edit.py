"""How good are next edits? Offers in the middle of renames, and where nothing is to be changed.

    python benchmarks/next_edit.py [--cases N] [--data FILE] [--all] [--checkpoint FOLDER]

In each situation (``edit_situations.py``) the server's own function is asked once. An offer is
right if it does a part of what is left to do and changes nothing else. With ``--all`` names that
the model would not expect are offered as well; two kinds of situations are for them: a name near
the cursor was swapped for another, and nothing was.
"""

import argparse
import random
import time
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

from edit_situations import Situation, draw_situations

from dgemma_engine import load
from dgemma_engine.types import CancelToken, Span
from dgemma_ls.evaluation.cases import read_documents
from dgemma_ls.features.next_edit import NextEdit, propose
from dgemma_ls.syntax import names_in
from dgemma_ls.types import Snapshot

DATA = Path(__file__).parent / "holdout" / "holdout.jsonl.gz"
_NEAR = 300  # characters from the cursor in which a name is swapped


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=50, help="of each kind")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--all", action="store_true", help="not renames alone")
    parser.add_argument("--checkpoint", default="embedded")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    engine = load(options.checkpoint)
    documents = read_documents(options.data)
    situations = draw_situations(documents, n_per_kind=options.cases, seed=options.seed)
    if options.all:
        typed = [one for one in situations if one.kind == "typing on"]
        situations += [new for one in typed if (new := swapped(one, options.seed)) is not None]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    milliseconds = []
    for one in situations:
        snapshot = Snapshot(uri="file", version=1, language_id="python", text=one.text)
        started = time.perf_counter()
        found = propose(
            engine,
            snapshot,
            one.log,
            one.cursor,
            renames_only=not options.all,
            is_rejected=lambda proposal: False,
            cancel=CancelToken(),
        )
        milliseconds.append(1000 * (time.perf_counter() - started))
        counts[one.kind]["cases"] += 1
        if isinstance(found, NextEdit):
            counts[one.kind]["offers"] += 1
            counts[one.kind]["right"] += one.is_right(found.edit.span, found.edit.new_text)
    print("| situation | cases | offers | right |\n|---|---|---|---|")
    for kind, count in sorted(counts.items()):
        print(f"| {kind} | {count['cases']} | {count['offers']} | {count['right']} |")
    summary("renames", situations, counts, wanted=True)
    summary("nothing to do", situations, counts, wanted=False)
    milliseconds.sort()
    print(f"median {milliseconds[len(milliseconds) // 2]:.0f} ms, worst {milliseconds[-1]:.0f} ms")


def summary(
    title: str, situations: list[Situation], counts: dict[str, Counter[str]], *, wanted: bool
) -> None:
    """Print how often something was offered, and rightly, where something is or is not to do."""
    kinds = {one.kind for one in situations if bool(one.places) == wanted}
    total: Counter[str] = Counter()
    for kind in kinds:
        total.update(counts[kind])
    share = total["offers"] / max(1, total["cases"])
    right = total["right"] / max(1, total["offers"])
    print(f"\n{title}: {total['cases']} cases, {share:.1%} offers, of which {right:.1%} are right")


def swapped(situation: Situation, seed: int) -> Situation | None:
    """Put another name in the place of one near the cursor."""
    rng = random.Random(f"{seed} {situation.path} {situation.cursor}")
    text, cursor = situation.text, situation.cursor
    near = Span(start=max(0, cursor - _NEAR), end=min(len(text), cursor + _NEAR))
    names = names_in("python", text, near) or []
    rng.shuffle(names)
    for name in names:
        others = sorted({o.text for o in names if o.is_member == name.is_member} - {name.text})
        span = name.span
        if name.is_label or name.is_function or not others or span.start <= cursor <= span.end:
            continue
        new = rng.choice(others)
        by = len(new) - len(name.text) if span.end <= cursor else 0
        return replace(
            situation,
            kind="a name was swapped",
            text=text[: span.start] + new + text[span.end :],
            log=(),
            cursor=cursor + by,
            old=new,
            new=name.text,
            places=frozenset({Span(start=span.start, end=span.start + len(new))}),
        )
    return None


if __name__ == "__main__":
    main()
