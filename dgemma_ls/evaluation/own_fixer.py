"""Our own fixes of passages, with parts left out where their worth is in question."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from dgemma_engine.types import Place
from dgemma_ls.evaluation.fix_curve import ScoredEdit
from dgemma_ls.evaluation.fix_scores import LineEdit, Passage
from dgemma_ls.evaluation.passage_documents import as_snapshot, to_line_edit
from dgemma_ls.features.typos import (
    TypoOptions,
    ask,
    finish,
    passing,
    prepare,
    take_answers,
)
from dgemma_ls.proofread.curated import CuratedList
from dgemma_ls.proofread.decide import load_weights
from dgemma_ls.proofread.fixes import Examination, Knowledge, decide
from dgemma_ls.proofread.proposals import Kind
from dgemma_ls.proofread.types import Fix, Tier
from dgemma_ls.types import Snapshot

PARTS = ("list", "rules", "model", "verifier")
"""What can be left out."""
_LEAST_OF_CURVE = 0.02  # probability

Compare = Callable[[str, Sequence[Place]], list[tuple[float, ...]]]
"""The engine's ``compare``."""


def remembered(compare: Compare) -> Compare:
    """Give ``compare`` with a memory: ablations ask most questions again."""
    known: dict[tuple[str, Place], tuple[float, ...]] = {}

    def ask_once(text: str, places: Sequence[Place]) -> list[tuple[float, ...]]:
        new = [place for place in places if (text, place) not in known]
        known.update(
            ((text, place), scores) for place, scores in zip(new, compare(text, new), strict=True)
        )
        return [known[text, place] for place in places]

    return ask_once


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnResult:
    """What was fixed.

    Attributes:
        edits: by tier, of each passage; those to suggest have the safe ones among them.
        scored: of each passage, unlikely ones among them; empty unless asked for.
        seconds: that it took.
    """

    edits: dict[Tier, list[list[LineEdit]]]
    scored: list[list[ScoredEdit]]
    seconds: float


def fix_passages(
    passages: Sequence[Passage],
    compare: Compare | None,
    *,
    without: Collection[str] = (),
    with_scored: bool = False,
    on_done: Callable[[int], None] = lambda n_done: None,
) -> OwnResult:
    """Fix passages.

    Args:
        passages: what to fix, each a document.
        compare: the model, if it is to have a say.
        without: of :data:`PARTS`, what to leave out.
        with_scored: give unlikely edits too, for a curve; not counted in the seconds.
        on_done: hears how many are done.
    """
    knowledge = Knowledge.load()
    if "list" in without:
        knowledge = Knowledge(
            lexicon=knowledge.lexicon, ngrams=knowledge.ngrams, curated=CuratedList(None)
        )
    else:  # asked once, as for the files of a folder
        knowledge.look_up("\n".join(passage.lines) for passage in passages)
    engine = None if "model" in without else compare
    options = TypoOptions()
    edits: dict[Tier, list[list[LineEdit]]] = {tier: [] for tier in Tier}
    scored: list[list[ScoredEdit]] = []
    started, seconds_of_curve = time.perf_counter(), 0.0
    for number, passage in enumerate(passages, start=1):
        snapshot = as_snapshot(passage)
        fixes: list[Fix] = []
        lax: list[Fix] = []
        if snapshot is not None:
            found = prepare(snapshot, knowledge, options)
            if "rules" in without:
                found = _without_rules(found)
            if engine is not None:
                asked = ask(found)
                take_answers(found, asked, engine(snapshot.text, asked.places))
            fixes = finish(found, options, with_model=engine is not None)
            if "verifier" not in without:
                fixes = passing(snapshot, fixes)
            if with_scored:
                begun = time.perf_counter()
                lax = _all_scored(snapshot, found, with_model=engine is not None)
                seconds_of_curve += time.perf_counter() - begun
        edits[Tier.SUGGEST].append(_line_edits(passage, fixes))
        safe = [fix for fix in fixes if fix.tier is Tier.SAFE]
        edits[Tier.SAFE].append(_line_edits(passage, safe))
        scored.append(
            [ScoredEdit(to_line_edit(passage, fix.span, fix.new), fix.probability) for fix in lax]
        )
        on_done(number)
    seconds = time.perf_counter() - started - seconds_of_curve
    return OwnResult(edits=edits, scored=scored, seconds=seconds)


def _without_rules(found: Examination) -> Examination:
    kept = tuple(
        proposal
        for proposal in found.proposals
        if proposal.kind is not Kind.DOUBLED and not proposal.features.get("article")
    )
    return Examination(document=found.document, proposals=kept)


def _line_edits(passage: Passage, fixes: Sequence[Fix]) -> list[LineEdit]:
    return [to_line_edit(passage, fix.span, fix.new) for fix in fixes]


def _all_scored(snapshot: Snapshot, found: Examination, *, with_model: bool) -> list[Fix]:
    """Give what would be suggested if hardly anything were asked of it."""
    table = {
        kind: replace(weights, suggest=min(_LEAST_OF_CURVE, weights.suggest))
        for kind, weights in load_weights(with_model=with_model).items()
    }
    return passing(snapshot, decide(found, with_model=with_model, weights=table))
