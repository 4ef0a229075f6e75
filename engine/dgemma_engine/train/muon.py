"""Muon: momentum whose update is made orthogonal, for weight matrices.

Source: Keller Jordan's Muon. ``torch.optim.Muon`` computes the same, but its Newton-Schulz
iteration is bound to bfloat16, which many CPUs run ten times slower than float32, and takes
matrices one by one; here equal shapes share one batched product.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # Jordan's quintic: steep at zero, flat around one


def orthogonalize(matrices: Tensor, n_steps: int = 4) -> Tensor:
    """Push the singular values of (N, rows, columns) towards one by Newton-Schulz iteration.

    In the dtype of ``matrices``; bfloat16 does, as the result is a direction only.
    """
    a, b, c = _COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x: Tensor = matrices.transpose(1, 2) if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(n_steps):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.transpose(1, 2) if tall else x


class Muon(torch.optim.Optimizer):
    """Steps (rows, columns) and stacked (N, rows, columns) parameters."""

    def __init__(
        self,
        params: Iterable[Tensor],
        *,
        lr: float = 0.01,
        momentum: float = 0.95,
        weight_decay: float = 0.02,
        bfloat16: bool = False,
    ) -> None:
        """Take matrices, or stacks of independent matrices; ``bfloat16`` rounds the iteration."""
        self._dtype = torch.bfloat16 if bfloat16 else torch.float32
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(list(params), defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update all parameters that have a gradient."""
        for group in self.param_groups:
            by_shape: dict[tuple[int, ...], list[Tensor]] = defaultdict(list)
            for param in group["params"]:
                if param.grad is not None:
                    by_shape[tuple(param.shape[-2:])].append(param)
            for (rows, columns), params in by_shape.items():
                lr = group["lr"] * max(1.0, rows / columns) ** 0.5
                momentum = self._updates(params, group["momentum"])
                updates = orthogonalize(momentum.to(self._dtype))
                sizes = [param.numel() // (rows * columns) for param in params]
                pieces = torch.split(updates, sizes)
                for param, piece in zip(params, pieces, strict=True):
                    param.mul_(1 - group["lr"] * group["weight_decay"])
                    param.add_(piece.view_as(param).to(param.dtype), alpha=-lr)

    def _updates(self, params: Sequence[Tensor], momentum: float) -> Tensor:
        """Nesterov momentum of all matrices of one shape, (N, rows, columns)."""
        updates = []
        for param in params:
            assert param.grad is not None
            buffer = self.state[param].setdefault("momentum", torch.zeros_like(param))
            buffer.lerp_(param.grad, 1 - momentum)
            update = param.grad.lerp(buffer, momentum)
            updates.append(update.view(-1, *param.shape[-2:]))
        return torch.cat(updates)
