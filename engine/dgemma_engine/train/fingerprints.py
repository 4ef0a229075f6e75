"""Texts → a sketch of their windows: enough to find a copied passage, too little to read it.

Windows are those of the corpus' own test for copies, and which of them are kept is decided by
their hash alone, so that a passage in two texts is kept in both sketches or in neither. A copy of
40 lines has 33 windows, of which none is kept once in 80 times.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from dgemma_engine.train.corpus import (
    STDLIB,
    CorpusRecipe,
    Document,
    count_documents,
    read_split,
    windows,
)
from dgemma_engine.train.progress import OnProgress, no_progress

_KEPT_OF = 8
_ENTRY_BYTES = 5  # half a million entries against ten thousand: a chance hit once in 200 sketches


def sketch(texts: Iterable[str], recipe: CorpusRecipe) -> frozenset[bytes]:
    """Give the hashes of about every eighth window of the texts."""
    return frozenset(
        entry
        for text in texts
        for window in windows(text, recipe)
        if (entry := _entry(window)) is not None
    )


def write_fingerprints(
    corpus: Path, out: Path, recipe: CorpusRecipe, progress: OnProgress = no_progress
) -> int:
    """Write the sketch of a corpus' training split.

    Args:
        corpus: folder that ``build_corpus`` wrote.
        out: gets the sorted entries, five bytes each; beside it, ``.json`` says what they are of,
            with one window as a probe that the hash of today is still that of the file.
        recipe: what a window is.
        progress: told of documents.

    Returns:
        Number of entries.
    """
    n_total = count_documents(corpus, "train")
    entries: set[bytes] = set()
    probe = ""
    for n_done, document in enumerate(read_split(corpus, "train"), 1):
        entries |= sketch([document.text], recipe)
        probe = probe or _probe(document, recipe)
        progress(n_done, n_total)
    out.write_bytes(b"".join(sorted(entries)))
    with (corpus / "train.jsonl").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    values = {
        "entries": len(entries),
        "window_lines": recipe.window_lines,
        "window_min_chars": recipe.window_min_chars,
        "train_sha256": digest,
        "probe": probe.splitlines(),
    }
    text = json.dumps(values, indent=1, ensure_ascii=False) + "\n"
    out.with_suffix(".json").write_text(text, encoding="utf-8", newline="\n")
    return len(entries)


def read_fingerprints(path: Path) -> frozenset[bytes]:
    """Read the entries of a sketch."""
    data = path.read_bytes()
    return frozenset(data[at : at + _ENTRY_BYTES] for at in range(0, len(data), _ENTRY_BYTES))


def _entry(window: tuple[str, ...]) -> bytes | None:
    """Five bytes for a window that is kept, ``None`` for one that is not."""
    data = "\n".join(window).encode()
    digest = hashlib.blake2b(data, digest_size=_ENTRY_BYTES + 1).digest()
    # The byte that decides is not stored, so all bits of an entry tell windows apart.
    return digest[:_ENTRY_BYTES] if digest[-1] % _KEPT_OF == 0 else None


def _probe(document: Document, recipe: CorpusRecipe) -> str:
    """Give a kept window of the standard library, or nothing."""
    if document.package != STDLIB:
        return ""
    kept = (window for window in windows(document.text, recipe) if _entry(window) is not None)
    return "\n".join(next(kept, ()))
