"""Reading a text as it stands: how much the model doubts each token, and which wording it prefers.

Nothing is noised here. :func:`read_tokens` lets the decoder look at every token from both sides,
and the encoder at what came before it; :func:`compare` lets it read alternatives in context.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dgemma_engine.infill.select import judge, read_together
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.prefix_cache import PrefixCacheStore
from dgemma_engine.tokenizer import Tokenizer
from dgemma_engine.types import CancelToken, Place, Span, TokenReading

_MAX_WINDOW = 256
_OVERLAP = 32  # tokens on each side that are only context; a quarter of small windows
_BATCH = 8
_QUANTUM = 200  # characters between places where contexts may begin, so that prefixes are shared
_MIN_CONTEXT = 150  # characters
_AFTER_CHARACTERS = 80
_STORE_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """Tokens ``[start, end)`` to look at, of which ``[first, last)`` are read."""

    start: int
    end: int
    first: int
    last: int


@torch.inference_mode()
def read_tokens(
    model: Transformer,
    tokenizer: Tokenizer,
    text: str,
    *,
    bos_id: int,
    window: int | None = None,
    cancel: CancelToken | None = None,
) -> list[TokenReading]:
    """Read every token of a text.

    Args:
        model: the model.
        tokenizer: its tokenizer.
        text: what to read; linear in its length.
        bos_id: stands before the first token of each window.
        window: canvas tokens at once; by default the checkpoint's canvas, at most 256.
        cancel: asked between batches of windows.

    Returns:
        A reading of each token in order; those before the place where it was cancelled.
    """
    ids = tokenizer.encode(text)
    size = min(window or model.config.canvas_length, _MAX_WINDOW, model.config.canvas_length)
    overlap = min(_OVERLAP, size // 4)
    spans = _token_spans(ids, tokenizer)
    found: list[TokenReading] = []
    windows = list(_windows(len(ids), size, overlap))
    for at_window in range(0, len(windows), _BATCH):
        batch = windows[at_window : at_window + _BATCH]
        if cancel is not None and cancel.stop_reason() is not None:
            break
        margins, surprisals = _read_batch(model, ids, batch, bos_id)
        for row, part in enumerate(batch):
            found += [
                TokenReading(
                    span=spans[at],
                    margin=float(margins[row, at - part.start]),
                    surprisal=float(surprisals[row, at - part.start]),
                )
                for at in range(part.first, part.last)
            ]
    return found


def compare(
    model: Transformer,
    tokenizer: Tokenizer,
    text: str,
    places: Sequence[Place],
    *,
    bos_id: int,
    cancel: CancelToken | None = None,
) -> list[tuple[float, ...]]:
    """Score alternative texts for places of a text, each in its context.

    Args:
        model: the model.
        tokenizer: its tokenizer.
        text: the document.
        places: where, in order, and what might stand there; a text that begins with the blank
            before a word is split into natural tokens.
        bos_id: the context where a place has nothing before it.
        cancel: asked between places.

    Returns:
        For each place the log-probability in nats of each alternative and the few tokens after
        it; those before the place where it was cancelled.
    """
    store = PrefixCacheStore(model, budget_bytes=_STORE_BYTES)  # the editor's own stay as they are
    scores: list[tuple[float, ...]] = []
    for place in places:
        if cancel is not None and cancel.stop_reason() is not None:
            break
        start, end = place.span.start, place.span.end
        begin = max(0, (start - _MIN_CONTEXT) // _QUANTUM * _QUANTUM)
        *known, last = tokenizer.encode(text[begin:start]) or [bos_id]
        after = tokenizer.encode(text[end : end + _AFTER_CHARACTERS])
        readings = [read_together(option, after, tokenizer) for option in place.texts]
        scores.append(tuple(judge(model, store.encode(known).kv, last, readings)))
    return scores


def _read_batch(
    model: Transformer, ids: Sequence[int], batch: Sequence[_Window], bos_id: int
) -> tuple[Tensor, Tensor]:
    """Give margins and surprisals (B, W); what lies past the end of a short window is padding."""
    rows = [list(ids[window.start : window.end]) for window in batch]
    width = max(map(len, rows))
    padded = torch.tensor(
        [row + [bos_id] * (width - len(row)) for row in rows],
        device=model.embed_tokens.weight.device,
    )
    logits = model.decode(padded, 0, None)
    current = logits.gather(-1, padded[..., None])
    others = logits.scatter(-1, padded[..., None], -torch.inf).amax(-1, keepdim=True)
    margins = (current - others)[..., 0]
    before = torch.cat((torch.full_like(padded[:, :1], bos_id), padded[:, :-1]), dim=1)
    hidden, _ = model.encode(before, 0, None, want_output=True)
    assert hidden is not None
    log_probs = torch.log_softmax(model.logits(hidden), dim=-1)
    surprisals = -log_probs.gather(-1, padded[..., None])[..., 0]
    return margins.cpu(), surprisals.cpu()


def _windows(n_tokens: int, size: int, overlap: int) -> Iterator[_Window]:
    """Cut a text into windows whose kept parts meet."""
    first = 0
    while first < n_tokens:
        start = max(0, first - overlap)
        end = min(n_tokens, start + size)
        last = n_tokens if end == n_tokens else end - overlap
        yield _Window(start=start, end=end, first=first, last=last)
        first = last


def _token_spans(ids: Sequence[int], tokenizer: Tokenizer) -> list[Span]:
    """Give the code points of each token; a character cut in two belongs to both."""
    spans = []
    at = 0
    for token in ids:
        raw = tokenizer.token_bytes[token]
        n_started = sum(byte & 0xC0 != 0x80 for byte in raw)
        begins_inside = bool(raw) and raw[0] & 0xC0 == 0x80
        spans.append(Span(start=at - begins_inside, end=at + n_started))
        at += n_started
    return spans
