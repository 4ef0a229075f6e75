"""Our own fixes of passages, with parts left out where their worth is in question."""

import time
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from dgemma_engine.types import Place
from dgemma_ls.evaluation.fix_scores import LineEdit, Passage
from dgemma_ls.features.typos import (
    TypoOptions,
    ask,
    finish,
    language_for_proofreading,
    passing,
    prepare,
    take_answers,
)
from dgemma_ls.proofread.curated import CuratedList
from dgemma_ls.proofread.fixes import Examination, Fix, Knowledge, Tier
from dgemma_ls.proofread.proposals import Kind
from dgemma_ls.types import Snapshot

PARTS = ("list", "rules", "model", "verifier")
"""What can be left out."""

Compare = Callable[[str, Sequence[Place]], list[tuple[float, ...]]]
"""The engine's ``compare``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnResult:
    """What was fixed.

    Attributes:
        edits: by tier, of each passage; those to suggest have the safe ones among them.
        seconds: that it took.
    """

    edits: dict[Tier, list[list[LineEdit]]]
    seconds: float


def fix_passages(
    passages: Sequence[Passage],
    compare: Compare | None,
    *,
    without: Collection[str] = (),
    on_done: Callable[[int], None] = lambda n_done: None,
) -> OwnResult:
    """Fix passages.

    Args:
        passages: what to fix, each a document.
        compare: the model, if it is to have a say.
        without: of :data:`PARTS`, what to leave out.
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
    started = time.perf_counter()
    for number, passage in enumerate(passages, start=1):
        snapshot = as_snapshot(passage)
        fixes: list[Fix] = []
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
        edits[Tier.SUGGEST].append(_line_edits(passage, fixes))
        safe = [fix for fix in fixes if fix.tier is Tier.SAFE]
        edits[Tier.SAFE].append(_line_edits(passage, safe))
        on_done(number)
    return OwnResult(edits=edits, seconds=time.perf_counter() - started)


def as_snapshot(passage: Passage) -> Snapshot | None:
    """Give a passage as the document that an editor would open; ``None`` for unknown languages."""
    language_id = language_for_proofreading(passage.path)
    if language_id is None:
        return None
    text = "".join(line + "\n" for line in passage.lines)
    return Snapshot(uri=passage.path, version=0, language_id=language_id, text=text)


def _without_rules(found: Examination) -> Examination:
    kept = tuple(
        proposal
        for proposal in found.proposals
        if proposal.kind is not Kind.DOUBLED and not proposal.features.get("article")
    )
    return Examination(document=found.document, proposals=kept)


def _line_edits(passage: Passage, fixes: Sequence[Fix]) -> list[LineEdit]:
    starts = [0]
    for line in passage.lines:
        starts.append(starts[-1] + len(line) + 1)
    edits = []
    for fix in fixes:
        number = bisect_right(starts, fix.span.start) - 1
        start = starts[number]
        edits.append(LineEdit(number, fix.span.start - start, fix.span.end - start, fix.new))
    return edits
