"""Mixture of experts: the router picks a few experts per token, their outputs are blended.

Source: transformers ``DiffusionGemmaTextRouter`` and ``DiffusionGemmaTextExperts``.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dgemma_engine.config import ModelConfig
from dgemma_engine.model.layers import gated_gelu, rms_norm


class Router(nn.Module):
    """Chooses ``top_k`` of E experts per token and their weights."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.proj = nn.Linear(config.hidden_size, config.n_experts, bias=False)
        self.scale = nn.Parameter(torch.ones(config.hidden_size))
        self.per_expert_scale = nn.Parameter(torch.ones(config.n_experts))
        self.top_k, self.eps = config.top_k_experts, config.rms_norm_eps

    def forward(self, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Route tokens by the raw residual stream, not by the normed input of the experts.

        Args:
            residual: (T, D).

        Returns:
            Weights (T, top_k) float32 and expert indices (T, top_k).
        """
        x = rms_norm(residual, None, self.eps) * self.scale * residual.shape[-1] ** -0.5
        probabilities = F.softmax(self.proj(x), dim=-1, dtype=torch.float32)
        weights, experts = probabilities.topk(self.top_k, dim=-1)
        weights = weights / weights.sum(dim=-1, keepdim=True)
        return weights * self.per_expert_scale[experts], experts


class Experts(nn.Module):
    """E gated MLPs with fused weights: ``gate_up_proj`` (E, 2I, D), ``down_proj`` (E, D, I)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        n_experts, dim, hidden = config.n_experts, config.hidden_size, config.moe_intermediate_size
        self.gate_up_proj = nn.Parameter(torch.empty(n_experts, 2 * hidden, dim))
        self.down_proj = nn.Parameter(torch.empty(n_experts, dim, hidden))

    def forward(self, x: Tensor, weights: Tensor, experts: Tensor) -> Tensor:
        """Blend the chosen experts' outputs.

        Args:
            x: (T, D).
            weights: (T, top_k) float32.
            experts: (T, top_k) indices.

        Returns:
            (T, D).
        """
        if self.training:  # every shape is known beforehand, which is what torch.compile needs
            return self._dense(x, weights, experts)
        return self._gathered(x, weights, experts)

    def _dense(self, x: Tensor, weights: Tensor, experts: Tensor) -> Tensor:
        """Compute every expert for every token; the weight of those not chosen is zero."""
        n_experts = self.gate_up_proj.shape[0]
        blend = weights.new_zeros(x.shape[0], n_experts).scatter(1, experts, weights)  # (T, E)
        gate_up = F.linear(x, self.gate_up_proj.flatten(0, 1))  # (T, E * 2I)
        gate, up = gate_up.view(x.shape[0], n_experts, -1).chunk(2, dim=-1)  # (T, E, I)
        hidden = gated_gelu(gate, up) * blend[:, :, None].to(x.dtype)
        return hidden.flatten(1) @ self.down_proj.transpose(1, 2).flatten(0, 1)

    def _gathered(self, x: Tensor, weights: Tensor, experts: Tensor) -> Tensor:
        """Sort the choices by expert; each expert computes only the tokens that chose it."""
        n_experts = self.gate_up_proj.shape[0]
        choices = experts.flatten()  # (T * top_k,)
        order = choices.argsort()
        token_idx = order // experts.shape[1]
        outputs = []
        start = 0
        for expert, n_tokens in enumerate(torch.bincount(choices, minlength=n_experts).tolist()):
            if n_tokens:
                chosen = x[token_idx[start : start + n_tokens]]
                gate, up = F.linear(chosen, self.gate_up_proj[expert]).chunk(2, dim=-1)
                outputs.append(F.linear(gated_gelu(gate, up), self.down_proj[expert]))
            start += n_tokens
        weighted = torch.cat(outputs) * weights.flatten()[order, None]
        return torch.zeros_like(x).index_add_(0, token_idx, weighted.to(x.dtype))
