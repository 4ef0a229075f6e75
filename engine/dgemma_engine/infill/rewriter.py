"""One rewrite request from texts to ranked candidates: noise, edit, judge, check."""

import time
from dataclasses import dataclass, replace

from torch import Tensor

from dgemma_engine.errors import RequestError
from dgemma_engine.infill.edit import edit_span
from dgemma_engine.infill.fill import FilledRow
from dgemma_engine.infill.healing import cut
from dgemma_engine.infill.judging import judged
from dgemma_engine.infill.layout import Prompt
from dgemma_engine.infill.parts import Parts
from dgemma_engine.infill.planner import after_span
from dgemma_engine.infill.proposals import best_first, to_candidate
from dgemma_engine.infill.showing import fit_to_show
from dgemma_engine.infill.surroundings import Surroundings
from dgemma_engine.types import CancelToken, InfillResult, Span, SpanCheck, StopReason

_N_DRAWS = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RewriteRequest:
    """What to rewrite and how; the fields are the arguments of ``Engine.rewrite``."""

    prefix: str
    text: str
    suffix: str
    context: str
    instruction: str
    strength: float
    max_changed: int | None
    n_candidates: int
    n_steps: int
    seed: int
    check: SpanCheck | None
    cancel: CancelToken


def rewrite(parts: Parts, request: RewriteRequest) -> InfillResult:
    """Rewrite one span; what is the same as before is no candidate.

    White space at its ends is indentation and layout, and stays.

    Raises:
        RequestError: the span has no token, or more than a canvas can hold.
    """
    started = time.perf_counter()
    core = request.text.strip()
    lead, trail = request.text.split(core, 1) if core else (request.text, "")
    prefix, suffix = request.prefix + lead, trail + request.suffix
    _, head = cut(prefix, parts.tokenizer, parts.settings)
    ids = tuple(parts.tokenizer.encode(head + core))
    if not core or len(ids) > parts.max_span_tokens:
        raise RequestError(
            f"the span has {len(ids) if core else 0} tokens of text, must have"
            f" 1..{parts.max_span_tokens}; choose another one"
        )
    prompt = Prompt(instruction=request.instruction, passage=request.text)
    plan = parts.plan(prefix, suffix, (len(ids),), prompt, context=request.context)
    known = (*plan.left_ids, *ids)
    single_line = not set(core) & set("\r\n")
    edited = edit_span(
        parts.model,
        parts.prefixes.encode(plan.context_ids).kv,
        (*known, *after_span(plan, len(plan.rows[0].ids) - len(known))),
        slice(len(plan.left_ids), len(known)),
        _forbidden(parts, head, len(ids), single_line=single_line),
        strength=request.strength,
        max_changed=request.max_changed,
        n_draws=_N_DRAWS,
        n_steps=request.n_steps,
        seed=request.seed,
        config=parts.config,
        cancel=request.cancel,
    )
    rows = [
        FilledRow(row=plan.rows[0], ids=found, confidence=0.0, forwards=edited.forwards)
        for found in dict.fromkeys(edited.spans)
    ]
    blend = Surroundings(prefix, suffix, parts).blend()
    everything = judged(parts, plan, rows, blend, parts.branches(plan))
    scored = [one for one in everything if one.text != core]
    shown = fit_to_show(
        parts,
        plan,
        best_first(scored, (prefix, suffix)),
        None if request.check is None else _Inside(request.check, lead, trail),
        around=(prefix, suffix),
        n_wanted=request.n_candidates,
        single_line=single_line,
        seed=request.seed,
        cancel=request.cancel,
    )
    cancelled = request.cancel.cancelled
    candidates = [
        replace(candidate, text=lead + candidate.text + trail)
        for candidate in map(to_candidate, shown.scored)
    ]
    return InfillResult(
        candidates=() if cancelled else tuple(candidates),
        stop=StopReason.CANCELLED if cancelled else edited.stop,
        forwards=edited.forwards + shown.forwards,
        milliseconds=(time.perf_counter() - started) * 1000,
        n_refused=shown.n_refused,
    )


class _Inside:
    """A check of a whole text, asked about what stands between its outer white space."""

    def __init__(self, check: SpanCheck, lead: str, trail: str) -> None:
        self._check, self._lead, self._trail = check, lead, trail

    def bad_spans(self, text: str) -> tuple[Span, ...]:
        bad = self._check.bad_spans(self._lead + text + self._trail)
        n_lead = len(self._lead)
        places = [
            tuple(min(max(place - n_lead, 0), len(text)) for place in (span.start, span.end))
            for span in bad
        ]
        return tuple(Span(start=start, end=end) for start, end in places)


def _forbidden(parts: Parts, head: str, n_tokens: int, *, single_line: bool) -> Tensor:
    forbidden = parts.rules.forbidden(single_line=single_line).repeat(n_tokens, 1)
    if head:
        forbidden[0] |= ~parts.rules.starting_with(head.encode("utf-8", "surrogatepass"))
    return forbidden
