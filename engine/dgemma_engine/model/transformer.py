"""One layer, then the whole model in its two modes.

Parameter names equal those of the checkpoint below ``model.decoder.``; the encoder's own layer
scalars are called ``layers.N.encoder_layer_scalar`` here.
"""

import enum
import functools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dgemma_engine.config import LayerConfig, LayerKind, ModelConfig
from dgemma_engine.model.attention import (
    Attend,
    Attention,
    KeysValues,
    Rotation,
    causal_mask,
    rotation,
)
from dgemma_engine.model.branches import Branches
from dgemma_engine.model.layers import GatedMLP, RMSNorm, SelfConditioning
from dgemma_engine.model.moe import Experts, Router

Masks = dict[LayerKind, Tensor | Attend | None]
"""What is visible, per layer kind; see ``Attention.forward``."""


class Mode(enum.Enum):
    """Which of the two layer scalars a pass uses; everything else is shared."""

    ENCODER = "encoder"
    DECODER = "decoder"


class Layer(nn.Module):
    """Attention, then a shared dense MLP and routed experts side by side; norms on both sides."""

    def __init__(self, config: ModelConfig, layer: LayerConfig) -> None:
        super().__init__()
        dim, eps = config.hidden_size, config.rms_norm_eps
        self.self_attn = Attention(config, layer)
        self.mlp = GatedMLP(dim, config.intermediate_size)
        self.router = Router(config)
        self.experts = Experts(config)
        self.input_layernorm = RMSNorm(dim, eps)
        self.post_attention_layernorm = RMSNorm(dim, eps)
        self.pre_feedforward_layernorm = RMSNorm(dim, eps)
        self.post_feedforward_layernorm_1 = RMSNorm(dim, eps)
        self.pre_feedforward_layernorm_2 = RMSNorm(dim, eps)
        self.post_feedforward_layernorm_2 = RMSNorm(dim, eps)
        self.post_feedforward_layernorm = RMSNorm(dim, eps)
        self.layer_scalar: Tensor
        self.encoder_layer_scalar: Tensor
        self.register_buffer("layer_scalar", torch.ones(1))
        self.register_buffer("encoder_layer_scalar", torch.ones(1))

    def forward(
        self,
        x: Tensor,
        by: Rotation,
        past: KeysValues | None,
        mask: Tensor | Attend | None,
        mode: Mode,
    ) -> tuple[Tensor, KeysValues]:
        """Map (B, S, D) to (B, S, D); also give the new keys and values."""
        attended, new = self.self_attn(self.input_layernorm(x), by, past, mask)
        residual = x + self.post_attention_layernorm(attended)
        dense = self.post_feedforward_layernorm_1(
            self.mlp(self.pre_feedforward_layernorm(residual))
        )
        routed = self.post_feedforward_layernorm_2(self._routed(residual))
        out = residual + self.post_feedforward_layernorm(dense + routed)
        scalar = self.encoder_layer_scalar if mode is Mode.ENCODER else self.layer_scalar
        return out * scalar, new

    def keys_values(self, x: Tensor, by: Rotation) -> KeysValues:
        """Give only what the cache needs of the layer."""
        return self.self_attn.keys_values(self.input_layernorm(x), by)

    def _routed(self, residual: Tensor) -> Tensor:
        tokens = residual.flatten(0, 1)  # (T, D)
        weights, experts = self.router(tokens)
        normed = self.pre_feedforward_layernorm_2(tokens)
        routed: Tensor = self.experts(normed, weights, experts)
        return routed.view_as(residual)


class Embedding(nn.Module):
    """The table (V, D), used three ways: for ids, for distributions, and as the output head.

    Not ``nn.Embedding``: its initialisation costs seconds even where it initialises nothing.
    """

    def __init__(self, vocab_size: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(vocab_size, dim))


class Transformer(nn.Module):
    """DiffusionGemma's text model.

    ``run_layers`` is the common core; :meth:`encode` and :meth:`decode` are the two passes.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = Embedding(config.vocab_size, config.hidden_size)
        self.self_conditioning = SelfConditioning(config)
        self.layers = nn.ModuleList(Layer(config, layer) for layer in config.layers)
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    @property
    def embedding_scale(self) -> float:
        """√D, rounded to the weights' dtype as in the reference (53.0 in bfloat16)."""
        return _rounded_root(self.config.hidden_size, self.embed_tokens.weight.dtype)

    def embed(self, ids: Tensor) -> Tensor:
        """Embed ids (B, S) as (B, S, D)."""
        return F.embedding(ids, self.embed_tokens.weight) * self.embedding_scale

    def soft_embed(self, logits: Tensor) -> Tensor:
        """Mean embedding (..., D) under the distribution of ``logits`` (..., V)."""
        weight = self.embed_tokens.weight
        probabilities = F.softmax(logits, dim=-1, dtype=torch.float32).to(weight.dtype)
        return (probabilities @ weight) * self.embedding_scale

    def logits(self, hidden: Tensor) -> Tensor:
        """Soft-capped logits (..., V) in float32 of layer outputs (..., D)."""
        raw = F.linear(self.norm(hidden), self.embed_tokens.weight).float()
        cap = self.config.logit_softcap
        if raw.requires_grad:
            return torch.tanh(raw / cap) * cap
        return raw.div_(cap).tanh_().mul_(cap)  # in place: (..., V) is by far the largest tensor

    def run_layers(
        self,
        x: Tensor,
        positions: Tensor,
        past: Sequence[KeysValues] | None,
        masks: Masks,
        mode: Mode,
        *,
        want_output: bool = True,
    ) -> tuple[Tensor | None, list[KeysValues]]:
        """Run every layer over (B, S, D).

        Args:
            x: input embeddings.
            positions: (S,) absolute positions.
            past: per layer what comes before the S tokens, or ``None``.
            masks: per layer kind.
            mode: which layer scalars to use.
            want_output: ``False`` leaves out all that only the last layer's output needs.

        Returns:
            Output of the last layer (B, S, D) or ``None``, and every layer's new keys and values.
        """
        rotations = {cfg: rotation(positions, cfg, x.dtype) for cfg in set(self.config.layers)}
        all_new: list[KeysValues] = []
        last_idx = len(self.layers) - 1
        for idx, (layer, cfg) in enumerate(zip(self.layers, self.config.layers, strict=True)):
            assert isinstance(layer, Layer)
            if idx == last_idx and not want_output:
                all_new.append(layer.keys_values(x, rotations[cfg]))
                return None, all_new
            layer_past = None if past is None else past[idx]
            x, new = layer(x, rotations[cfg], layer_past, masks[cfg.kind], mode)
            all_new.append(new)
        return x, all_new

    def encode(
        self,
        ids: Tensor,
        position: int,
        past: Sequence[KeysValues] | None,
        *,
        want_output: bool = False,
    ) -> tuple[Tensor | None, list[KeysValues]]:
        """Read tokens causally.

        Args:
            ids: (B, S) token ids.
            position: absolute position of the first of them.
            past: per layer the cached keys and values before them; sliding layers need no more
                than the last ``sliding_window - 1``.
            want_output: whether the last layer's output is wanted, for next-token logits.

        Returns:
            Output (B, S, D) or ``None``, and every layer's keys and values of the S tokens.
        """
        n_tokens = ids.shape[1]
        masks: Masks = {}
        for idx, layer in enumerate(self.config.layers):
            if layer.kind not in masks:  # layers of one kind see equally many cached rows
                window = self.config.sliding_window if layer.is_sliding else None
                n_past = 0 if past is None else past[idx][0].shape[2]
                masks[layer.kind] = causal_mask(n_tokens, n_past, window, ids.device)
        positions = torch.arange(position, position + n_tokens, device=ids.device)
        return self.encode_masked(ids, positions, past, masks, want_output=want_output)

    def encode_masked(
        self,
        ids: Tensor,
        positions: Tensor,
        past: Sequence[KeysValues] | None,
        masks: Masks,
        *,
        want_output: bool = True,
    ) -> tuple[Tensor | None, list[KeysValues]]:
        """Read tokens (B, S) at positions (S,) that see what the masks say; see ``encode``."""
        return self.run_layers(
            self.embed(ids), positions, past, masks, Mode.ENCODER, want_output=want_output
        )

    def encode_branches(
        self, branches: Sequence[Sequence[int]], position: int, past: Sequence[KeysValues]
    ) -> list[Tensor]:
        """Read several continuations of one prefix causally in one pass; remember nothing.

        Args:
            branches: token ids of each, at least one.
            position: absolute position of every branch's first token.
            past: per layer the cached keys and values of the prefix, batch 1.

        Returns:
            The last layer's output (length, D) of each branch.
        """
        tree = Branches(self, position, past)
        rows = tree.read(branches)
        return [tree.outputs[path] for path in rows]

    def decode(
        self,
        canvas: Tensor,
        position: int,
        past: Sequence[KeysValues] | None,
        *,
        soft_embeddings: Tensor | None = None,
        rows: Tensor | None = None,
    ) -> Tensor:
        """Predict all tokens of canvases that look at themselves both ways and at the past.

        Every canvas position sees the whole canvas and the same cached keys: all of them in full
        layers, the last ``sliding_window - 1`` in sliding layers (the caller slices).

        Args:
            canvas: (B, C) token ids.
            position: absolute position of the canvas' first token.
            past: per layer the visible cached keys and values.
            soft_embeddings: (B, C, D), the previous step's belief; ``None`` at the first step.
            rows: bool (B, C); logits are computed for these rows only.

        Returns:
            Soft-capped logits before temperature, float32: (B, C, V), or (R, V) with ``rows``.
        """
        x = self.self_conditioning.combine(self.embed(canvas), soft_embeddings)
        positions = torch.arange(position, position + canvas.shape[1], device=canvas.device)
        unmasked: Masks = {"sliding_attention": None, "full_attention": None}
        out, _ = self.run_layers(x, positions, past, unmasked, Mode.DECODER)
        assert out is not None
        return self.logits(out if rows is None else out[rows])


@functools.cache
def _rounded_root(dim: int, dtype: torch.dtype) -> float:
    return torch.tensor(dim**0.5, dtype=dtype).item()
