"""Corrupting clean canvases: spans in clean text, independent noise everywhere, or a typo.

There is no mask token: noise is a uniformly random id. *Free* positions are those that the
decoder will have to fill (they may happen to hold their true token, as in the middle of
decoding); all others are clean and, in clamped canvases, known to be so.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dgemma_engine.train.typos import TypoNoise

Ids = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# Upper ends of the span length buckets and how often each is drawn.
_LENGTH_BUCKETS = ((1, 0.22), (4, 0.38), (8, 0.24), (16, 0.12), (24, 0.04))
_MOST_SPANS = 6

_TYPED_SHARE = 0.6  # of the canvases drawn for typos; the others show text without any
_CLEAN_SCORED_SHARE = 0.15  # of the rows beside a typo: copying them teaches little


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NoisedCanvases:
    """N canvases of C tokens.

    Attributes:
        ids: (N, C), the corrupted tokens; some canvases end early in a run of ``<eos>``.
        targets: (N, C), what should stand there.
        free: (N, C), positions that the sampler may change; none where a typo may be.
        scored: (N, C), positions that the loss counts; never none in a canvas.
        clamped: (N,), whether the positions of the canvas that are not free are flagged as known.
    """

    ids: Ids
    targets: Ids
    free: Flags
    scored: Flags
    clamped: Flags


def noise_canvases(
    clean: Ids,
    vocab_size: int,
    eos_id: int,
    rng: np.random.Generator,
    *,
    span_share: float,
    typo_share: float = 0.0,
    typos: TypoNoise | None = None,
    short_share: float = 0.1,
) -> NoisedCanvases:
    """Corrupt every canvas by one of the patterns.

    Args:
        clean: (N, C) ids.
        vocab_size: V.
        eos_id: what a canvas is filled with after the end of its text.
        rng: source of all randomness.
        span_share: share of canvases with contiguous spans; the others get independent noise at
            a uniformly random rate, the noise DiffusionGemma itself was trained on.
        typo_share: share of canvases that are text as it may be found, with a typo or without;
            those that hold no prose stay with the other patterns.
        typos: makes them; needed for a ``typo_share``.
        short_share: share of span canvases that end early, as at the end of a document.
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
    noised_canvases = NoisedCanvases(
        ids=ids, targets=clean.copy(), free=free, scored=free.copy(), clamped=clamped
    )
    if typos is not None:
        for idx in np.flatnonzero(rng.random(n_canvases) < typo_share).tolist():
            _show_as_found(noised_canvases, idx, clean, typos, rng)
    return noised_canvases


def _show_as_found(
    canvases: NoisedCanvases, idx: int, clean: Ids, typos: TypoNoise, rng: np.random.Generator
) -> None:
    """Make a canvas text that nothing is known of: with a typo, or clean."""
    following = clean[idx + 1] if idx + 1 < len(clean) else clean[idx][:0]
    typed = typos.corrupt(clean[idx], following, rng)
    if typed is None:
        return
    canvases.free[idx] = canvases.clamped[idx] = False
    canvases.scored[idx] = rng.random(clean.shape[1]) < _CLEAN_SCORED_SHARE
    if rng.random() < _TYPED_SHARE:
        canvases.ids[idx], canvases.targets[idx] = typed.ids, typed.targets
        canvases.scored[idx] |= typed.wrong
        canvases.scored[idx] &= ~typed.lost
    else:
        canvases.ids[idx] = canvases.targets[idx] = clean[idx]
    if not canvases.scored[idx].any():
        canvases.scored[idx, 0] = True


def _draw_spans(length: int, rng: np.random.Generator) -> Flags:
    """Mark one to six spans; at least two fifths of the canvas stays clean."""
    free = np.zeros(length, dtype=bool)
    for _ in range(rng.integers(1, _MOST_SPANS + 1)):
        bucket = rng.choice(len(_LENGTH_BUCKETS), p=[share for _, share in _LENGTH_BUCKETS])
        low = _LENGTH_BUCKETS[bucket - 1][0] + 1 if bucket else 1
        n_tokens = int(rng.integers(low, _LENGTH_BUCKETS[bucket][0] + 1))
        if free.sum() + n_tokens > length * 3 // 5:
            continue
        start = int(rng.integers(0, length - n_tokens + 1))
        free[start : start + n_tokens] = True
    if not free.any():
        free[rng.integers(0, length)] = True
    return free
