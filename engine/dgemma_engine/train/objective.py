"""The losses: next token of the encoder, and the free tokens of noised canvases.

A window of W clean tokens is read once by the encoder. The decoder then works on a noised copy,
cut into canvases of C tokens: each canvas sees the encoder's keys before it and itself, exactly
what it sees at inference, but all canvases of the window go through one pass.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from dgemma_engine.config import GenerationConfig, ModelConfig
from dgemma_engine.model.attention import KeysValues, causal_mask
from dgemma_engine.model.transformer import Masks, Mode, Transformer
from dgemma_engine.sampler import denoise_step, temperature


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
        free: bool (B, W), positions to predict.
        clamped: bool (B, W), clean positions that are flagged as known.
    """

    ids: Tensor
    free: Tensor
    clamped: Tensor


class Objective:
    """Losses of one model at one window and canvas length; holds the masks, which never change."""

    def __init__(self, model: Transformer, window: int, canvas: int) -> None:
        """Take the model and W and C; C divides W."""
        if window % canvas:
            raise ValueError(f"canvas length {canvas} does not divide the window {window}")
        self.model, self.window, self.canvas = model, window, canvas
        sliding = model.config.sliding_window
        device = model.embed_tokens.weight.device
        self._positions = torch.arange(window, device=device)
        self._encoder_masks: Masks = {
            "full_attention": causal_mask(window, 0, None, device),
            "sliding_attention": causal_mask(window, 0, sliding, device),
        }
        self._decoder_masks = decoder_masks(model.config, window, canvas, device)

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
            current = CanvasBatch(ids=ids, free=batch.free, clamped=batch.clamped)
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
            soft[batch.free] = self.model.soft_embed(outcome.scaled_logits)
        return CanvasBatch(ids=ids, free=batch.free, clamped=batch.clamped), soft


def decoder_masks(
    config: ModelConfig, window: int, canvas: int, device: torch.device | None = None
) -> Masks:
    """What each canvas position of a window sees: [encoder keys (W) | noised keys (W)].

    Encoder keys before its canvas (in sliding layers the last ``sliding_window - 1`` of them),
    and all noised keys of its own canvas.
    """
    position = torch.arange(window, device=device)
    canvas_start = (position // canvas * canvas)[:, None]
    before = position[None, :] < canvas_start
    near = before & (position[None, :] >= canvas_start - (config.sliding_window - 1))
    own = canvas_start == (position // canvas * canvas)[None, :]
    return {
        "full_attention": torch.cat((before, own), dim=1),
        "sliding_attention": torch.cat((near, own), dim=1),
    }
