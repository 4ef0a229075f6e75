"""The encoder as judge: the same weights read a candidate causally and say how likely it is.

The score is half the mean log-probability of the candidate after the prefix, half that of the
first suffix tokens after prefix and candidate: a candidate must follow from what is before it and
lead to what comes after. One causal pass serves all candidates. Source: the selection stage of
PILL; the encoder can do it because it was trained with next-token loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.transformer import Transformer

_N_SUFFIX_TOKENS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One candidate in its place.

    Attributes:
        left: tokens between the encoded context and the candidate.
        ids: the candidate's tokens, at least one.
        right: tokens of the suffix that follow.
    """

    left: tuple[int, ...]
    ids: tuple[int, ...]
    right: tuple[int, ...]

    @property
    def sequence(self) -> tuple[int, ...]:
        """What the encoder reads."""
        return self.left + self.ids + self.right[:_N_SUFFIX_TOKENS]


@torch.inference_mode()
def judge(model: Transformer, kv: KVCache, exhibits: Sequence[Exhibit]) -> list[float]:
    """Score candidates after the encoded context.

    Args:
        model: the model.
        kv: the encoded context.
        exhibits: at least one candidate.

    Returns:
        Nats per token, one score each; higher is better, zero at most.
    """
    longest = max(len(exhibit.sequence) for exhibit in exhibits)
    device = model.embed_tokens.weight.device
    # Padding on the right is invisible to a causal pass.
    batch = torch.tensor(
        [[*e.sequence, *[0] * (longest - len(e.sequence))] for e in exhibits], device=device
    )
    visible = [
        (keys.expand(len(exhibits), -1, -1, -1), values.expand(len(exhibits), -1, -1, -1))
        for keys, values in kv.visible()
    ]
    output, _ = model.encode(batch, kv.n_tokens, visible, want_output=True)
    assert output is not None
    # The row before the first candidate token predicts it; rows before that are of no interest.
    first = max(0, min(len(exhibit.left) for exhibit in exhibits) - 1)
    logits = model.logits(output[:, first:-1])
    log_probs = torch.log_softmax(logits, dim=-1).gather(2, batch[:, first + 1 :, None]).squeeze(2)
    return [_score(log_probs[idx], exhibit, first) for idx, exhibit in enumerate(exhibits)]


def _score(log_probs: Tensor, exhibit: Exhibit, first: int) -> float:
    """Average the two halves; ``log_probs[i]`` belongs to token ``first + i + 1``."""
    # Without any token before it, the candidate's first token has no probability to look at.
    start = max(0, len(exhibit.left) - 1 - first)
    end = len(exhibit.left) + len(exhibit.ids) - 1 - first
    inner = log_probs[start:end]
    after = log_probs[end : len(exhibit.sequence) - 1 - first]
    inner_mean = inner.mean().item() if len(inner) else 0.0
    after_mean = after.mean().item() if len(after) else inner_mean
    return 0.5 * (inner_mean + after_mean)
