"""The encoder as judge: the same weights read a candidate causally and say how likely it is.

The score is half the mean log-probability of the candidate after the prefix, half that of the
first suffix tokens after prefix and candidate: a candidate must follow from what is before it and
lead to what comes after. One causal pass serves all candidates. Source: the selection stage of
PILL; the encoder can do it because it was trained with next-token loss.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from dgemma_engine.infill.fill import FilledRow
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.transformer import Transformer

_N_SUFFIX_TOKENS = 8


@torch.inference_mode()
def judge(model: Transformer, kv: KVCache, rows: Sequence[FilledRow]) -> list[float]:
    """Score filled rows after the encoded context.

    Args:
        model: the model.
        kv: the encoded context of the rows' plan.
        rows: at least one filled row.

    Returns:
        Nats per token, one score per row; higher is better, zero at most.
    """
    sequences = [_sequence(row) for row in rows]
    longest = max(len(ids) for ids in sequences)
    device = model.embed_tokens.weight.device
    # Padding on the right is invisible to a causal pass.
    batch = torch.tensor([ids + [0] * (longest - len(ids)) for ids in sequences], device=device)
    visible = [
        (keys.expand(len(rows), -1, -1, -1), values.expand(len(rows), -1, -1, -1))
        for keys, values in kv.visible()
    ]
    output, _ = model.encode(batch, kv.n_tokens, visible, want_output=True)
    assert output is not None
    log_probs = torch.log_softmax(model.logits(output[:, :-1]), dim=-1)
    log_probs = log_probs.gather(2, batch[:, 1:, None]).squeeze(2)  # (B, longest - 1)
    return [_score(log_probs[idx], row, len(sequences[idx])) for idx, row in enumerate(rows)]


def _sequence(row: FilledRow) -> list[int]:
    """Left clamp, candidate and the first suffix tokens."""
    end = row.row.start + row.row.n_tokens
    right = row.row.ids[end : end + min(_N_SUFFIX_TOKENS, row.row.n_right)]
    return [*row.row.ids[: row.row.start], *row.ids, *right]


def _score(log_probs: Tensor, row: FilledRow, n_sequence: int) -> float:
    """Average the two halves; ``log_probs[i]`` belongs to token ``i + 1`` of the sequence."""
    # Without any token before it, the first token of the span has no probability to look at.
    start = max(0, row.row.start - 1)
    end = row.row.start - 1 + row.row.n_tokens
    inner = log_probs[start:end]
    after = log_probs[end : n_sequence - 1]
    inner_mean = inner.mean().item() if len(inner) else 0.0
    after_mean = after.mean().item() if len(after) else inner_mean
    return 0.5 * (inner_mean + after_mean)
