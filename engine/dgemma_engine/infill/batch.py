"""The canvases that are denoised as one batch, and the texts that stand in them meanwhile."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from dgemma_engine.infill.denoise import OnStep, Step
from dgemma_engine.infill.judging import text_of
from dgemma_engine.infill.parts import Parts
from dgemma_engine.infill.planner import CanvasPlan, CanvasRow
from dgemma_engine.types import Draft


def batch_of(
    plan: CanvasPlan,
    drafts: Sequence[tuple[int, ...]],
    *,
    n_canvases: int,
    n_warm: int,
    most: int | None = None,
) -> CanvasPlan:
    """Give a plan's canvases, more of them where there are few, and warm ones.

    Args:
        plan: one canvas per length.
        drafts: tokens of spans, the best first.
        n_canvases: canvases that are worth their time together: where there are fewer lengths,
            each has several, as other noise leads to other fills.
        n_warm: how many canvases start at most from a draft of a planned length.
        most: canvases that the memory has room for; ``None`` for any number.
    """
    rows = plan.rows * max(1, n_canvases // len(plan.rows))
    by_length = {row.n_tokens: row for row in plan.rows if not row.given}
    fitting = [(by_length[len(ids)], ids) for ids in drafts if len(ids) in by_length]
    warm = [_started_from(row, ids) for row, ids in fitting[:n_warm]]
    return replace(plan, rows=(*rows, *warm)[:most])


def texts_at_steps(
    on_step: Callable[[Draft], None], parts: Parts, plan: CanvasPlan, takes: Callable[[str], bool]
) -> OnStep:
    """Turn a listener for texts into one for canvases.

    Args:
        on_step: is told the texts after each step.
        parts: the engine's.
        plan: whose rows are denoised.
        takes: says which texts may be shown.
    """

    def pass_on(step: Step) -> None:
        spans = [
            (*plan.rows[idx].given, *ids[plan.rows[idx].span])
            for idx, ids in zip(step.rows, step.argmax.tolist(), strict=True)
        ]
        texts = [text_of(parts, plan, ids) for ids in spans]
        shown = tuple(text for text in texts if text and takes(text))
        on_step(Draft(step=step.number, texts=shown))

    return pass_on


def _started_from(row: CanvasRow, ids: tuple[int, ...]) -> CanvasRow:
    canvas = [*row.ids]
    canvas[row.span] = ids
    return replace(row, ids=tuple(canvas), draft=True)
