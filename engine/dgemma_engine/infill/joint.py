"""Several gaps of one text, filled together.

First one after the other, each with what the earlier ones got: that gives lengths and a draft.
Then all gaps are denoised in one canvas, so that each sees all others on both sides, from the draft
and from noise. The judge reads the whole stretch from the first gap to what follows the last one; a
text that fits one gap is also tried in all of them, as with one name at three places.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from dgemma_engine.errors import RequestError
from dgemma_engine.infill.denoise import Canvases, denoise
from dgemma_engine.infill.healing import cut
from dgemma_engine.infill.infiller import infill
from dgemma_engine.infill.parts import Parts
from dgemma_engine.infill.planner import MAX_CANVAS_TOKENS, CanvasPlan, after_span
from dgemma_engine.infill.request import InfillRequest
from dgemma_engine.infill.select import judge, read_together
from dgemma_engine.infill.surroundings import Surroundings
from dgemma_engine.types import (
    CancelToken,
    JointCandidate,
    JointResult,
    Origin,
    Span,
    StopReason,
)

Texts = tuple[str, ...]

_N_DRAWS = 3
_CANVAS_STEP = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointRequest:
    """What to fill and how; the fields are the arguments of ``Engine.infill_jointly``."""

    text: str
    spans: Sequence[Span]
    context: str
    multiline: bool
    n_candidates: int
    n_steps: int
    seed: int
    accept: Callable[[Texts], bool] | None
    cancel: CancelToken


def infill_jointly(parts: Parts, request: JointRequest) -> JointResult:
    """Fill all gaps.

    Raises:
        RequestError: the spans overlap or are out of order, or are too far apart for one canvas.
    """
    started = time.perf_counter()
    spans, text = request.spans, request.text
    if not spans or any(a.end > b.start for a, b in itertools.pairwise(spans)):
        raise RequestError("the spans must be given in order and must not overlap")
    if spans[-1].end > len(text):
        raise RequestError(f"{spans[-1]} ends after the text ({len(text)} characters)")
    prefix, suffix = text[: spans[0].start], text[spans[-1].end :]
    between = [text[a.end : b.start] for a, b in itertools.pairwise(spans)]
    stretch = _Stretch(parts, prefix, between, suffix, context=request.context)
    draft, forwards = _one_after_the_other(parts, request, prefix, between, suffix)
    found: list[Texts] = []
    stop = StopReason.MAX_STEPS
    if draft is not None and not request.cancel.cancelled:
        found = [draft]
        canvases = stretch.canvases(draft, single_line=not request.multiline)
        denoised = denoise(
            parts.model,
            parts.prefixes.encode(stretch.plan.context_ids).kv,
            canvases,
            n_steps=request.n_steps,
            seed=request.seed,
            config=parts.config,
            known_at_once=parts.settings.clamps_known_at_once,
            cancel=request.cancel,
        )
        forwards += denoised.forwards
        stop = denoised.stop
        for ids, steps in zip(denoised.argmax.tolist(), denoised.row_forwards, strict=True):
            if steps and (texts := stretch.texts_of(ids, draft)) is not None:
                found.append(texts)
    if request.cancel.cancelled:
        found, stop = [], StopReason.CANCELLED
    candidates = _best(stretch, _with_uniform(found), request) if found else []
    return JointResult(
        candidates=tuple(candidates),
        stop=stop,
        forwards=forwards,
        milliseconds=(time.perf_counter() - started) * 1000,
    )


def _one_after_the_other(
    parts: Parts, request: JointRequest, prefix: str, between: Sequence[str], suffix: str
) -> tuple[Texts | None, int]:
    """Fill each gap with those before it filled; ``None`` where one stays empty."""
    texts: list[str] = []
    forwards = 0
    so_far = prefix
    for idx in range(len(between) + 1):
        rest = "".join(between[idx:]) + suffix
        result = infill(
            parts,
            InfillRequest(
                prefix=so_far,
                suffix=rest,
                context=request.context,
                multiline=request.multiline,
                n_candidates=1,
                n_steps=request.n_steps,
                seed=request.seed,
                proposers=frozenset(Origin),
                earlier=tuple(dict.fromkeys(texts)),
                cancel=request.cancel,
            ),
        )
        forwards += result.forwards
        if not result.candidates:
            return None, forwards
        texts.append(result.candidates[0].text)
        so_far += texts[-1] + "".join(between[idx : idx + 1])
    return tuple(texts), forwards


class _Stretch:
    """The tokens from the first gap to the end of the canvas, gaps left open."""

    def __init__(
        self, parts: Parts, prefix: str, between: Sequence[str], suffix: str, *, context: str
    ) -> None:
        self.parts = parts
        self.plan: CanvasPlan = parts.plan(prefix, suffix, (1,), context=context)
        healed = [cut(piece, parts.tokenizer, parts.settings) for piece in between]
        self.between = list(between)
        self.kept = [parts.tokenizer.encode(kept) for kept, _ in healed]
        self.heads = [self.plan.head, *(head for _, head in healed)]
        self.blend = Surroundings(prefix, suffix, parts).blend()
        # Each gap takes a token at least: too much is better said before any work is done.
        n_known = len(self.plan.left_ids) + sum(map(len, self.kept)) + len(self.heads)
        self._canvas_tokens(n_known)

    def canvases(self, draft: Texts, *, single_line: bool) -> Canvases:
        """Canvases with gaps of the draft's lengths: one from the draft, the others from noise."""
        parts, plan = self.parts, self.plan
        ids, free, begun = [*plan.left_ids], [False] * len(plan.left_ids), []
        for idx, head_and_fill in enumerate(self._filled(draft)):
            fill = parts.tokenizer.encode(head_and_fill)
            begun += [self.heads[idx].encode("utf-8", "surrogatepass"), *[b""] * (len(fill) - 1)]
            ids += fill
            free += [True] * len(fill)
            if idx < len(self.kept):
                ids += self.kept[idx]
                free += [False] * len(self.kept[idx])
        n_canvas = self._canvas_tokens(len(ids))
        ids += after_span(plan, n_canvas - len(ids))
        free += [False] * (n_canvas - len(free))
        forbidden = parts.rules.forbidden(single_line=single_line).repeat(len(begun), 1)
        for row, start in enumerate(begun):
            if start:
                forbidden[row] |= ~parts.rules.starting_with(start)
        n_rows = 1 + _N_DRAWS
        mask = torch.tensor(free, device=parts.device).repeat(n_rows, 1)
        noised = mask.clone()
        noised[0] = False
        return Canvases(
            ids=torch.tensor(ids, device=parts.device).repeat(n_rows, 1),
            free=mask,
            noised=noised,
            forbidden=forbidden.repeat(n_rows, 1),
        )

    def texts_of(self, ids: Sequence[int], draft: Texts) -> Texts | None:
        """Read the gaps of a canvas made by :meth:`canvases`; ``None`` if one is no text."""
        tokenizer = self.parts.tokenizer
        texts = []
        place = len(self.plan.left_ids)
        for idx, head_and_fill in enumerate(self._filled(draft)):
            end = place + len(tokenizer.encode(head_and_fill))
            filled = tokenizer.decode_bytes(ids[place:end])
            head = self.heads[idx].encode("utf-8", "surrogatepass")
            try:
                text = filled[len(head) :].decode()
            except UnicodeDecodeError:
                return None
            if not text or not filled.startswith(head):
                return None
            texts.append(text)
            place = end + (len(self.kept[idx]) if idx < len(self.kept) else 0)
        return tuple(texts)

    def scores(self, candidates: Sequence[Texts]) -> list[float]:
        """Nats of the whole stretch with each candidate in its gaps."""
        parts, plan = self.parts, self.plan
        if not plan.known_ids:
            return [0.0] * len(candidates)
        joined = [
            plan.head + "".join(a + b for a, b in zip(texts, [*self.between, ""], strict=True))
            for texts in candidates
        ]
        return judge(
            parts.model,
            parts.branches(plan),
            plan.known_ids[-1],
            [read_together(text, plan.right_ids, parts.tokenizer) for text in joined],
            self.blend,
            parts.last_known(plan),
        )

    def _filled(self, texts: Texts) -> Iterator[str]:
        return (head + text for head, text in zip(self.heads, texts, strict=True))

    def _canvas_tokens(self, n_known: int) -> int:
        """Canvas length: as many tokens of the suffix as usual, in steps, if the model takes it."""
        limit = min(MAX_CANVAS_TOKENS, self.parts.model.config.canvas_length)
        if n_known > limit:
            raise RequestError(
                f"the gaps and what stands between them take {n_known} tokens, one canvas holds"
                f" {limit}; fill fewer of them at once"
            )
        wanted = n_known + self.parts.settings.right_tokens
        return min(limit, -(-wanted // _CANVAS_STEP) * _CANVAS_STEP)


def _with_uniform(found: Sequence[Texts]) -> list[Texts]:
    """Add, for every text of a gap, that text in all gaps."""
    same = [(text,) * len(texts) for texts in found for text in texts]
    return list(dict.fromkeys([*found, *same]))


def _best(stretch: _Stretch, found: Sequence[Texts], request: JointRequest) -> list[JointCandidate]:
    """Judge, and keep what may be shown."""
    ranked = sorted(zip(stretch.scores(found), found, strict=True), key=lambda pair: -pair[0])
    kept: list[JointCandidate] = []
    for score, texts in ranked:
        if request.accept is None or request.accept(texts):
            kept.append(JointCandidate(texts=texts, score=score))
        if len(kept) == request.n_candidates:
            break
    return kept
