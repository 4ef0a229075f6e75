"""How much of a document's own statistics a trained encoder needs: fitted on the selection split.

The weight of ``infill.document.DocumentModel`` for each number of agreeing tokens is the one that
makes held-out tokens most likely; expectation maximisation finds it, as each blend has only two
parts.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch

from dgemma_engine.infill.document import DocumentModel
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.train.progress import OnProgress, no_progress
from dgemma_engine.train.shards import TokenShard

N_CONTEXT = 8
"""Most tokens of the document's contexts; longer matches tell nothing more."""

_HISTORY_TOKENS = 8000
_SCORED_TOKENS = 32
_N_ITERATIONS = 30
_LARGEST = 0.95

Pairs = list[tuple[float, float]]
"""Probabilities of one token by the model and by the document."""


def fit_document_weights(
    model: Transformer,
    shard: TokenShard,
    *,
    context: int,
    n_places: int,
    seed: int = 0,
    progress: OnProgress = no_progress,
) -> tuple[float, ...]:
    """Fit the weights for 0 to :data:`N_CONTEXT` agreeing tokens.

    Args:
        model: the trained model.
        shard: held-out documents.
        context: tokens that the model reads before the first token that it is scored on.
        n_places: how many stretches of 32 tokens to score, each somewhere in a document of its own
            choice that is longer than ``context``.
        seed: of the places.
        progress: told how many places are done.

    Returns:
        Shares of the document, two decimals each.

    Raises:
        ValueError: no document is long enough.
    """
    rng = np.random.default_rng(seed)
    lengths = np.diff(shard.offsets)
    usable = np.flatnonzero(lengths > context + _SCORED_TOKENS)
    if not len(usable):
        raise ValueError(f"no held-out document has more than {context + _SCORED_TOKENS} tokens")
    by_match: dict[int, Pairs] = defaultdict(list)
    for place in range(n_places):
        document = rng.choice(usable)
        first, end = shard.offsets[document], shard.offsets[document + 1]
        start = rng.integers(first + context, end - _SCORED_TOKENS)
        ids = [int(token) for token in shard.ids[max(first, start - _HISTORY_TOKENS) : end]]
        at = int(min(start - first, _HISTORY_TOKENS))
        for n_matched, pair in _scored(model, ids, at, context):
            by_match[n_matched].append(pair)
        progress(place + 1, n_places)
    return tuple(round(best_share(by_match[n]), 2) for n in range(N_CONTEXT + 1))


def best_share(pairs: Sequence[tuple[float, float]]) -> float:
    """The document's share in the blend that makes the tokens most likely; 0 without any."""
    if not pairs:
        return 0.0
    of_model, of_document = np.array(pairs).T
    share = 0.5
    for _ in range(_N_ITERATIONS):
        document = share * of_document
        share = float(np.mean(document / (document + (1 - share) * of_model)))
    return min(share, _LARGEST)


@torch.inference_mode()
def _scored(
    model: Transformer, ids: list[int], at: int, context: int
) -> list[tuple[int, tuple[float, float]]]:
    """Probabilities of the tokens from ``at`` on, with the number of tokens that agreed."""
    document = DocumentModel([ids[:at]], vocab_size=model.config.vocab_size, n_context=N_CONTEXT)
    read = torch.tensor([ids[at - context : at + _SCORED_TOKENS - 1]])
    output, _ = model.encode(read.to(model.embed_tokens.weight.device), 0, None, want_output=True)
    assert output is not None
    probabilities = model.logits(output[0, context - 1 :]).softmax(dim=-1)
    scored = []
    for idx, row in enumerate(probabilities):
        token = ids[at + idx]
        followers = document.after(ids[max(0, at + idx - N_CONTEXT) : at + idx])
        scored.append((followers.n_matched, (row[token].item(), followers.of(token))))
    return scored
