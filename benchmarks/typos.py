"""How fast typos are found in a long document: first look, and again after a keystroke.

    python benchmarks/typos.py [--lines 10000] [--edits 20] [--no-model]

The documents are made of the descriptions and the modules of the Python packages that are
installed. All times are CPU time of this thread, so other work on the machine changes little; the
look from scratch, in the same process, is the measure that the look after a keystroke is compared
with. Nothing here passes or fails.
"""

import argparse
import gc
import random
import statistics
import sysconfig
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from dgemma_ls.features.typo_cache import ParagraphCache
from dgemma_ls.features.typo_check import Check, check_steps
from dgemma_ls.features.typos import TypoOptions
from dgemma_ls.loading import EMBEDDED, load_engine
from dgemma_ls.proofread.fixes import Knowledge
from dgemma_ls.types import Snapshot

_MIN_WORDS = 5_000  # of a document whose speed in words says anything


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="Measure how fast typos are found.")
    parser.add_argument("--lines", type=int, default=10_000, help="of each document")
    parser.add_argument("--edits", type=int, default=20, help="keystrokes, at random places")
    parser.add_argument("--no-model", action="store_true", help="lists and statistics alone")
    args = parser.parse_args()
    engine = None if args.no_model else load_engine(EMBEDDED)
    knowledge = Knowledge.load()
    gc.freeze()  # as the server does
    print(f"{args.lines} lines, {'no model' if engine is None else 'embedded model'}, CPU time")
    for language_id, lines in (("markdown", _descriptions()), ("python", _modules())):
        text = "\n".join(islice(lines, args.lines)) + "\n"
        for name, value in _figures(language_id, text, knowledge, engine, args.edits):
            print(f"{language_id:<10} {name:<44} {value}")


def _figures(
    language_id: str, text: str, knowledge: Knowledge, engine: object, n_edits: int
) -> Iterator[tuple[str, str]]:
    _look(language_id, "A warm start.\n", knowledge, engine, ParagraphCache())
    cache = ParagraphCache(budget_bytes=64 << 20)
    first_s, steps = _look(language_id, text, knowledge, engine, cache)
    n_words = sum(sum(piece.counts.values()) for piece in cache.readings.all())
    yield "words", f"{n_words}"
    yield "first look", f"{first_s:.2f} s"
    if n_words >= _MIN_WORDS:
        yield "first look, words a second", f"{n_words / first_s:.0f}"
    yield "first look, longest steps", _milliseconds(steps)
    rng = random.Random(0)
    times, longest = [], []
    for _ in range(n_edits):
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(["x", " the", "\n", "(", ". A "]) + text[at:]
        seconds, steps = _look(language_id, text, knowledge, engine, cache)
        times.append(seconds)
        longest += steps
    scratch_s, _ = _look(language_id, text, knowledge, engine, ParagraphCache())
    again_s = statistics.median(times)
    yield "after a keystroke, median and longest", f"{again_s * 1e3:.0f} {max(times) * 1e3:.0f} ms"
    yield "after a keystroke, longest steps", _milliseconds(longest)
    yield "from scratch / after a keystroke", f"{scratch_s / again_s:.0f}×"


def _look(
    language_id: str, text: str, knowledge: Knowledge, engine: object, cache: ParagraphCache
) -> tuple[float, list[float]]:
    """Look through a text; give the seconds of all steps, and of each."""
    check = Check(snapshot=Snapshot(uri="a", version=1, language_id=language_id, text=text))
    steps = []
    last = start = time.thread_time()
    for _ in check_steps(check, knowledge, TypoOptions(), cache, engine):
        now = time.thread_time()
        steps.append(now - last)
        last = now
    return time.thread_time() - start, steps


def _milliseconds(steps: list[float]) -> str:
    return " ".join(f"{step * 1e3:.0f}" for step in sorted(steps, reverse=True)[:5]) + " ms"


def _site_packages() -> Path:
    return Path(sysconfig.get_path("purelib"))


def _descriptions() -> Iterator[str]:
    """Lines of what packages say about themselves, those that are written in Markdown."""
    for path in sorted(_site_packages().glob("*.dist-info/METADATA")):
        head, _, body = path.read_text("utf-8", "replace").partition("\n\n")
        if "text/markdown" in head:
            yield from body.splitlines()
            yield ""


def _modules() -> Iterator[str]:
    for path in sorted(_site_packages().rglob("*.py"), key=lambda path: path.stat().st_size):
        if path.stat().st_size > 10_000 and "tests" not in path.parts:
            yield from path.read_text("utf-8", "replace").splitlines()


if __name__ == "__main__":
    main()
