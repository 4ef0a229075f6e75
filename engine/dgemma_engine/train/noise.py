"""Corrupting clean canvases: contiguous spans in clean text, or independent noise everywhere.

There is no mask token: noise is a uniformly random id. *Free* positions are those that the
decoder will have to fill (they may happen to hold their true token, as in the middle of
decoding); all others are clean and, in clamped canvases, known to be so.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# Upper ends of the span length buckets and how often each is drawn.
_LENGTH_BUCKETS = ((1, 0.25), (4, 0.40), (8, 0.22), (16, 0.10), (24, 0.03))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NoisedCanvases:
    """N canvases of C tokens.

    Attributes:
        ids: (N, C), the corrupted tokens; some canvases end early in a run of ``<eos>``.
        free: (N, C), positions to be predicted; never empty in a canvas.
        clamped: (N,), whether the clean positions of the canvas are flagged as known.
    """

    ids: Ids
    free: Flags
    clamped: Flags


def noise_canvases(
    clean: Ids,
    vocab_size: int,
    eos_id: int,
    rng: np.random.Generator,
    *,
    span_share: float,
    short_share: float = 0.1,
) -> NoisedCanvases:
    """Corrupt every canvas by one of the two patterns.

    Args:
        clean: (N, C) ids.
        vocab_size: V.
        eos_id: what a canvas is filled with after the end of its text.
        rng: source of all randomness.
        span_share: share of canvases with contiguous spans; the others get independent noise at
            a uniformly random rate, the noise DiffusionGemma itself was trained on.
        short_share: share of the former that end early, as at the end of a document.
    """
    n_canvases, length = clean.shape
    free = np.zeros(clean.shape, dtype=bool)
    noised = np.zeros(clean.shape, dtype=bool)
    spans: Flags = rng.random(n_canvases) < np.full(n_canvases, span_share)
    for idx in range(n_canvases):
        if spans[idx]:
            free[idx] = _draw_spans(length, rng)
            # Four in ten are half-way through decoding: part of the span is right already.
            rate = rng.random() if rng.random() < 0.4 else 1.0
            noised[idx] = free[idx] & (rng.random(length) < rate)
        else:
            free[idx] = True
            noised[idx] = rng.random(length) < rng.random()
    ids = np.where(noised, rng.integers(0, vocab_size, clean.shape), clean)
    for idx in np.flatnonzero(spans & (rng.random(n_canvases) < short_share)).tolist():
        last_free = int(np.flatnonzero(free[idx])[-1])
        ids[idx, rng.integers(last_free + 1, length + 1) :] = eos_id
    clamped = spans & (rng.random(n_canvases) < 0.95)
    return NoisedCanvases(ids=ids, free=free, clamped=clamped)


def _draw_spans(length: int, rng: np.random.Generator) -> Flags:
    """Mark one to four spans; at least a quarter of the canvas stays clean."""
    free = np.zeros(length, dtype=bool)
    for _ in range(rng.integers(1, 5)):
        bucket = rng.choice(len(_LENGTH_BUCKETS), p=[share for _, share in _LENGTH_BUCKETS])
        low = _LENGTH_BUCKETS[bucket - 1][0] + 1 if bucket else 1
        n_tokens = int(rng.integers(low, _LENGTH_BUCKETS[bucket][0] + 1))
        if free.sum() + n_tokens > length * 3 // 4:
            continue
        start = int(rng.integers(0, length - n_tokens + 1))
        free[start : start + n_tokens] = True
    if not free.any():
        free[rng.integers(0, length)] = True
    return free
