"""Proposals of a request before the judge: each text is read once, whoever proposed it."""

from collections.abc import Sequence

from dgemma_engine.infill.document import Blend
from dgemma_engine.infill.fill import FilledRow
from dgemma_engine.infill.parts import Parts
from dgemma_engine.infill.planner import CanvasPlan, text_between
from dgemma_engine.infill.proposals import Proposal, Scored
from dgemma_engine.infill.select import judge, read_together
from dgemma_engine.model.branches import Branches


def judged(
    parts: Parts,
    plan: CanvasPlan,
    proposals: Sequence[Proposal],
    blend: Blend | None,
    branches: Branches,
) -> list[Scored]:
    """Score all proposals that make a text for the gap.

    Args:
        parts: the engine's.
        plan: of the request.
        proposals: of any length.
        blend: the document's own statistics, if they shall have a say.
        branches: of the request; see ``Parts.branches``.
    """
    if not plan.known_ids:  # nothing before the gap, so no row predicts its first token
        rows = [p for p in proposals if isinstance(p, FilledRow)]
        return with_scores(parts, plan, rows, [row.confidence for row in rows])
    texts = [text_of(parts, plan, p.ids) for p in proposals]
    distinct = [text for text in dict.fromkeys(texts) if text]
    if not distinct:
        return []
    scores = judge(
        parts.model,
        branches,
        plan.known_ids[-1],
        [read_together(plan.head + text, plan.right_ids, parts.tokenizer) for text in distinct],
        blend,
        parts.last_known(plan),
    )
    by_text = dict(zip(distinct, scores, strict=True))
    return [
        Scored(proposal=proposal, text=text, score=by_text[text])
        for proposal, text in zip(proposals, texts, strict=True)
        if text
    ]


def with_scores(
    parts: Parts, plan: CanvasPlan, proposals: Sequence[Proposal], scores: Sequence[float]
) -> list[Scored]:
    """Pair proposals with scores from elsewhere; what makes no text is left out."""
    return [
        Scored(proposal=proposal, text=text, score=score)
        for proposal, score in zip(proposals, scores, strict=True)
        if (text := text_of(parts, plan, proposal.ids))
    ]


def text_of(parts: Parts, plan: CanvasPlan, ids: Sequence[int]) -> str | None:
    """Give the text of a span without what was known before; see ``planner.text_between``."""
    return text_between(parts.tokenizer.decode_bytes(ids), plan)
