"""Denoising the spans of one plan: its rows as canvases, and what came of them as token ids."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dgemma_engine.config import GenerationConfig
from dgemma_engine.infill.constraints import TokenAutomaton, most_probable, top_candidates
from dgemma_engine.infill.denoise import Canvases, Denoised, OnStep, denoise
from dgemma_engine.infill.planner import CanvasPlan, CanvasRow
from dgemma_engine.infill.settings import InfillSettings
from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.types import CancelToken, StopReason


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledRow:
    """What came of one canvas.

    Attributes:
        row: the plan's row.
        ids: token ids of its span, after those that were given.
        confidence: minus the span's mean entropy at its last step, nats.
        forwards: steps that this canvas took.
    """

    row: CanvasRow
    ids: tuple[int, ...]
    confidence: float
    forwards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """All filled rows, in the order of the plan; empty when cancelled.

    Attributes:
        rows: what came of the canvases.
        stop: why it ended.
        forwards: decoder forwards (a batch counts once).
        token_forwards: tokens of all canvases over all forwards.
    """

    rows: tuple[FilledRow, ...]
    stop: StopReason
    forwards: int
    token_forwards: int = 0


def fill_rows(
    model: Transformer,
    kv: KVCache,
    plan: CanvasPlan,
    rules: TokenRules,
    *,
    single_line: bool,
    n_steps: int,
    seed: int,
    config: GenerationConfig,
    settings: InfillSettings,
    cancel: CancelToken,
    on_step: OnStep | None = None,
    machine: TokenAutomaton[Any] | None = None,
) -> Filled:
    """Denoise every row of a plan as one batch; rows that are done leave it.

    Args:
        model: the model.
        kv: the encoded ``plan.context_ids``.
        plan: the canvases.
        rules: of the checkpoint's vocabulary.
        single_line: forbids line breaks in the span.
        n_steps: denoising steps at most.
        seed: of this request's own generator.
        config: the sampler's settings (its number of steps is not used).
        settings: of the checkpoint.
        cancel: asked before each step.
        on_step: called after each step.
        machine: says which spans are allowed, given tokens included.

    Returns:
        The most probable allowed span of each row that has one; what was there when the deadline
        passed.
    """
    denoised = denoise(
        model,
        kv,
        span_canvases(model, plan, rules, single_line=single_line),
        n_steps=n_steps,
        seed=seed,
        config=config,
        known_at_once=settings.clamps_known_at_once,
        clamps_as=settings.clamps_as,
        cancel=cancel,
        on_step=on_step,
    )
    if denoised.stop is StopReason.CANCELLED:
        return Filled(
            rows=(),
            stop=denoised.stop,
            forwards=denoised.forwards,
            token_forwards=denoised.token_forwards,
        )
    filled = [
        FilledRow(
            row=row,
            ids=ids,
            confidence=-denoised.entropy[idx, row.span].mean().item(),
            forwards=denoised.row_forwards[idx],
        )
        for idx, row in enumerate(plan.rows)
        if denoised.row_forwards[idx]  # else it is still noise
        and (ids := _most_probable(row, denoised, idx, machine)) is not None
    ]
    return Filled(
        rows=tuple(filled),
        stop=denoised.stop,
        forwards=denoised.forwards,
        token_forwards=denoised.token_forwards,
    )


def span_canvases(
    model: Transformer, plan: CanvasPlan, rules: TokenRules, *, single_line: bool
) -> Canvases:
    """Give the rows of a plan as canvases: spans free, everything else clamped."""
    device = model.embed_tokens.weight.device
    ids = torch.tensor([row.ids for row in plan.rows], device=device)
    free = torch.zeros(ids.shape, dtype=torch.bool, device=device)
    noised = free.clone()
    for idx, row in enumerate(plan.rows):
        free[idx, row.span] = True
        noised[idx, row.span] = not row.draft
    forbidden = _forbidden(plan, rules, single_line=single_line)
    return Canvases(ids=ids, free=free, noised=noised, forbidden=forbidden)


def _most_probable(
    row: CanvasRow, denoised: Denoised, idx: int, machine: TokenAutomaton[Any] | None
) -> tuple[int, ...] | None:
    """The most probable span of a canvas, of those that are allowed if not all are."""
    log_probs = denoised.log_probs[idx]
    if machine is None or log_probs is None:
        return (*row.given, *denoised.argmax[idx, row.span].tolist())
    given = [[(token, 0.0)] for token in row.given]
    found = most_probable([*given, *top_candidates(log_probs)], machine)
    return None if found is None else found.ids


def _forbidden(plan: CanvasPlan, rules: TokenRules, *, single_line: bool) -> Tensor:
    """Forbidden tokens, bool (R, V), of all free positions in row-major order."""
    n_free = sum(row.n_tokens for row in plan.rows)
    forbidden = rules.forbidden(single_line=single_line).repeat(n_free, 1)
    offset = 0
    for row in plan.rows:
        if row.must_start:
            forbidden[offset] |= ~rules.starting_with(row.must_start)
        offset += row.n_tokens
    return forbidden
