"""Reading a text as it stands: how much the model doubts each token, and which wording it prefers.

Nothing is noised here. :func:`read_tokens` lets the decoder look at every token from both sides,
and the encoder at what came before it; :func:`compare` lets it read alternatives in context.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, takewhile

import torch
from torch import Tensor

from dgemma_engine.infill.select import Reading, read_together
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.branches import Branches
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.tokenizer import Tokenizer
from dgemma_engine.types import CancelToken, Place, Span, TokenReading

_MAX_WINDOW = 256
_OVERLAP = 32  # tokens on each side that are only context; a quarter of small windows
_BATCH = 8
_QUANTUM = 200  # characters between places where contexts may begin, so that prefixes are shared
_MIN_CONTEXT = 150  # characters
_AFTER_CHARACTERS = 80
_TOKENS_AT_ONCE = 400  # some 15 ms of the embedded model


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
        cancel: asked before each batch of places.

    Returns:
        For each place the log-probability in nats of each alternative and the few tokens after
        it; those before the place where it was cancelled.
    """
    scores: list[tuple[float, ...]] = []
    batch: list[_Wordings] = []
    n_tokens = 0
    for place in places:
        wordings = _wordings(tokenizer, text, place, bos_id)
        n_new = wordings.n_tokens - (_n_shared(batch[-1].known, wordings.known) if batch else 0)
        if batch and n_tokens + n_new > _TOKENS_AT_ONCE:
            if cancel is not None and cancel.stop_reason() is not None:
                return scores
            scores += _score(model, batch)
            batch, n_new = [], wordings.n_tokens
            n_tokens = 0
        batch.append(wordings)
        n_tokens += n_new
    if batch and (cancel is None or cancel.stop_reason() is None):
        scores += _score(model, batch)
    return scores


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wordings:
    """A place as tokens: what stands before it, and each alternative with what follows."""

    known: tuple[int, ...]
    readings: tuple[Reading, ...]

    @property
    def n_tokens(self) -> int:
        """How many there are to read."""
        return len(self.known) + sum(len(one.inner) + len(one.after) for one in self.readings)


def _wordings(tokenizer: Tokenizer, text: str, place: Place, bos_id: int) -> _Wordings:
    start, end = place.span.start, place.span.end
    begin = max(0, (start - _MIN_CONTEXT) // _QUANTUM * _QUANTUM)
    after = tokenizer.encode(text[end : end + _AFTER_CHARACTERS])
    return _Wordings(
        known=tuple(tokenizer.encode(text[begin:start]) or [bos_id]),
        readings=tuple(read_together(option, after, tokenizer) for option in place.texts),
    )


@torch.inference_mode()
def _score(model: Transformer, batch: Sequence[_Wordings]) -> list[tuple[float, ...]]:
    """Score places in one pass: their contexts and alternatives as one tree.

    Contexts that begin alike are read once, those that do not see nothing of each other.
    """
    paths = [
        (*place.known, *reading.inner, *reading.after)
        for place in batch
        for reading in place.readings
    ]
    n_known = [len(place.known) for place in batch for _ in place.readings]
    weight = model.embed_tokens.weight
    nothing = KVCache.empty(model.config, dtype=weight.dtype, device=weight.device)
    tree = Branches(model, 0, nothing.visible())
    rows = [
        path[n - 1 :] for path, n in zip(tree.read([p[:-1] for p in paths]), n_known, strict=True)
    ]
    distinct = {row: idx for idx, row in enumerate(dict.fromkeys(chain(*rows)))}
    logits = model.logits(tree.outputs[list(distinct)])
    places = [distinct[row] for row in chain(*rows)]
    targets = [token for path, n in zip(paths, n_known, strict=True) for token in path[n:]]
    log_probs = iter((logits[places, targets] - logits.logsumexp(dim=-1)[places]).tolist())
    return [
        tuple(
            sum(islice(log_probs, len(reading.inner) + len(reading.after)))
            for reading in place.readings
        )
        for place in batch
    ]


def _n_shared(one: Sequence[int], other: Sequence[int]) -> int:
    """Count the tokens that both begin with."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


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
