"""The denoising loop over a batch of canvases with everything known clamped.

Clamped ids are written back every step by never being touched; the sampler leaves them out of the
ranking, the mean entropy and the stop test. Logits and soft embeddings are computed for free rows
only, which is exact because a clamped row's self-conditioning is its own token. Where the free
positions are does not matter: a whole span, several of them, or single tokens of one. What else
clamped rows could be conditioned on is there for comparisons (``InfillSettings.clamps_as``).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dgemma_engine.config import GenerationConfig
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.attention import KeysValues
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.sampler import StopRule, denoise_step, temperature
from dgemma_engine.types import CancelToken, StopReason

OnStep = Callable[["Step"], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Canvases:
    """B canvases of C tokens after one prefix.

    Attributes:
        ids: int64 (B, C); of no meaning where noised.
        free: bool (B, C), what may change; everything else is clamped.
        noised: bool (B, C), the free positions that start as random ids. The others start from
            their token and, in the first step, are self-conditioned on it: a *warm start*.
        forbidden: bool (R, V), tokens that may not stand at the R free positions (row-major).
    """

    ids: Tensor
    free: Tensor
    noised: Tensor
    forbidden: Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """What one denoising step shows: a complete canvas in any case.

    Attributes:
        number: from 1.
        rows: the canvases that took part.
        argmax: int64 (len(rows), C), their most probable ids, clamped ids where clamped.
    """

    number: int
    rows: tuple[int, ...]
    argmax: Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Denoised:
    """The canvases as the last step left them.

    Attributes:
        argmax: int64 (B, C), most probable ids at free positions.
        entropy: (B, C) nats, zero where clamped, infinite where no step was taken.
        log_probs: per canvas (n free, V), of its last step; ``None`` where no step was taken.
        row_forwards: steps that each canvas took.
        forwards: decoder forwards (a batch counts once).
        stop: why it ended.
    """

    argmax: Tensor
    entropy: Tensor
    log_probs: tuple[Tensor | None, ...]
    row_forwards: tuple[int, ...]
    forwards: int
    stop: StopReason

    @property
    def token_forwards(self) -> int:
        """Tokens of all canvases over all forwards."""
        return sum(self.row_forwards) * self.argmax.shape[1]


@torch.inference_mode()
def denoise(
    model: Transformer,
    kv: KVCache,
    canvases: Canvases,
    *,
    n_steps: int,
    seed: int,
    config: GenerationConfig,
    known_at_once: bool,
    clamps_as: str = "token",
    cancel: CancelToken,
    on_step: OnStep | None = None,
) -> Denoised:
    """Denoise all canvases as one batch; those that are done leave it.

    Args:
        model: the model.
        kv: the encoded prefix.
        canvases: what to denoise.
        n_steps: denoising steps at most.
        seed: of this call's own generator.
        config: the sampler's settings (its number of steps is not used).
        known_at_once: whether clamped tokens are self-conditioned on themselves from the first
            step on, see ``InfillSettings.clamps_known_at_once``.
        clamps_as: what they are self-conditioned on, see ``InfillSettings.clamps_as``.
        cancel: asked before each step.
        on_step: called after each step.
    """
    known_at_once = known_at_once and clamps_as == "token"
    loop = _Loop(model, canvases, known_at_once=known_at_once, clamps_as=clamps_as, seed=seed)
    visible = kv.visible()
    stop = StopReason.MAX_STEPS
    for step in range(n_steps, 0, -1):
        if (asked := cancel.stop_reason()) is not None:
            stop = asked
            break
        rows = tuple(loop.active)
        loop.advance(visible, kv.n_tokens, temperature(step, n_steps, config), config)
        if on_step is not None:
            on_step(Step(number=loop.forwards, rows=rows, argmax=loop.argmax[list(rows)]))
        if not loop.active:
            stop = StopReason.STABLE
            break
    return Denoised(
        argmax=loop.argmax,
        entropy=loop.entropy,
        log_probs=tuple(loop.log_probs),
        row_forwards=tuple(loop.row_forwards),
        forwards=loop.forwards,
        stop=stop,
    )


class _Loop:
    """The batch between two steps."""

    def __init__(
        self,
        model: Transformer,
        canvases: Canvases,
        *,
        known_at_once: bool,
        clamps_as: str,
        seed: int,
    ) -> None:
        device = model.embed_tokens.weight.device
        self.model, self.free, self.known_at_once = model, canvases.free, known_at_once
        self.clamps_as = clamps_as
        self.generator = torch.Generator(device).manual_seed(seed)
        noise = torch.randint(
            model.config.vocab_size, canvases.ids.shape, generator=self.generator, device=device
        )
        self.canvas = torch.where(canvases.noised, noise, canvases.ids)
        self.warm = canvases.free & ~canvases.noised
        n_rows = len(canvases.ids)
        per_row = canvases.free.sum(dim=1).tolist()
        self.forbidden = torch.split(canvases.forbidden, per_row)
        self.active = list(range(n_rows))  # rows still being denoised
        self.argmax = self.canvas.clone()
        self.entropy = torch.where(canvases.free, torch.inf, 0.0)
        self.scaled_logits: Tensor | None = None  # of the active rows' free positions
        self.own_logits: Tensor | None = None  # of all their positions, where clamps are their own
        self.log_probs: list[Tensor | None] = [None] * n_rows
        self.forwards = 0
        self.row_forwards = [0] * n_rows
        self.rules: list[StopRule] | None = None

    def advance(
        self, visible: list[KeysValues], position: int, at: float, config: GenerationConfig
    ) -> None:
        """Take one denoising step with the active rows."""
        canvas, free = self.canvas[self.active], self.free[self.active]
        soft = self._soft(canvas, free)
        if self.clamps_as == "own":
            everywhere = self.model.decode(canvas, position, visible, soft_embeddings=soft)
            self.own_logits, logits = everywhere / at, everywhere[free]
        else:
            logits = self.model.decode(canvas, position, visible, soft_embeddings=soft, rows=free)
        forbidden = torch.cat([self.forbidden[idx] for idx in self.active])
        logits = logits.masked_fill(forbidden, -torch.inf)
        outcome = denoise_step(
            canvas,
            logits,
            free,
            temperature=at,
            entropy_bound=config.entropy_bound,
            generator=self.generator,
        )
        self.canvas[self.active] = outcome.canvas
        self.argmax[self.active] = outcome.argmax
        self.entropy[self.active] = outcome.entropy
        self.forwards += 1
        pieces = torch.split(outcome.scaled_logits, free.sum(dim=1).tolist())
        for idx, piece in zip(self.active, pieces, strict=True):
            self.row_forwards[idx] += 1
            self.log_probs[idx] = torch.log_softmax(piece, dim=-1)
        self._retire(pieces, outcome.argmax, outcome.entropy, free, config)

    def _soft(self, canvas: Tensor, free: Tensor) -> Tensor | None:
        """Self-conditioning: clamped rows on their own token, free rows on the last step."""
        warm = self.warm[self.active]
        if self.scaled_logits is None:
            known = ~free | warm if self.known_at_once else warm
            return self.model.embed(canvas) * known[:, :, None] if known.any() else None
        weight_dtype = self.model.embed_tokens.weight.dtype
        if self.own_logits is not None:
            soft = self.model.soft_embed(self.own_logits.to(weight_dtype))
        else:
            known = ~free if self.clamps_as == "token" else torch.zeros_like(free)
            soft = self.model.embed(canvas) * known[:, :, None]
        soft[free] = self.model.soft_embed(self.scaled_logits.to(weight_dtype))
        return soft

    def _retire(
        self,
        pieces: tuple[Tensor, ...],
        argmax: Tensor,
        entropy: Tensor,
        free: Tensor,
        config: GenerationConfig,
    ) -> None:
        """Drop the rows that are stable and confident from the batch."""
        if self.rules is None:
            self.rules = [StopRule(config) for _ in self.row_forwards]
        still: list[int] = []
        places: list[int] = []
        for place, idx in enumerate(self.active):
            here = slice(place, place + 1)
            if not self.rules[idx].finished(argmax[here], entropy[here], free[here]).item():
                still.append(idx)
                places.append(place)
        self.active = still
        self.scaled_logits = torch.cat([pieces[place] for place in places]) if still else None
        if self.own_logits is not None:
            self.own_logits = self.own_logits[places]
