"""A control set that nobody can have read: held-out documents with one synthetic error each."""

import random
from collections.abc import Sequence

from dgemma_ls.evaluation.cases import Document
from dgemma_ls.evaluation.fix_scores import Passage
from dgemma_ls.evaluation.typo_noise import KINDS, corrupt
from dgemma_ls.proofread.fixes import Knowledge
from dgemma_ls.proofread.fragments import names_of, regions_of
from dgemma_ls.proofread.passages import read_document
from dgemma_ls.syntax import language_for_path
from dgemma_ls.types import Snapshot

_LINES = 36
_MIN_WORDS = 20
_CLEAN_SHARE = 0.25


def draw_control(documents: Sequence[Document], n_passages: int, *, seed: int) -> list[Passage]:
    """Cut passages of prose and comments, and put an error into most.

    Args:
        documents: that the model has not seen.
        n_passages: wanted; fewer where documents have too little prose.
        seed: of the draw.
    """
    rng = random.Random(seed)  # noqa: S311 - a draw, not a secret
    knowledge = Knowledge.load()
    places = [
        (document, start)
        for document in documents
        for start in range(0, document.text.count("\n") + 1, _LINES)
    ]
    rng.shuffle(places)
    found: list[Passage] = []
    for document, start in places:
        if len(found) == n_passages:
            break
        lines = document.text.split("\n")[start : start + _LINES]
        text = "".join(line + "\n" for line in lines)
        snapshot = Snapshot(
            uri=document.path,
            version=0,
            language_id=language_for_path(document.path),
            text=text,
        )
        read = read_document(
            snapshot,
            regions_of(snapshot),
            names=names_of(snapshot),
            lexicon=knowledge.lexicon,
            curated=knowledge.curated,
            ngrams=knowledge.ngrams,
        )
        if sum(read.counts.values()) < _MIN_WORDS:
            continue
        passage = _clean(document, lines, len(found))
        if rng.random() >= _CLEAN_SHARE:
            kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
            change = corrupt(read, kind, knowledge.lexicon, rng)
            if change is None:
                continue
            wrong = change[0].split("\n")[: len(lines)]
            target = next(
                idx for idx, (a, b) in enumerate(zip(wrong, lines, strict=True)) if a != b
            )
            passage = Passage(
                name=f"{kind.value}-{len(found)}",
                path=document.path,
                group=kind.value,
                repository=document.path.split("/")[0],
                lines=tuple(wrong),
                target=target,
                right_line=lines[target],
                right_word=change[2],
                residual=(),
            )
        found.append(passage)
    return found


def _clean(document: Document, lines: list[str], number: int) -> Passage:
    return Passage(
        name=f"clean-{number}",
        path=document.path,
        group="clean",
        repository=document.path.split("/")[0],
        lines=tuple(lines),
        target=None,
        right_line="",
        right_word="",
        residual=(),
    )
