"""Parse-guided repair: what must not be shown is noised again and denoised among the rest.

Where the text may not stand says whoever checks it, see ``types.SpanCheck``; the engine knows no
grammar. First only the tokens at the fault are free, then their lines, then the whole span; what
stays is clamped, and so self-conditioned on itself. Most faults are brackets without a partner, so
of every fill the most probable one with balanced brackets is tried too: no forward, see
``constraints.py``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from dgemma_engine.infill.automata import BalancedBrackets, Both, Utf8
from dgemma_engine.infill.brackets import closers_due
from dgemma_engine.infill.constraints import TokenAutomaton, most_probable, top_candidates
from dgemma_engine.infill.denoise import Canvases, Denoised, denoise
from dgemma_engine.infill.healing import utf8
from dgemma_engine.infill.parts import Parts
from dgemma_engine.infill.planner import CanvasPlan, after_span, text_between
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.types import CancelToken, Span, SpanCheck

_N_STEPS = 3
_N_DRAWS = 3
"""Canvases at once, each with other noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What came of a repair.

    Attributes:
        ids: the span's tokens, known ones at the start included; ``None`` if nothing passed.
        forwards: denoising steps that it took, those of failed rounds included.
        token_forwards: tokens of its canvases over all of them.
    """

    ids: tuple[int, ...] | None
    forwards: int
    token_forwards: int = 0


def repair(
    parts: Parts,
    kv: KVCache,
    plan: CanvasPlan,
    ids: Sequence[int],
    check: SpanCheck,
    *,
    around: tuple[str, str],
    single_line: bool,
    seed: int,
    cancel: CancelToken,
    machine: TokenAutomaton[Any] | None = None,
) -> Repaired:
    """Denoise the faulty part of a span again until the check finds no fault; three rounds.

    Args:
        parts: the engine's.
        kv: the encoded ``plan.context_ids``.
        plan: of the request.
        ids: the span's tokens, known ones at the start included.
        check: says which parts of a text are at fault.
        around: the texts before and after the gap, for the brackets that are due.
        single_line: whether line breaks are forbidden.
        seed: of the noise.
        cancel: asked before each step.
        machine: says which spans are allowed; without it, the most probable one with balanced
            brackets is tried as well.

    Returns:
        The first that passes, the surest of its round.
    """
    text = text_between(parts.tokenizer.decode_bytes(ids), plan)
    if text is None or len(ids) > parts.max_span_tokens:
        return Repaired(ids=None, forwards=0)
    if machine is None:
        machine = _balanced(parts, plan, around)
    forwards = token_forwards = 0
    for round_no, freed in enumerate(_growing(parts, plan, ids, check.bad_spans(text), text)):
        canvases = _canvases(parts, plan, ids, freed, single_line=single_line)
        denoised = denoise(
            parts.model,
            kv,
            canvases,
            n_steps=_N_STEPS,
            seed=seed + round_no,
            config=parts.config,
            known_at_once=parts.settings.clamps_known_at_once,
            cancel=cancel,
        )
        forwards += denoised.forwards
        token_forwards += denoised.token_forwards
        for found in _likeliest_first(parts, plan, denoised, ids, freed, machine):
            candidate = text_between(parts.tokenizer.decode_bytes(found), plan)
            if candidate and not check.bad_spans(candidate):
                return Repaired(ids=found, forwards=forwards, token_forwards=token_forwards)
        if cancel.stop_reason() is not None:
            break
    return Repaired(ids=None, forwards=forwards, token_forwards=token_forwards)


def _balanced(
    parts: Parts, plan: CanvasPlan, around: tuple[str, str]
) -> TokenAutomaton[Any] | None:
    """Spans whose brackets balance with those around; ``None`` where theirs do not fit together."""
    before, after = around
    due = closers_due(before.removesuffix(plan.head), after)  # the span holds the head as well
    if due is None:
        return None
    automaton = Both(Utf8(), BalancedBrackets(start=(due, 0, False)))
    return TokenAutomaton(automaton, parts.tokenizer.token_bytes)


def _growing(
    parts: Parts, plan: CanvasPlan, ids: Sequence[int], bad: Sequence[Span], text: str
) -> Iterator[list[bool]]:
    """Which tokens to free: those at the fault, then their lines, then all; no set twice."""
    tried: list[list[bool]] = []
    for spans in (bad, [_lines_around(text, span) for span in bad], [Span(start=0, end=len(text))]):
        freed = _tokens_at(parts, plan, ids, spans, text)
        if any(freed) and freed not in tried:
            tried.append(freed)
            yield freed


def _tokens_at(
    parts: Parts, plan: CanvasPlan, ids: Sequence[int], spans: Sequence[Span], text: str
) -> list[bool]:
    """The tokens that touch a span; those of known text alone stay."""
    n_known = len(utf8(plan.head))
    places = [
        (n_known + len(utf8(text[: span.start])), n_known + len(utf8(text[: span.end])))
        for span in spans
    ]
    freed, start = [], 0
    for token in ids:
        end = start + len(parts.tokenizer.token_bytes[token])
        touched = any(first <= end and start <= last for first, last in places)
        freed.append(touched and end > n_known)
        start = end
    return freed


def _canvases(
    parts: Parts,
    plan: CanvasPlan,
    ids: Sequence[int],
    freed: Sequence[bool],
    *,
    single_line: bool,
) -> Canvases:
    """Canvases with the span's tokens in it, the freed ones noised."""
    known = [*plan.left_ids, *ids]
    n_canvas = max(len(plan.rows[0].ids), len(known))
    canvas = torch.tensor([*known, *after_span(plan, n_canvas - len(known))], device=parts.device)
    free = torch.zeros(n_canvas, dtype=torch.bool, device=parts.device)
    free[len(plan.left_ids) : len(known)] = torch.tensor(freed, device=parts.device)
    forbidden = parts.rules.forbidden(single_line=single_line).repeat(sum(freed), 1)
    if begun := _begun_bytes(parts, plan, ids, freed):
        forbidden[0] |= ~parts.rules.starting_with(begun)
    return Canvases(
        ids=canvas.repeat(_N_DRAWS, 1),
        free=free.repeat(_N_DRAWS, 1),
        noised=free.repeat(_N_DRAWS, 1),
        forbidden=forbidden.repeat(_N_DRAWS, 1),
    )


def _begun_bytes(
    parts: Parts, plan: CanvasPlan, ids: Sequence[int], freed: Sequence[bool]
) -> bytes:
    """Known bytes with which the first freed token must begin."""
    first = freed.index(True)
    start = sum(len(parts.tokenizer.token_bytes[token]) for token in ids[:first])
    return utf8(plan.head)[start:]


def _likeliest_first(
    parts: Parts,
    plan: CanvasPlan,
    denoised: Denoised,
    ids: Sequence[int],
    freed: Sequence[bool],
    machine: TokenAutomaton[Any] | None,
) -> Iterator[tuple[int, ...]]:
    """The spans of a round, the surest first; each also as the most probable allowed one."""
    start = len(plan.left_ids)
    for row in denoised.entropy.sum(dim=1).argsort().tolist():
        log_probs = denoised.log_probs[row]
        if log_probs is None:
            continue
        yield tuple(denoised.argmax[row, start : start + len(ids)].tolist())
        if machine is not None:
            positions = iter(top_candidates(log_probs))
            candidates = [
                next(positions) if free else [(token, 0.0)]
                for token, free in zip(ids, freed, strict=True)
            ]
            if (found := most_probable(candidates, machine)) is not None:
                yield found.ids


def _lines_around(text: str, span: Span) -> Span:
    """Grow a span to whole lines."""
    start = max(text.rfind(end, 0, span.start) for end in "\n\r") + 1
    ends = [place for end in "\n\r" if (place := text.find(end, span.end)) >= 0]
    return Span(start=start, end=min(ends, default=len(text)))
