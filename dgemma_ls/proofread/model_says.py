"""The model's say: which of two wordings it finds likelier, where a decision is not plain already.

:func:`questions` and :func:`add_answers` are pure; the engine's ``compare`` stands between them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dgemma_engine.types import Place, Span
from dgemma_ls.proofread.decide import Weights, probability
from dgemma_ls.proofread.passages import Document
from dgemma_ls.proofread.proposals import Kind, Proposal

_WORTH_ASKING = 0.03
"""Probability without the model, below which its say could not matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What to ask the engine, and whom the answers concern.

    Attributes:
        places: for ``Engine.compare``; the first text of each is what stands there.
        asked: for each place the proposals whose texts are the others.
    """

    places: tuple[Place, ...]
    asked: tuple[tuple[Proposal, ...], ...]


def questions(
    document: Document,
    proposals: Sequence[Proposal],
    weights: Mapping[Kind, Weights] | None,
) -> Questions:
    """Choose the proposals that the model shall have a say in.

    Args:
        document: of the proposals.
        proposals: what might be changed.
        weights: those without the model; ``None`` asks for all.
    """
    by_stretch: dict[tuple[int, int], list[tuple[Proposal, str]]] = {}
    for proposal in proposals:
        if weights is not None and probability(proposal, weights) < _WORTH_ASKING:
            continue
        start, end, new = _stretch(document.snapshot.text, proposal)
        by_stretch.setdefault((start, end), []).append((proposal, new))
    places, asked = [], []
    for (start, end), rows in sorted(by_stretch.items(), key=lambda item: item[0]):
        old = document.snapshot.text[start:end]
        texts = (old, *(new for _, new in rows))
        places.append(Place(span=Span(start=start, end=end), texts=texts))
        asked.append(tuple(proposal for proposal, _ in rows))
    return Questions(places=tuple(places), asked=tuple(asked))


def add_answers(asked: Questions, scores: Sequence[tuple[float, ...]]) -> None:
    """Add to the features of the proposals asked about how much likelier they are, in nats.

    Args:
        asked: the questions.
        scores: from ``Engine.compare``; if it was cancelled, of the first places.
    """
    for proposals, (old, *new) in zip(asked.asked, scores, strict=False):
        for proposal, score in zip(proposals, new, strict=True):
            proposal.features["model"] = score - old
            proposal.features["asked"] = 1.0


def _stretch(text: str, proposal: Proposal) -> tuple[int, int, str]:
    """Grow a span to whole words with the blank before them, as the tokenizer has them."""
    start, end = proposal.span.start, proposal.span.end
    grown_end = end
    if not proposal.new_text.strip() or start == end:  # a word more or less: with the next one
        while grown_end < len(text) and text[grown_end].isspace():
            grown_end += 1
        while grown_end < len(text) and not text[grown_end].isspace():
            grown_end += 1
    grown_start = start - 1 if start and text[start - 1] == " " else start
    new = text[grown_start:start] + proposal.new_text + text[end:grown_end]
    return grown_start, grown_end, new
