"""Plain block generation: canvas after canvas, each denoised from pure noise.

The same function as transformers' ``DiffusionGemmaGenerationMixin.generate`` for one sequence,
draw for draw. Nothing is clamped here; ``infill/fill.py`` is the loop with clamps.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from dgemma_engine.config import GenerationConfig
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.prefix_cache import PrefixCacheStore
from dgemma_engine.sampler import StopRule, denoise_step, temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """State after one denoising step, for a live view.

    Attributes:
        canvas_idx: canvases finished before this one.
        step: counts up from 1.
        token_ids: the most probable tokens now, one per position.
        n_accepted: positions whose draw was kept.
        mean_entropy: nats.
    """

    canvas_idx: int
    step: int
    token_ids: tuple[int, ...]
    n_accepted: int
    mean_entropy: float


def generate(
    model: Transformer,
    prefixes: PrefixCacheStore,
    kv: KVCache,
    config: GenerationConfig,
    *,
    max_new_tokens: int,
    seed: int,
    on_step: Callable[[StepReport], None] | None = None,
) -> list[int]:
    """Continue a prefix.

    Args:
        model: the model.
        prefixes: encodes finished canvases.
        kv: the encoded prefix.
        config: the sampler's settings.
        max_new_tokens: rounded up to whole canvases, as in the reference.
        seed: of this request's own generator.
        on_step: called after every step; whatever it raises ends the generation.

    Returns:
        The new tokens: whole canvases. What follows the first end-of-text id is padding.
    """
    length, vocab_size = model.config.canvas_length, model.config.vocab_size
    device = model.embed_tokens.weight.device
    generator = torch.Generator(device).manual_seed(seed)
    free = torch.ones(1, length, dtype=torch.bool, device=device)
    new_ids: list[int] = []
    for canvas_idx in range(math.ceil(max_new_tokens / length)):
        if canvas_idx:
            kv = prefixes.extend(kv, new_ids[-length:])
        visible = kv.visible()
        canvas = torch.randint(vocab_size, (1, length), generator=generator, device=device)
        argmax, soft, rule = canvas, None, StopRule(config)
        for step in range(config.max_denoising_steps, 0, -1):
            logits = model.decode(canvas, kv.n_tokens, visible, soft_embeddings=soft)
            outcome = denoise_step(
                canvas,
                logits.flatten(0, 1),
                free,
                temperature=temperature(step, config.max_denoising_steps, config),
                entropy_bound=config.entropy_bound,
                generator=generator,
            )
            canvas, argmax = outcome.canvas, outcome.argmax
            soft = model.soft_embed(outcome.scaled_logits.to(model.embed_tokens.weight.dtype))
            soft = soft.view(1, length, -1)
            if on_step is not None:
                on_step(
                    StepReport(
                        canvas_idx=canvas_idx,
                        step=config.max_denoising_steps - step + 1,
                        token_ids=tuple(argmax[0].tolist()),
                        n_accepted=int(outcome.accepted.sum()),
                        mean_entropy=outcome.entropy.mean().item(),
                    )
                )
            if rule.finished(argmax, outcome.entropy, free).all():
                break
        ids, ended = _finalise(argmax[0].tolist(), config)
        new_ids += ids
        if ended:
            break
    return new_ids


def _finalise(ids: list[int], config: GenerationConfig) -> tuple[list[int], bool]:
    """Pad what follows the first end-of-text id; say whether there was one."""
    end = next((idx for idx, token in enumerate(ids) if token in config.eos_token_ids), None)
    if end is None:
        return ids, False
    if config.pad_token_id is None:
        return ids, True
    return [*ids[: end + 1], *[config.pad_token_id] * (len(ids) - end - 1)], True
