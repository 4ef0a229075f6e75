"""The proposals of clean and of corrupted passages, with labels: what ``fit.py`` fits on."""

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from dgemma_ls.evaluation.typo_noise import KINDS, corrupt
from dgemma_ls.loading import load_engine
from dgemma_ls.proofread.decide import load_weights
from dgemma_ls.proofread.fixes import Examination, Knowledge, examine
from dgemma_ls.proofread.model_says import add_answers, questions
from dgemma_ls.syntax import language_for_path
from dgemma_ls.types import Snapshot

# Typos of the texts themselves that no list has: they would be learnt as right.
REAL_TYPOS = {"clck", "couldnt", "virtulenvs", "subclassers", "withing"}
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
            if snapshot.text in seen:  # a folder of few files gives the same passages again
                continue
            seen.add(snapshot.text)
            clean = examine(snapshot, knowledge)
            if REAL_TYPOS & clean.document.counts.keys():
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


def _reader() -> Callable[[Examination], None]:
    """Let the embedded model have its say where the weights without it leave a doubt."""
    engine = load_engine()
    table = load_weights(with_model=False)

    def add(found: Examination) -> None:
        asked = questions(found.document, found.proposals, table)
        scores = engine.compare(found.document.snapshot.text, asked.places)
        add_answers(asked, scores)

    return add
