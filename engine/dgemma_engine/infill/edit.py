"""Rewriting a span at a strength: some of its tokens are noised, and what is likely may stay.

The strength is the share of tokens that are noised at the start, as in SDEdit (arXiv 2108.01073):
little of it mends, much of it replaces. From there the posterior sampler of uniform-state diffusion
walks down, which keeps tokens that fit. The first steps are self-conditioned on the original, the
less the stronger the edit, which holds the result near it (EdiText, arXiv 2502.19765). The number
of tokens stays: a span of another length is for ``infiller.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dgemma_engine.config import GenerationConfig
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.sampler import posterior, temperature
from dgemma_engine.types import CancelToken, StopReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What came of the draws.

    Attributes:
        spans: token ids of the free positions, one tuple per draw; empty when cancelled or when
            there was no time for a step.
        forwards: decoder forwards.
        stop: why it ended.
    """

    spans: tuple[tuple[int, ...], ...]
    forwards: int
    stop: StopReason


@torch.inference_mode()
def edit_span(
    model: Transformer,
    kv: KVCache,
    canvas: Sequence[int],
    span: slice,
    forbidden: Tensor,
    *,
    strength: float,
    max_changed: int | None,
    n_draws: int,
    n_steps: int,
    seed: int,
    config: GenerationConfig,
    cancel: CancelToken,
) -> Edited:
    """Rewrite the span of one canvas, several times with other noise.

    Args:
        model: the model.
        kv: the encoded prefix.
        canvas: C ids, the original in its span.
        span: positions that may change.
        forbidden: bool (n, V), tokens that may not stand in the span's n positions; what stands
            there may always stay.
        strength: share of tokens noised at the start, above 0, at most 1.
        max_changed: most tokens that may differ from the original; ``None`` for no limit. Of more,
            those stay changed that the model prefers most over the original.
        n_draws: how many rewrites to make.
        n_steps: denoising steps.
        seed: of this call's own generator.
        config: temperatures.
        cancel: asked before each step.
    """
    device = model.embed_tokens.weight.device
    generator = torch.Generator(device).manual_seed(seed)
    original = torch.tensor([canvas], device=device).repeat(n_draws, 1)
    free = torch.zeros_like(original, dtype=torch.bool)
    free[:, span] = True
    old = original[free]
    allowed = ~forbidden.repeat(n_draws, 1)
    allowed.scatter_(1, old[:, None], value=True)  # (R, V)
    noise = torch.randint(
        model.config.vocab_size, original.shape, generator=generator, device=device
    )
    noised = torch.rand(original.shape, generator=generator, device=device) < strength
    ids = torch.where(free & noised, noise, original)
    embedded = model.embed(original)
    visible = kv.visible()
    scaled: Tensor | None = None
    stop, forwards = StopReason.MAX_STEPS, 0
    for step in range(n_steps, 0, -1):
        if (asked := cancel.stop_reason()) is not None:
            stop = asked
            break
        hold = (1 - strength) * step / n_steps
        soft = embedded * torch.where(free, hold, 1.0)[:, :, None].to(embedded.dtype)
        if scaled is not None:
            believed = model.soft_embed(scaled.to(embedded.dtype))
            soft[free] += (1 - hold) * believed
        logits = model.decode(ids, kv.n_tokens, visible, soft_embeddings=soft, rows=free)
        logits = logits.masked_fill(~allowed, -torch.inf)
        scaled = logits / temperature(step, n_steps, config)
        alpha, alpha_next = (1 - strength * left / n_steps for left in (step, step - 1))
        probabilities = posterior(
            torch.softmax(scaled, dim=-1), ids[free], alpha=alpha, alpha_next=alpha_next
        )
        drawn = torch.multinomial(probabilities, num_samples=1, generator=generator).squeeze(1)
        ids = ids.masked_scatter(free, drawn)
        forwards += 1
    if scaled is None or stop is StopReason.CANCELLED:
        return Edited(spans=(), forwards=forwards, stop=stop)
    per_draw = scaled.log_softmax(dim=-1).view(n_draws, -1, scaled.shape[-1])
    spans = [
        _within_budget(log_probs, original[0, span], max_changed).tolist() for log_probs in per_draw
    ]
    return Edited(spans=tuple(map(tuple, spans)), forwards=forwards, stop=stop)


def _within_budget(log_probs: Tensor, old: Tensor, max_changed: int | None) -> Tensor:
    """Take the likeliest tokens (n,), but only the dearest changes: (n, V) and (n,) → (n,)."""
    best, new = log_probs.max(dim=1)
    if max_changed is None:
        return new
    gain = best - log_probs.gather(1, old[:, None]).squeeze(1)
    dearest = gain.masked_fill(new == old, -torch.inf).topk(min(max_changed, len(old))).indices
    kept = torch.zeros_like(old, dtype=torch.bool)
    kept[dearest] = True
    return torch.where(kept, new, old)
