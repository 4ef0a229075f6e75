"""What the model mends of passages by itself: no list, no rules, no lexicon."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dgemma_ls.evaluation.fix_curve import ScoredEdit
from dgemma_ls.evaluation.fix_scores import LineEdit, Passage
from dgemma_ls.evaluation.passage_documents import as_snapshot, to_line_edit
from dgemma_ls.proofread.alone import (
    decide,
    doubtful_words,
    doubts,
    load_alone,
    places_of,
    verdicts,
)

if TYPE_CHECKING:
    from dgemma_engine import Engine

_LEAST_OF_CURVE = -4.0  # log-odds


@dataclass(frozen=True, slots=True, kw_only=True)
class AloneResult:
    """What was fixed.

    Attributes:
        edits: of each passage, from the fitted threshold on.
        scored: of each passage, far less sure ones among them.
        seconds: that it took.
    """

    edits: list[list[LineEdit]]
    scored: list[list[ScoredEdit]]
    seconds: float


def fix_alone(
    passages: Sequence[Passage],
    engine: "Engine",
    *,
    on_done: Callable[[int], None] = lambda n_done: None,
) -> AloneResult:
    """Fix passages.

    Args:
        passages: what to fix, each a document.
        engine: reads and compares.
        on_done: hears how many are done.
    """
    models = load_alone()
    lax = replace(models["decide"], least=min(_LEAST_OF_CURVE, models["decide"].least))
    edits: list[list[LineEdit]] = []
    scored: list[list[ScoredEdit]] = []
    started = time.perf_counter()
    for number, passage in enumerate(passages, start=1):
        snapshot = as_snapshot(passage)
        found = []
        if snapshot is not None:
            text = snapshot.text
            doubtful = doubtful_words(doubts(snapshot, engine.read(text)), models["doubt"])
            places = places_of(text, doubtful, engine.tokenizer.encode)
            scores = engine.compare(text, places)
            found = verdicts(doubtful, places, scores, engine.tokenizer.encode)
        sure = decide(found, models["decide"])
        edits.append([to_line_edit(passage, fix.span, fix.new) for fix in sure])
        scored.append(
            [
                ScoredEdit(to_line_edit(passage, fix.span, fix.new), fix.probability)
                for fix in decide(found, lax)
            ]
        )
        on_done(number)
    return AloneResult(edits=edits, scored=scored, seconds=time.perf_counter() - started)
