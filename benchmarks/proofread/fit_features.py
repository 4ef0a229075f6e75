"""The proposals of clean and of corrupted passages, with labels: what ``fit.py`` fits on."""

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from dgemma_ls.evaluation.typo_noise import corrupt
from dgemma_ls.loading import load_engine
from dgemma_ls.proofread.decide import load_weights
from dgemma_ls.proofread.fixes import Examination, Knowledge, examine
from dgemma_ls.proofread.model_says import add_answers, questions
from dgemma_ls.syntax import language_for_path
from dgemma_ls.types import Snapshot

# Typos of the texts themselves that no list has: they would be learnt as right.
REAL_TYPOS = {
    *("callble", "chrismas", "clck", "couldnt", "doesnt", "exenders", "foreiegn", "ganular"),
    *("scafffold", "scnenario", "seuquence", "subclassers", "transacations", "virtulenvs"),
    "withing",
}
_LINES = 36
_SUFFIXES = (".py", ".md", ".rst", ".txt")


def write_features(args: argparse.Namespace) -> None:
    """Write the proposals of clean and of corrupted passages with their labels."""
    rng = random.Random(args.seed)
    knowledge = Knowledge.load()
    reader = _reader() if args.model else None
    seen = set()
    with args.out.open("w") as out:
        for number, snapshot in enumerate(passages(args.folders, args.passages, rng)):
            if snapshot.text in seen:  # files are copied from package to package
                continue
            seen.add(snapshot.text)
            clean = examine(snapshot, knowledge)
            if REAL_TYPOS & clean.document.counts.keys():
                continue
            n_words = sum(t.is_word for p in clean.document.passages for t in p.tokens)
            if n_words < 20 or any(p.features.get("listed") for p in clean.proposals):
                continue
            text, kind, error = snapshot.text, None, None
            if rng.random() < args.errors:
                kind = rng.choice(args.kinds)  # ``fit.py`` weighs them by their shares
                change = corrupt(clean.document, kind, knowledge.lexicon, rng)
                if change is None:
                    continue
                text, start, right = change
                end = len(text) - (len(snapshot.text) - start - len(right))
                error = start - 1, max(start, end) + 1  # what touches it, too
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
                        "at_error": error is not None
                        and span.start <= error[1]
                        and error[0] <= span.end,
                        "features": proposal.features,
                    }
                )
            row = {"error": kind and kind.value, "words": n_words, "proposals": rows}
            out.write(json.dumps(row) + "\n")
            if number % 200 == 0:
                print(number, file=sys.stderr)


def passages(folders: list[Path], n_wanted: int, rng: random.Random) -> Iterator[Snapshot]:
    """Cut files into passages and draw from them, each once.

    From each folder, and from prose and programs, as many as far as that goes: prose files are
    fewer, and have most of the words.
    """
    pools = defaultdict(list)
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in _SUFFIXES and path.is_file() and "locale" not in path.parts:
                n_lines = path.read_text("utf-8", errors="replace").count("\n") + 1
                starts = range(0, max(1, n_lines // _LINES) * _LINES, _LINES)
                pools[folder, path.suffix] += [(path, at) for at in starts]
    for pool in pools.values():
        rng.shuffle(pool)
    for _ in range(n_wanted):
        if not pools:
            return
        which = rng.choice(list(pools))
        path, at = pools[which].pop()
        if not pools[which]:
            del pools[which]
        lines = path.read_text("utf-8", errors="replace").split("\n")
        text = "\n".join(lines[at : at + _LINES]) + "\n"
        yield Snapshot(uri=str(path), version=0, language_id=language_for_path(path), text=text)


def _reader() -> Callable[[Examination], None]:
    """Let the embedded model have its say where the weights without it leave a doubt."""
    engine = load_engine()
    table = load_weights(with_model=False)

    def add(found: Examination) -> None:
        asked = questions(found.document, found.proposals, table)
        scores = engine.compare(found.document.snapshot.text, asked.places)
        add_answers(asked, scores)

    return add
