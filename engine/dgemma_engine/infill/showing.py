"""Which ranked proposals may be shown: the caller's check, and repair where nothing passes it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dgemma_engine.infill.fill import FilledRow
from dgemma_engine.infill.parts import Parts
from dgemma_engine.infill.planner import CanvasPlan, text_between
from dgemma_engine.infill.proposals import Scored
from dgemma_engine.infill.repair import repair
from dgemma_engine.infill.slots import OpenSlot
from dgemma_engine.types import CancelToken, SpanCheck

_N_CHECKED = 12
"""Candidates looked at before the best of them are repaired: a parse each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What passed.

    Attributes:
        scored: best first.
        n_refused: how many did not pass.
        forwards: denoising steps that repair took.
        token_forwards: tokens of its canvases over all of them.
    """

    scored: tuple[Scored, ...]
    n_refused: int
    forwards: int
    token_forwards: int = 0


def fit_to_show(
    parts: Parts,
    plan: CanvasPlan,
    ranked: Sequence[Scored],
    check: SpanCheck | None,
    *,
    around: tuple[str, str],
    n_wanted: int,
    single_line: bool,
    seed: int,
    cancel: CancelToken,
    slot: OpenSlot | None = None,
) -> Shown:
    """Pass over what may not be shown; where nothing else is left, repair the best.

    A next candidate costs a parse, a repair costs forwards and changes what the judge liked, so it
    comes last.

    Args:
        parts: the engine's.
        plan: of the request.
        ranked: best first.
        check: says which texts may be shown; all may without one.
        around: the texts before and after the gap.
        n_wanted: most proposals to give.
        single_line: whether line breaks are forbidden.
        seed: of the noise of a repair.
        cancel: asked before each step of a repair.
        slot: what the gap takes.
    """
    if slot is not None:
        check = slot.checked(check)
    if check is None:
        return Shown(scored=tuple(ranked[:n_wanted]), n_refused=0, forwards=0)
    good: list[Scored] = []
    refused: list[Scored] = []
    for one in ranked[:_N_CHECKED]:
        (refused if check.bad_spans(one.text) else good).append(one)
        if len(good) == n_wanted:
            break
    forwards = token_forwards = 0
    if not good:
        # The denoiser's own before drafts: what it wrote it can also mend.
        for one in sorted(refused, key=lambda one: not isinstance(one.proposal, FilledRow)):
            if cancel.stop_reason() is not None:
                break
            mended = repair(
                parts,
                parts.prefixes.encode(plan.context_ids).kv,
                plan,
                one.proposal.ids,
                check,
                around=around,
                single_line=single_line,
                seed=seed,
                cancel=cancel,
                machine=None if slot is None else slot.machine,
            )
            forwards += mended.forwards
            token_forwards += mended.token_forwards
            if mended.ids is not None:
                text = text_between(parts.tokenizer.decode_bytes(mended.ids), plan)
                assert text is not None  # repair has checked it
                proposal = replace(one.proposal, ids=mended.ids)
                good = [replace(one, proposal=proposal, text=text, repaired=True)]
                break
    return Shown(
        scored=tuple(good),
        n_refused=len(refused),
        forwards=forwards,
        token_forwards=token_forwards,
    )
