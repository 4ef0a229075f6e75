"""Does context from other files help the shipped model? Rests of lines, with and without, paired.

    python benchmarks/context.py [--cases N] [--budget TOKENS] [--checkpoint FOLDER]

The packages of ``holdout/selection.jsonl.gz`` are laid out as workspaces. For each gap, the ring
holds a place of three other files of the package, as if the user came from there; the files that
the document imports give their outlines. Three conditions:

- ``none``: the document alone.
- ``before``: the context in front of the whole prefix. An engine that reads a window reads the end
  of that, so in a long document it meets the context in its counts and copies only.
- ``window``: the context in front of as much of the prefix as still fits the window with it.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

from dgemma_engine import Engine, load
from dgemma_ls.context import ChunkRing, build_context
from dgemma_ls.evaluation.cases import Case, Document, draw_cases, read_documents
from dgemma_ls.evaluation.statistics import cluster_bootstrap, paired_difference
from dgemma_ls.privacy import IgnoreFiles
from dgemma_ls.types import Snapshot

DATA = Path(__file__).parent / "holdout" / "selection.jsonl.gz"
CONDITIONS = ("none", "before", "window")
N_SIBLINGS = 3


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--budget", type=int, default=120, help="tokens of context")
    parser.add_argument("--checkpoint", default="embedded")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    engine = load(options.checkpoint)
    documents = read_documents(DATA)
    cases = draw_cases(
        documents,
        engine.tokenizer,
        buckets=("rest",),
        n_per_bucket=options.cases,
        seed=options.seed,
    )
    answers: dict[str, list[str]] = {condition: [] for condition in CONDITIONS}
    seconds = dict.fromkeys(CONDITIONS, 0.0)
    n_context = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for document in documents:
            file = folder / document.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(document.text, encoding="utf-8", newline="")
        for case in cases:
            context = context_of(case, documents, folder, engine, options.budget, options.seed)
            n_context += len(engine.tokenizer.encode(context))
            for condition, prefix in prefixes(case, context, engine).items():
                started = time.perf_counter()
                result = engine.infill(prefix, case.suffix, n_candidates=1)
                seconds[condition] += time.perf_counter() - started
                answers[condition].append(result.candidates[0].text if result.candidates else "")
    hits = {
        condition: [float(answer == case.truth) for answer, case in zip(texts, cases, strict=True)]
        for condition, texts in answers.items()
    }
    files = [case.document.path for case in cases]
    print(f"{len(cases)} gaps, {n_context / len(cases):.0f} tokens of context on average\n")
    print("| context | exact | difference to none | answers changed | ms |\n|---|---|---|---|---|")
    for condition in CONDITIONS:
        exact = cluster_bootstrap(hits[condition], files, seed=0)
        gain = paired_difference(hits[condition], hits["none"], files, seed=0)
        changed = sum(map(str.__ne__, answers[condition], answers["none"]))
        print(
            f"| {condition} | {exact.mean:.1%} ({exact.low:.1%} to {exact.high:.1%})"
            f" | {gain.mean:+.1%} ({gain.low:+.1%} to {gain.high:+.1%})"
            f" | {changed} | {1000 * seconds[condition] / len(cases):.0f} |"
        )


def context_of(
    case: Case, documents: list[Document], folder: Path, engine: Engine, budget: int, seed: int
) -> str:
    """Visit other files of the package, the most related ones last, and build the context."""
    rng = random.Random(f"{seed} {case.document.path} {case.start}")
    package = case.document.path.split("/")[0]
    others = [
        document
        for document in documents
        if document.path.split("/")[0] == package and document is not case.document
    ]
    near = [d for d in others if Path(d.path).parent == Path(case.document.path).parent]
    visited = rng.sample(near, min(N_SIBLINGS, len(near)))
    rest = [document for document in others if document not in visited]
    visited = rng.sample(rest, min(N_SIBLINGS - len(visited), len(rest))) + visited
    ring = ChunkRing()
    for document in visited:
        ring.visit(snapshot(document, document.text, folder), rng.randrange(len(document.text)))
    return build_context(
        snapshot(case.document, case.prefix + case.suffix, folder),
        case.span.start,
        workspace_folders=[folder],
        ignore=IgnoreFiles(),
        chunks=ring.chunks(),
        edits=(),
        count_tokens=lambda text: len(engine.tokenizer.encode(text)),
        budget_tokens=budget,
    )


def snapshot(document: Document, text: str, folder: Path) -> Snapshot:
    """Open a document as an editor would."""
    uri = (folder / document.path).as_uri()
    return Snapshot(uri=uri, version=1, language_id="python", text=text)


def prefixes(case: Case, context: str, engine: Engine) -> dict[str, str]:
    """Give the text before the gap under each condition."""
    settings = engine.infill_settings
    encode = engine.tokenizer.encode
    room = settings.context_tokens + settings.left_tokens - len(encode(context)) - 1  # <bos>
    lines = case.prefix.splitlines(keepends=True)
    n_tokens, first = 0, len(lines)
    while first and (n_tokens := n_tokens + len(encode(lines[first - 1]))) <= room:
        first -= 1
    window = "".join(lines[min(first, len(lines) - 1) :])
    return {"none": case.prefix, "before": context + case.prefix, "window": context + window}


if __name__ == "__main__":
    main()
