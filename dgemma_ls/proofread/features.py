"""What the neighbours say for each proposal, beside what its own module knew."""

from collections.abc import Sequence

import numpy as np

from dgemma_ls.proofread.ngrams import NGrams, context_ids
from dgemma_ls.proofread.passages import Document
from dgemma_ls.proofread.proposals import Proposal


def add_context(proposals: Sequence[Proposal], document: Document, ngrams: NGrams) -> None:
    """Add how the new words fit between their neighbours, where that is not known yet.

    Args:
        proposals: of one document; their features grow.
        document: it.
        ngrams: what stands beside what.
    """
    by_shape: dict[int, list[tuple[Proposal, tuple[int, ...], tuple[int, ...]]]] = {}
    for proposal in proposals:
        if "gain" in proposal.features:
            continue
        number, first, last = proposal.place
        ids = document.passages[number].ids
        before, after = context_ids(ids, first, last)
        words = [ngrams.id(word) for word in proposal.new_text.split()]
        new = (*before, *words, *after)
        old = (*before, *ids[first:last], *after)
        by_shape.setdefault(len(new) * 100 + len(old), []).append((proposal, old, new))
    for group in by_shape.values():
        old_rows = np.array([old for _, old, _ in group])
        new_rows = np.array([new for _, _, new in group])
        gains = ngrams.score(new_rows) - ngrams.score(old_rows)
        of_new, of_old = ngrams.n_attested(new_rows), ngrams.n_attested(old_rows)
        for idx, (proposal, _, _) in enumerate(group):
            proposal.features["gain"] = float(gains[idx])
            proposal.features["attested_new"] = float(of_new[idx])
            proposal.features["attested_old"] = float(of_old[idx])
