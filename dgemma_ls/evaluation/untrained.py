"""The same architecture before any training: what of the denoiser's share is learnt at all.

Works through the engine's public objects, so that neither torch nor the training recipe comes in.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dgemma_engine.types import Origin
from dgemma_ls.evaluation.cases import Case
from dgemma_ls.evaluation.systems import (
    UNTRAINED,
    Answer,
    System,
    best_of,
    fill_case,
    forget_other_cases,
)

if TYPE_CHECKING:
    from dgemma_engine import Engine

MAX_PARAMETERS = 500_000_000
"""Of a model that is made a second time for a baseline; larger ones would not fit in beside it."""

_ONLY = (Origin.DENOISED,)


def n_parameters(engine: "Engine") -> int:
    """Count the weights."""
    return sum(parameter.numel() for parameter in engine.model.parameters())


def make_untrained(
    engine: "Engine", *, n_steps: int, seed: int
) -> tuple[System, Callable[[Case], None]]:
    """Give the denoiser of an untrained model, told the length, and what to do before each case.

    Args:
        engine: whose architecture, tokenizer and settings to take.
        n_steps: denoising steps at most.
        seed: of the weights.
    """
    untrained = cache(partial(untrained_engine, engine, seed=seed))  # made at the first case

    def prepare(case: Case) -> None:
        forget_other_cases(untrained(), case, proposers=_ONLY)

    def fill(case: Case) -> Answer:
        return best_of(fill_case(untrained(), case, n_steps=n_steps, proposers=_ONLY))

    system = System(name=UNTRAINED, title="denoiser, untrained", is_baseline=True, fill=fill)
    return system, prepare


def untrained_engine(engine: "Engine", *, seed: int) -> "Engine":
    """Make an engine like this one whose weights are as before the first training step."""
    rng = np.random.default_rng(seed)
    model = type(engine.model)(engine.config).requires_grad_(False)
    for name, parameter in model.named_parameters():
        values = _initial(name, tuple(parameter.shape), rng)
        if values is not None:
            parameter.copy_(parameter.new_tensor(values))
    like = engine.model.embed_tokens.weight
    return type(engine)(
        model.to(device=like.device, dtype=like.dtype).eval(),
        engine.generation_config,
        tokenizer=engine.tokenizer,
        infill_settings=engine.infill_settings,
    )


def _initial(
    name: str, shape: tuple[int, ...], rng: np.random.Generator
) -> npt.NDArray[np.float32] | None:
    """The training recipe's first values (``train.trainer.initial_model``); ``None``: leave."""
    if name.endswith(("q_norm.weight", "k_norm.weight")):
        return np.full(shape, 1.2 * shape[0] ** -0.25, dtype=np.float32)
    if "layernorm" in name and "post_" in name:
        return np.full(shape, 0.4, dtype=np.float32)
    if len(shape) < 2:
        return None
    std = shape[-1] ** -0.5
    if name == "self_conditioning.down_proj.weight":
        std *= 0.3
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(std)
