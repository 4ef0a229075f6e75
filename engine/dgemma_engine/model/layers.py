"""The small parts: RMSNorm, gated MLP, self-conditioning. Source: transformers, Gemma 4 blocks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dgemma_engine.config import ModelConfig


def rms_norm(x: Tensor, weight: Tensor | None, eps: float) -> Tensor:
    """Divide by the root mean square of the last dimension, then scale by ``weight``.

    Unlike older Gemmas the weight is used as it is, not as ``1 + weight``. Computed in float32
    whatever the dtype of ``x``, and written out as in the reference: ``F.rms_norm`` has no fused
    kernel on CPUs, and a vector norm, a little faster, triples the distance to the reference.
    """
    values = x.float()
    scaled = values * torch.pow(values.square().mean(dim=-1, keepdim=True) + eps, -0.5)
    return (scaled if weight is None else scaled * weight.float()).type_as(x)


class RMSNorm(nn.Module):
    """:func:`rms_norm` with a learned weight (D,)."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (..., D)."""
        return rms_norm(x, self.weight, self.eps)


def gated_gelu(gate: Tensor, up: Tensor) -> Tensor:
    """The activation of every MLP here: ``gelu(gate) * up`` with the tanh form of GELU."""
    return F.gelu(gate, approximate="tanh") * up


class GatedMLP(nn.Module):
    """``down(gelu(gate(x)) * up(x))``, no biases."""

    def __init__(self, dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(dim, hidden_dim, bias=False)
        self.up_proj = nn.Linear(dim, hidden_dim, bias=False)
        self.down_proj = nn.Linear(hidden_dim, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., D) to (..., D)."""
        down: Tensor = self.down_proj(gated_gelu(self.gate_proj(x), self.up_proj(x)))
        return down


class SelfConditioning(GatedMLP):
    """Adds what the previous denoising step believed to the canvas embeddings.

    The belief arrives as a *soft embedding*: the mean embedding under the previous step's
    distribution. Without one the signal is exactly zero, yet the closing norm still applies: the
    decoder's input is always normed, the encoder's never.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config.hidden_size, config.intermediate_size)
        self.pre_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.eps = config.rms_norm_eps

    def combine(self, embeddings: Tensor, soft_embeddings: Tensor | None) -> Tensor:
        """Give the decoder's input.

        Args:
            embeddings: (B, C, D), of the canvas ids.
            soft_embeddings: (B, C, D) or ``None`` at the first step.

        Returns:
            (B, C, D).
        """
        if soft_embeddings is not None:
            embeddings = embeddings + self(self.pre_norm(soft_embeddings))
        return rms_norm(embeddings, None, self.eps)
