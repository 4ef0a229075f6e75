"""How long the span is, by the model's own word: signals of one forward over canvases of lengths.

A denoiser cannot be asked for a length, but it can be shown spans of random tokens of every length
in question, and looks at each differently. Two signals, both from the first forward:

*Context margin*: how much more likely each clamped neighbour is, at its own position, than the
best other token. At a wrong length the model would rather change the neighbours. Only a model that
was trained on random tokens has an opinion about positions that it is shown.

*Certainty*: minus the mean entropy of the span. It falls with length whatever the text, so a line
over the logarithm of the length is fitted per request and taken off (LR-DLLM, arXiv 2602.07546).

Random tokens add variance that a mask token would not have, so both are means over several draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dgemma_engine.infill.fill import span_canvases
from dgemma_engine.infill.planner import CanvasPlan, CanvasRow
from dgemma_engine.infill.settings import InfillSettings
from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.sampler import token_entropy

_N_LEFT, _N_RIGHT = 3, 6
"""Clamped neighbours that are asked."""

_LEAST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthSignals:
    """What the first forward says of one canvas.

    Attributes:
        margin: mean context margin, in logits.
        certainty: minus the span's mean entropy, nats, without what its length explains.
    """

    margin: float
    certainty: float


def rank_lengths(
    model: Transformer,
    kv: KVCache,
    plan: CanvasPlan,
    rules: TokenRules,
    *,
    single_line: bool,
    n_draws: int,
    seed: int,
    settings: InfillSettings,
) -> list[float]:
    """Score the length of every row of a plan; one forward over all rows and draws.

    Args:
        model: the model.
        kv: the encoded ``plan.context_ids``.
        plan: canvases of the lengths in question.
        rules: of the checkpoint's vocabulary.
        single_line: whether line breaks are forbidden in the span.
        n_draws: random fills per length to average over.
        seed: of the draws.
        settings: of the checkpoint.

    Returns:
        One score per row, the sum of both signals, or the one that the settings name; higher is
        better. As they are: put to a common scale, a signal that knows nothing would weigh as much
        as one that knows.
    """
    signals = length_signals(
        model,
        kv,
        plan,
        rules,
        single_line=single_line,
        n_draws=n_draws,
        seed=seed,
        settings=settings,
    )
    match settings.length_signals:
        case "margin":
            return [signal.margin for signal in signals]
        case "certainty":
            return [signal.certainty for signal in signals]
        case _:
            return [signal.margin + signal.certainty for signal in signals]


@torch.inference_mode()
def length_signals(
    model: Transformer,
    kv: KVCache,
    plan: CanvasPlan,
    rules: TokenRules,
    *,
    single_line: bool,
    n_draws: int,
    seed: int,
    settings: InfillSettings,
) -> list[LengthSignals]:
    """Measure both signals; arguments as for :func:`rank_lengths`."""
    canvases = span_canvases(model, plan, rules, single_line=single_line)
    ids = canvases.ids.repeat(n_draws, 1)
    free = canvases.free.repeat(n_draws, 1)
    generator = torch.Generator(ids.device).manual_seed(seed)
    noise = torch.randint(
        model.config.vocab_size, ids.shape, generator=generator, device=ids.device
    )
    shown = torch.where(free, noise, ids)
    soft = model.embed(shown) * ~free[:, :, None] if settings.clamps_known_at_once else None
    neighbours = torch.tensor([_neighbours(row) for row in plan.rows], device=ids.device)
    asked = free | neighbours.repeat(n_draws, 1)
    logits = model.decode(shown, kv.n_tokens, kv.visible(), soft_embeddings=soft, rows=asked)
    in_span = free[asked]
    per_canvas = asked.sum(dim=1).tolist()
    margins = torch.split(_margins(logits, shown[asked]).masked_fill(in_span, 0.0), per_canvas)
    forbidden = rules.forbidden(single_line=single_line)
    entropies = token_entropy(logits.masked_fill(forbidden, -torch.inf))
    of_spans = torch.split(entropies.masked_fill(~in_span, 0.0), per_canvas)
    n_rows = len(plan.rows)
    margin, certainty = [0.0] * n_rows, [0.0] * n_rows
    for place, (row_margins, row_entropies) in enumerate(zip(margins, of_spans, strict=True)):
        row = plan.rows[place % n_rows]
        n_neighbours = max(1, len(row_margins) - row.n_tokens)
        margin[place % n_rows] += row_margins.sum().item() / n_neighbours / n_draws
        certainty[place % n_rows] -= row_entropies.sum().item() / row.n_tokens / n_draws
    certainty = _without_trend(certainty, [row.n_tokens for row in plan.rows])
    return [LengthSignals(margin=m, certainty=c) for m, c in zip(margin, certainty, strict=True)]


def _neighbours(row: CanvasRow) -> list[bool]:
    """The clamped positions next to the span."""
    end = row.start + row.n_tokens
    left = range(max(0, row.start - _N_LEFT), row.start)
    right = range(end, min(end + _N_RIGHT, end + row.n_right))
    return [place in left or place in right for place in range(len(row.ids))]


def _margins(logits: Tensor, ids: Tensor) -> Tensor:
    """How far each row's own token is ahead of the best other: (R, V), (R,) → (R,)."""
    own = logits.gather(1, ids[:, None]).squeeze(1)
    best_other = logits.scatter(1, ids[:, None], -torch.inf).amax(dim=1)
    return own - best_other


def _without_trend(values: Sequence[float], lengths: Sequence[int]) -> list[float]:
    """Take off the least-squares line over the logarithm of the length."""
    x, y = np.log(np.array(lengths, dtype=float)), np.array(values, dtype=float)
    x -= x.mean()
    spread = float(x @ x)
    slope = float(x @ y) / spread if spread > _LEAST_SPREAD else 0.0
    trendless: list[float] = (y - slope * x).tolist()
    return trendless
