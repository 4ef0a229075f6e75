"""Texts → canvases: where to cut, what to clamp, how long the span may be. Pure; no torch.

A canvas is ``[left clamp | span | right clamp | end fill]``; what comes before it is the context,
which the encoder reads. Every candidate length has its own canvas, because the model has no symbol
for "delete": positions are contiguous in each, and every canvas of a plan has the same length.

How the span may begin says ``healing.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dgemma_engine.errors import RequestError
from dgemma_engine.infill.healing import beginnings, cut, utf8
from dgemma_engine.infill.layout import CHARS_PER_TOKEN, Prompt, lay_out
from dgemma_engine.infill.settings import InfillSettings
from dgemma_engine.tokenizer import Tokenizer

MAX_CANVAS_TOKENS = 256
_CANVAS_STEP = 16  # canvas lengths are multiples of it, so that few shapes occur


@dataclass(frozen=True, slots=True, kw_only=True)
class CanvasRow:
    """One canvas.

    Attributes:
        ids: C token ids; those of the span are of no meaning, unless it is a draft.
        start: index of the span's first token.
        n_tokens: tokens of the span, at least 1.
        n_right: clamped tokens of the suffix after the span (the rest is end fill).
        must_start: bytes with which the span's first token begins.
        given: clamped tokens directly before the span that count as filled: what was begun there,
            taken as it is.
        draft: whether the span holds a draft to start from, see ``denoise.Canvases.noised``.
    """

    ids: tuple[int, ...]
    start: int
    n_tokens: int
    n_right: int
    must_start: bytes
    given: tuple[int, ...] = ()
    draft: bool = False

    @property
    def span(self) -> slice:
        """The span's positions in the canvas."""
        return slice(self.start, self.start + self.n_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class CanvasPlan:
    """All canvases of one request, of equal length, after one context.

    Attributes:
        context_ids: what the encoder reads.
        left_ids: the clamped tokens between the context and every span.
        right_ids: tokens of the suffix after every span.
        end_ids: what follows the end of the document in a canvas, first to last; as many as a
            canvas has.
        rows: one canvas per candidate length.
        head: known text at the start of every filled span, to be cut off the result.
        shows_suffix: whether the context shows the text after the gap as well.
    """

    context_ids: tuple[int, ...]
    left_ids: tuple[int, ...]
    right_ids: tuple[int, ...]
    end_ids: tuple[int, ...]
    rows: tuple[CanvasRow, ...]
    head: str
    shows_suffix: bool = False

    @property
    def known_ids(self) -> tuple[int, ...]:
        """All tokens read before the span."""
        return self.context_ids + self.left_ids


def max_span_tokens(settings: InfillSettings, canvas_length: int) -> int:
    """Longest span that a canvas holds beside its clamps."""
    return min(MAX_CANVAS_TOKENS, canvas_length) - sum(_clamps(settings, canvas_length))


def plan_canvases(
    prefix: str,
    suffix: str,
    lengths: Sequence[int],
    tokenizer: Tokenizer,
    settings: InfillSettings,
    *,
    bos_id: int,
    eos_id: int,
    canvas_length: int = MAX_CANVAS_TOKENS,
    prompt: Prompt | None = None,
    context: str = "",
) -> CanvasPlan:
    """Lay out one canvas per candidate length.

    Args:
        prefix: all text before the span.
        suffix: all text after it.
        lengths: tokens that the new text may have, each 1..:func:`max_span_tokens`.
        tokenizer: of the checkpoint.
        settings: of the checkpoint.
        bos_id: begins a document.
        eos_id: fills what follows the end of the document.
        canvas_length: longest canvas that the model takes.
        prompt: what a model that follows instructions is told.
        context: text of elsewhere to stand before the document, within the same budget.

    Raises:
        RequestError: no length is given, or one is out of range; or as ``layout.lay_out``.
    """
    longest = max_span_tokens(settings, canvas_length)
    if not lengths or not all(1 <= length <= longest for length in lengths):
        raise RequestError(f"span lengths {list(lengths)} must be 1..{longest} tokens")
    kept, head = cut(prefix, tokenizer, settings)
    layout = lay_out(
        kept, suffix, tokenizer, settings, bos_id=bos_id, prompt=prompt, context=context
    )
    before = layout.before
    n_left = min(_clamps(settings, canvas_length)[0], layout.n_clampable)
    n_canvas = _canvas_tokens(n_left, max(lengths), settings, canvas_length)
    after = _first_ids(suffix, n_canvas, tokenizer)
    left = before[len(before) - n_left :]
    end = (*layout.end, *[eos_id] * n_canvas)
    rows = [
        _row(left, given, length - len(given), after, must_start, n_canvas, end)
        for length in dict.fromkeys(lengths)
        for given, must_start in beginnings(head, tokenizer)
        if length > len(given)
    ]
    if not rows:  # shorter than what is begun: that may still become longer
        rows = [_row(left, (), 1, after, utf8(head), n_canvas, end)]
    return CanvasPlan(
        context_ids=before[: len(before) - n_left],
        left_ids=left,
        right_ids=tuple(after),
        end_ids=end,
        rows=tuple(rows),
        head=head,
        shows_suffix=layout.shows_suffix,
    )


def _row(
    left: Sequence[int],
    given: tuple[int, ...],
    n_tokens: int,
    after: Sequence[int],
    must_start: bytes,
    n_canvas: int,
    end: Sequence[int],
) -> CanvasRow:
    n_known = len(left) + len(given)
    right = tuple(after[: n_canvas - n_known - n_tokens])
    n_fill = n_canvas - n_known - n_tokens - len(right)
    return CanvasRow(
        ids=(*left, *given, *[end[-1]] * n_tokens, *right, *end[:n_fill]),
        start=n_known,
        n_tokens=n_tokens,
        n_right=len(right),
        must_start=must_start,
        given=given,
    )


def after_span(plan: CanvasPlan, n_tokens: int) -> tuple[int, ...]:
    """Give the tokens that follow a span in a canvas: the suffix, then what ends the document."""
    right = plan.right_ids[:n_tokens]
    return (*right, *plan.end_ids[: n_tokens - len(right)])


def text_between(filled: bytes, plan: CanvasPlan) -> str | None:
    """Cut the known head off a filled span; ``None`` if it is not there.

    ``None`` as well for bytes that are no text: half a character cannot be shown.
    """
    head = utf8(plan.head)
    if not filled.startswith(head):
        return None
    try:
        return filled[len(head) :].decode()
    except UnicodeDecodeError:
        return None


def _first_ids(text: str, n_tokens: int, tokenizer: Tokenizer) -> list[int]:
    """The first ids of a text; fewer than ``n_tokens`` only if it has no more."""
    n_chars = n_tokens * CHARS_PER_TOKEN
    while len(ids := tokenizer.encode(text[:n_chars])) <= n_tokens and n_chars < len(text):
        n_chars *= 4  # long tokens: rulers, deep indentation
    return ids[:n_tokens]


def _clamps(settings: InfillSettings, canvas_length: int) -> tuple[int, int]:
    """Clamped tokens on either side: the settings', or a quarter of a very short canvas each."""
    most = min(MAX_CANVAS_TOKENS, canvas_length) // 4
    return min(settings.left_tokens, most), min(settings.right_tokens, most)


def _canvas_tokens(
    n_left: int, longest_span: int, settings: InfillSettings, canvas_length: int
) -> int:
    """Canvas length: the usual one, or longer where the span asks for it."""
    needed = n_left + longest_span + _clamps(settings, canvas_length)[1]
    rounded = -(-needed // _CANVAS_STEP) * _CANVAS_STEP
    limit = min(MAX_CANVAS_TOKENS, canvas_length)
    return min(limit, max(settings.canvas_tokens, rounded))
