"""Generate, then clamp: what the model writes with nothing to its right, up to where the suffix is.

Where the prompt shows the text after the gap (the chat layout), a canvas that is free after its
left clamp writes the missing text and goes on with what follows. Where the suffix' first tokens
turn up in it, the text before them is a draft with a length; the canvas with clamps then starts
from it. Without the second step this is how a chat model is used that knows no clamps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from dgemma_engine.infill.denoise import Canvases, denoise
from dgemma_engine.infill.parts import Parts
from dgemma_engine.infill.planner import MAX_CANVAS_TOKENS, CanvasPlan
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.types import CancelToken

_LEAST_RUN = 4
"""Tokens of the suffix that must be recognised, where it has as many."""

_HEAD_TOKENS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeDraft:
    """What was written before the suffix.

    Attributes:
        ids: its tokens; what was begun before the gap included. Empty if no suffix turned up.
        forwards: decoder forwards that it took.
        token_forwards: tokens of its canvas over all of them.
    """

    ids: tuple[int, ...]
    forwards: int
    token_forwards: int = 0


def free_draft(
    parts: Parts,
    kv: KVCache,
    plan: CanvasPlan,
    *,
    single_line: bool,
    n_steps: int,
    seed: int,
    cancel: CancelToken,
) -> FreeDraft:
    """Write on without looking at the suffix, and cut where it begins.

    Args:
        parts: the engine's.
        kv: the encoded ``plan.context_ids``.
        plan: of the request.
        single_line: whether what is cut out may hold a line break.
        n_steps: denoising steps at most.
        seed: of the noise.
        cancel: asked before each step.
    """
    n_canvas = min(MAX_CANVAS_TOKENS, parts.model.config.canvas_length)
    n_left = len(plan.left_ids)
    ids = torch.zeros((1, n_canvas), dtype=torch.long, device=parts.device)
    ids[0, :n_left] = torch.tensor(plan.left_ids, dtype=torch.long, device=parts.device)
    free = torch.arange(n_canvas, device=parts.device)[None] >= n_left
    forbidden = parts.rules.forbidden(single_line=False).clone()
    forbidden[list(plan.end_ids)] = False  # it may end its turn
    forbidden = forbidden.repeat(n_canvas - n_left, 1)
    if plan.head:
        begun = plan.head.encode("utf-8", "surrogatepass")
        forbidden[0] |= ~parts.rules.starting_with(begun)
    denoised = denoise(
        parts.model,
        kv,
        Canvases(ids=ids, free=free, noised=free, forbidden=forbidden),
        n_steps=n_steps,
        seed=seed,
        config=parts.config,
        known_at_once=parts.settings.clamps_known_at_once,
        cancel=cancel,
    )
    written = denoised.argmax[0, n_left:].tolist() if denoised.forwards else []
    found = cut_at_suffix(written, plan.right_ids, plan.end_ids)
    if single_line and set(parts.tokenizer.decode_bytes(found)) & set(b"\r\n"):
        found = ()
    return FreeDraft(ids=found, forwards=denoised.forwards, token_forwards=denoised.token_forwards)


def cut_at_suffix(
    written: Sequence[int], right_ids: Sequence[int], end_ids: Sequence[int] = ()
) -> tuple[int, ...]:
    """Give what stands before the first place at which the suffix begins.

    Args:
        written: token ids.
        right_ids: the suffix' first ids.
        end_ids: what may follow the end of the document: a suffix of no tokens begins there.

    Returns:
        The ids before it; none if it is not found, or if nothing stands before it.
    """
    if not right_ids:
        ends = set(end_ids)
        return tuple(written[: next((n for n, t in enumerate(written) if t in ends), 0)])
    head = tuple(right_ids[:_HEAD_TOKENS])
    n_needed = min(_LEAST_RUN, len(head))
    for place in range(len(written) - n_needed + 1):
        if tuple(written[place : place + n_needed]) == head[:n_needed]:
            return tuple(written[:place])
    return ()
