"""Typos of a snapshot and their fixes: :func:`examine` without a model, :func:`decide` after it.

Both are pure but for the curated list's process. What is found may be applied in any number: fixes
do not overlap, and each was parsed (``check_fixes``).
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dgemma_ls.proofread.confusions import confused_words
from dgemma_ls.proofread.curated import CuratedList, load_curated
from dgemma_ls.proofread.decide import Choice, Weights, choose, is_certain, load_weights
from dgemma_ls.proofread.doubled import doubled_words
from dgemma_ls.proofread.features import add_context
from dgemma_ls.proofread.fragments import names_of, regions_of
from dgemma_ls.proofread.lexicon import Lexicon, load_lexicon
from dgemma_ls.proofread.ngrams import NGrams, load_ngrams
from dgemma_ls.proofread.nonwords import unknown_words
from dgemma_ls.proofread.passages import Document, rare_forms, read_document
from dgemma_ls.proofread.proposals import Kind, Proposal
from dgemma_ls.proofread.rules import articles
from dgemma_ls.proofread.types import Fix, Region, RegionKind, Tier
from dgemma_ls.types import Snapshot

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_CERTAIN_ENOUGH = 0.9  # what a list or a rule settles, unless a rival is as good


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is known of English."""

    lexicon: Lexicon
    ngrams: NGrams
    curated: CuratedList

    @classmethod
    def load(cls) -> "Knowledge":
        """Read the tables that come with the package, once."""
        return cls(lexicon=load_lexicon(), ngrams=load_ngrams(), curated=load_curated())

    def look_up(self, texts: Iterable[str]) -> None:
        """Ask the curated list about all words of many texts at once, which is quicker."""
        self.look_up_words(word for text in texts for word in _WORD.findall(text))

    def look_up_words(self, words: Iterable[str]) -> None:
        """As :meth:`look_up`, for words."""
        self.curated.corrections(rare_forms(words, self.lexicon))


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What may be wrong in a snapshot, before anyone decided.

    Attributes:
        document: its words.
        proposals: what might stand where.
    """

    document: Document
    proposals: tuple[Proposal, ...]


def examine(
    snapshot: Snapshot,
    knowledge: Knowledge,
    *,
    words: Collection[str] = (),
    kinds: Collection[RegionKind] = tuple(RegionKind),
    strings: bool = False,
    regions: Sequence[Region] | None = None,
) -> Examination:
    """Find what may be wrong, and what might stand there.

    Args:
        snapshot: the document.
        knowledge: of English.
        words: of the user, that are right.
        kinds: of regions to look at.
        strings: look at the strings of programs too.
        regions: where to look, if known already.
    """
    if regions is None:
        regions = regions_of(snapshot, strings=strings)
    document = read_document(
        snapshot,
        [region for region in regions if region.kind in kinds],
        names=[*names_of(snapshot), *words],
        lexicon=knowledge.lexicon,
        curated=knowledge.curated,
        ngrams=knowledge.ngrams,
    )
    return propose(document, knowledge)


def propose(document: Document, knowledge: Knowledge) -> Examination:
    """Find what may be wrong in passages, and what might stand there.

    Args:
        document: its passages, or some of them with the counts of all.
        knowledge: of English.
    """
    proposals = [
        *unknown_words(document, knowledge.lexicon, knowledge.curated, knowledge.ngrams),
        *doubled_words(document, knowledge.lexicon),
        *articles(document, knowledge.lexicon),
        *confused_words(document, knowledge.lexicon, knowledge.ngrams),
    ]
    add_context(proposals, document, knowledge.ngrams)
    return Examination(document=document, proposals=tuple(proposals))


def decide(
    examination: Examination,
    *,
    with_model: bool = False,
    weights: Mapping[Kind, Weights] | None = None,
    tier: Tier = Tier.SUGGEST,
) -> list[Fix]:
    """Choose the fixes, in document order.

    Args:
        examination: of a snapshot.
        with_model: whether the model's features were added.
        weights: instead of those that come with the package.
        tier: ``SAFE`` leaves out what is only to be suggested.
    """
    table = load_weights(with_model=with_model) if weights is None else weights
    text = examination.document.snapshot.text
    proposals = examination.proposals
    if with_model:  # what was not worth asking about is out
        proposals = tuple(p for p in proposals if p.features.get("asked"))
    fixes = [
        _fix(choice, table[choice.proposal.kind], text)
        for choice in choose(proposals, table)
        if choice.probability >= table[choice.proposal.kind].suggest
    ]
    return [fix for fix in fixes if tier is Tier.SUGGEST or fix.tier is Tier.SAFE]


def _fix(choice: Choice, weights: Weights, text: str) -> Fix:
    proposal = choice.proposal
    old = text[proposal.span.start : proposal.span.end]
    certain = is_certain(proposal.features) and choice.probability >= _CERTAIN_ENOUGH
    is_safe = certain or choice.probability >= weights.safe
    return Fix(
        span=proposal.span,
        old=old,
        new=proposal.new_text,
        kind=proposal.kind,
        tier=Tier.SAFE if is_safe else Tier.SUGGEST,
        probability=choice.probability,
        others=choice.others,
        word=(old or proposal.new_text).strip(),
    )
