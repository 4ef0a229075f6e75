"""Mend typos in thousands of structured files, and count what other parsers find broken.

    python benchmarks/structured.py [--files 5000] [--model-files 300]

Files of the installed packages with typos planted in them, and documents that libraries wrote, go
the way of ``dgemma-ls fix --write --tier suggest``; some of them with the model. ``json``, PyYAML,
``tomllib`` and ElementTree say what each means before and after. Exit code 1 if anything broke.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dgemma_ls.loading import EMBEDDED, load_engine
from tests.ls.proofread.structured_corpus import Outcome, run


def main() -> int:
    """Mend, judge, and print what came of it."""
    parser = argparse.ArgumentParser(description="Count what mending breaks.")
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--model-files", type=int, default=300, help="more of them, with the model")
    args = parser.parse_args()
    outcomes = {"no model": run(args.files)}
    if args.model_files:
        engine = load_engine(EMBEDDED)
        outcomes["embedded model"] = run(args.model_files, engine=engine, seed=1)
    for name, outcome in outcomes.items():
        print(f"{name}: {_summary(outcome)}")
        for regression in outcome.regressions:
            print(f"  {regression}")
    return 1 if any(outcome.regressions for outcome in outcomes.values()) else 0


def _summary(outcome: Outcome) -> str:
    kinds = ", ".join(f"{n} {language_id}" for language_id, n in sorted(outcome.n_files.items()))
    return (
        f"{sum(outcome.n_files.values())} files ({kinds}), {outcome.n_edits} edits, "
        f"{outcome.n_leaves} values changed, {len(outcome.regressions)} regressions"
    )


if __name__ == "__main__":
    sys.exit(main())
