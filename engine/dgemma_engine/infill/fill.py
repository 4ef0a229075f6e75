"""The denoising loop over the canvases of one plan, with everything known clamped.

Clamped ids are written back every step by never being touched; the sampler leaves them out of the
ranking, the mean entropy and the stop test. Logits and soft embeddings are computed for span rows
only, which is exact because a clamped row's self-conditioning is its own token.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dgemma_engine.config import GenerationConfig
from dgemma_engine.infill.planner import CanvasPlan, CanvasRow
from dgemma_engine.infill.settings import InfillSettings
from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.attention import KeysValues
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.sampler import StopRule, denoise_step, temperature
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
    """All filled rows, in the order of the plan; empty when cancelled."""

    rows: tuple[FilledRow, ...]
    stop: StopReason
    forwards: int


@torch.inference_mode()
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
    on_step: Callable[[int], None] | None = None,
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
        on_step: called after each step with its number, from 1.

    Returns:
        The most probable span of each row; what was there when the deadline passed.
    """
    state = _State(model, plan, rules, single_line=single_line, settings=settings, seed=seed)
    visible = kv.visible()
    stop = StopReason.MAX_STEPS
    for step in range(n_steps, 0, -1):
        if (asked := cancel.stop_reason()) is not None:
            stop = asked
            break
        state.advance(visible, kv.n_tokens, temperature(step, n_steps, config), config)
        if on_step is not None:
            on_step(n_steps - step + 1)
        if not len(state.active):
            stop = StopReason.STABLE
            break
    if stop is StopReason.CANCELLED:
        return Filled(rows=(), stop=stop, forwards=state.forwards)
    return Filled(rows=tuple(state.results()), stop=stop, forwards=state.forwards)


class _State:
    """The batch between two steps."""

    def __init__(
        self,
        model: Transformer,
        plan: CanvasPlan,
        rules: TokenRules,
        *,
        single_line: bool,
        settings: InfillSettings,
        seed: int,
    ) -> None:
        device = model.embed_tokens.weight.device
        self.model, self.plan, self.settings = model, plan, settings
        self.generator = torch.Generator(device).manual_seed(seed)
        self.canvas = torch.tensor([row.ids for row in plan.rows], device=device)
        position = torch.arange(self.canvas.shape[1], device=device)
        self.free = torch.stack(
            [(position >= row.start) & (position < row.start + row.n_tokens) for row in plan.rows]
        )
        noise = torch.randint(
            model.config.vocab_size, self.canvas.shape, generator=self.generator, device=device
        )
        self.canvas = torch.where(self.free, noise, self.canvas)
        self.forbidden = _forbidden(plan, rules, self.free, single_line=single_line)
        self.active = list(range(len(plan.rows)))  # rows still being denoised
        self.argmax = self.canvas.clone()
        self.entropy = torch.full(self.canvas.shape, torch.inf, device=device)
        self.scaled_logits: Tensor | None = None  # of the active rows' free positions
        self.forwards = 0
        self.row_forwards = [0] * len(plan.rows)
        self.rules: list[StopRule] | None = None

    def advance(
        self,
        visible: list[KeysValues],
        position: int,
        at: float,
        config: GenerationConfig,
    ) -> None:
        """Take one denoising step with the active rows."""
        canvas, free = self.canvas[self.active], self.free[self.active]
        logits = self.model.decode(
            canvas, position, visible, soft_embeddings=self._soft(canvas, free), rows=free
        )
        logits = logits.masked_fill(self._forbidden_now(), -torch.inf)
        outcome = denoise_step(
            canvas,
            logits,
            free,
            temperature=at,
            entropy_bound=config.entropy_bound,
            generator=self.generator,
        )
        self.canvas[self.active] = outcome.canvas
        self.argmax[self.active] = outcome.argmax
        self.entropy[self.active] = outcome.entropy
        self.forwards += 1
        for idx in self.active:
            self.row_forwards[idx] += 1
        self._retire(outcome.scaled_logits, outcome.argmax, outcome.entropy, free, config)

    def results(self) -> list[FilledRow]:
        """The spans as they are now; rows that never took a step are left out."""
        filled = []
        for idx, row in enumerate(self.plan.rows):
            if self.row_forwards[idx]:
                span = slice(row.start, row.start + row.n_tokens)
                filled.append(
                    FilledRow(
                        row=row,
                        ids=(*row.given, *self.argmax[idx, span].tolist()),
                        confidence=-self.entropy[idx, span].mean().item(),
                        forwards=self.row_forwards[idx],
                    )
                )
        return filled

    def _soft(self, canvas: Tensor, free: Tensor) -> Tensor | None:
        """Self-conditioning: clamped rows on their own token, free rows on the last step."""
        if self.scaled_logits is None and not self.settings.clamps_known_at_once:
            return None
        soft = self.model.embed(canvas) * ~free[:, :, None]
        if self.scaled_logits is not None:
            weight_dtype = self.model.embed_tokens.weight.dtype
            soft[free] = self.model.soft_embed(self.scaled_logits.to(weight_dtype))
        return soft

    def _forbidden_now(self) -> Tensor:
        """Forbidden tokens (R, V) of the active rows' free positions."""
        per_row = self.free.sum(dim=1).tolist()
        pieces = torch.split(self.forbidden, per_row)
        return torch.cat([pieces[idx] for idx in self.active])

    def _retire(
        self,
        scaled_logits: Tensor,
        argmax: Tensor,
        entropy: Tensor,
        free: Tensor,
        config: GenerationConfig,
    ) -> None:
        """Drop the rows that are stable and confident from the batch."""
        if self.rules is None:
            self.rules = [StopRule(config) for _ in self.plan.rows]
        pieces = torch.split(scaled_logits, free.sum(dim=1).tolist())
        still: list[int] = []
        kept: list[Tensor] = []
        for place, idx in enumerate(self.active):
            here = slice(place, place + 1)
            if not self.rules[idx].finished(argmax[here], entropy[here], free[here]).item():
                still.append(idx)
                kept.append(pieces[place])
        self.active = still
        self.scaled_logits = torch.cat(kept) if kept else None


def _forbidden(plan: CanvasPlan, rules: TokenRules, free: Tensor, *, single_line: bool) -> Tensor:
    """Forbidden tokens, bool (R, V), of all free positions in row-major order."""
    forbidden = rules.forbidden(single_line=single_line).repeat(int(free.sum()), 1)
    offset = 0
    for row in plan.rows:
        if row.must_start:
            forbidden[offset] |= ~rules.starting_with(row.must_start)
        offset += row.n_tokens
    return forbidden
