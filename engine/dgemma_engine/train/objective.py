"""The losses: next token of the encoder, and the free tokens of noised canvases.

A window of W clean tokens is read once by the encoder. The decoder then works on a noised copy,
cut into canvases of C tokens: each canvas sees the encoder's keys before it and itself, exactly
what it sees at inference, but all canvases of the window go through one pass.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from dgemma_engine.config import GenerationConfig
from dgemma_engine.model.attention import KeysValues
from dgemma_engine.model.transformer import Masks, Mode, Transformer
from dgemma_engine.sampler import denoise_step, temperature
from dgemma_engine.train.blocks import BlockAttention


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """The encoder's view of B windows: output (B, W, D) and every layer's keys and values."""

    output: Tensor
    keys_values: list[KeysValues]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CanvasBatch:
    """Noised windows as tensors.

    Attributes:
        ids: (B, W) corrupted ids.
        targets: (B, W) true ids.
        free: bool (B, W), positions that the sampler fills.
        scored: bool (B, W), positions that the loss counts; all that are free, at least.
        clamped: bool (B, W), clean positions that are flagged as known.
    """

    ids: Tensor
    targets: Tensor
    free: Tensor
    scored: Tensor
    clamped: Tensor


class Objective:
    """Losses of one model at one window and canvas length; holds the masks, which never change."""

    def __init__(self, model: Transformer, window: int, canvas: int) -> None:
        """Take the model and W and C; C divides W."""
        if window % canvas:
            raise ValueError(f"canvas length {canvas} does not divide the window {window}")
        self.model, self.window, self.canvas = model, window, canvas
        device = model.embed_tokens.weight.device
        self._positions = torch.arange(window, device=device)
        sliding = model.config.sliding_window
        # One block holds the whole window where its queries see most of it.
        self._encoder_masks: Masks = {
            "full_attention": BlockAttention(
                window, window, sliding=None, causal=True, device=device
            ),
            "sliding_attention": BlockAttention(
                window, canvas, sliding=sliding, causal=True, device=device
            ),
        }
        self._decoder_masks: Masks = {
            "full_attention": BlockAttention(
                window, canvas, sliding=None, causal=False, device=device
            ),
            "sliding_attention": BlockAttention(
                window, canvas, sliding=sliding, causal=False, device=device
            ),
        }

    def encode(self, ids: Tensor) -> Encoded:
        """Read clean windows (B, W) causally."""
        out, keys_values = self.model.run_layers(
            self.model.embed(ids), self._positions, None, self._encoder_masks, Mode.ENCODER
        )
        assert out is not None
        return Encoded(output=out, keys_values=keys_values)

    def next_token_loss(self, encoded: Encoded, ids: Tensor, rows: Tensor) -> Tensor:
        """Cross-entropy in nats of the token after each chosen row; ``rows`` bool (B, W-1)."""
        logits = self.model.logits(encoded.output[:, :-1][rows])
        return F.cross_entropy(logits, ids[:, 1:][rows])

    def canvas_logits(
        self, encoded: Encoded, batch: CanvasBatch, soft: Tensor | None, rows: Tensor
    ) -> Tensor:
        """Logits (R, V) of the chosen rows, bool (B, W); ``soft`` (B, W, D) as in decoding."""
        x = self.model.self_conditioning.combine(self.model.embed(batch.ids), soft)
        out, _ = self.model.run_layers(
            x, self._positions, encoded.keys_values, self._decoder_masks, Mode.DECODER
        )
        assert out is not None
        return self.model.logits(out[rows])

    def canvas_loss(self, encoded: Encoded, batch: CanvasBatch, soft: Tensor | None) -> Tensor:
        """Cross-entropy in nats of the scored rows."""
        logits = self.canvas_logits(encoded, batch, soft, batch.scored)
        return F.cross_entropy(logits, batch.targets[batch.scored])

    def first_soft(self, batch: CanvasBatch) -> Tensor:
        """Self-conditioning of a first step: clamped rows know themselves, the others nothing."""
        return self.model.embed(batch.ids) * batch.clamped[:, :, None]

    @torch.no_grad()
    def sampled_state(
        self,
        encoded: Encoded,
        batch: CanvasBatch,
        n_steps: int,
        config: GenerationConfig,
        generator: torch.Generator,
    ) -> tuple[CanvasBatch, Tensor]:
        """Let the current weights decode some steps, to learn from where that leads.

        Without it the states that the sampler visits (its own accepted tokens, its own
        self-conditioning) are unknown to the model, and ten steps come out worse than one.

        Returns:
            The canvases after ``n_steps`` of ``config.max_denoising_steps``, and the
            self-conditioning (B, W, D) that goes with them.
        """
        n_total = config.max_denoising_steps
        shape = (-1, self.canvas)
        soft, ids = self.first_soft(batch), batch.ids
        for step in range(n_total, n_total - n_steps, -1):
            current = replace(batch, ids=ids)
            outcome = denoise_step(
                ids.view(shape),
                self.canvas_logits(encoded, current, soft, batch.free),
                batch.free.view(shape),
                temperature=temperature(step, n_total, config),
                entropy_bound=config.entropy_bound,
                generator=generator,
            )
            ids = outcome.canvas.view_as(ids)
            soft = self.first_soft(batch)
            soft[batch.free] = self.model.soft_embed(outcome.scaled_logits).to(soft.dtype)
        return replace(batch, ids=ids), soft
