"""What the encoder expects next: log-probabilities of every token, by causal reading.

Torch stays behind the engine's objects; what comes out is numpy.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from dgemma_engine import Engine

LogProbs = npt.NDArray[np.floating]
Reader = Callable[[Sequence[int], Sequence[Sequence[int]]], list[LogProbs]]
"""Takes the tokens before, at least one, and continuations of them; see :func:`read`."""


def read(
    engine: "Engine", before: Sequence[int], branches: Sequence[Sequence[int]]
) -> list[LogProbs]:
    """Read continuations of one context.

    Args:
        engine: whose encoder reads.
        before: token ids of the context, at least one.
        branches: token ids of each continuation, at least one each.

    Returns:
        For each continuation the natural logarithms (its tokens, V): row n is of what may stand at
        its place n, given all before it.
    """
    *known, last = before
    engine.prefixes.clear()  # contexts hardly ever repeat
    kv = engine.encode(known).kv
    outputs = engine.model.encode_branches(
        [(last, *branch[:-1]) for branch in branches], kv.n_tokens, kv.visible()
    )
    return [_log_softmax(engine.model.logits(output).cpu().numpy()) for output in outputs]


def sum_of(log_probs: LogProbs, ids: Sequence[int]) -> float:
    """Give the log-probability of the first tokens of a continuation."""
    return float(log_probs[np.arange(len(ids)), list(ids)].sum())


def _log_softmax(logits: LogProbs) -> LogProbs:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_probs: LogProbs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return log_probs
