"""How well the next token is foreseen, in windows of documents. Token ids and numpy only.

The encoder was trained for it, and the judge and the causal proposer stand on it. Every token is
predicted from what is before it alone, with at least as many tokens before it as asked for.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dgemma_ls.evaluation.cases import CaseTokenizer, Document
from dgemma_ls.evaluation.ngrams import WittenBell
from dgemma_ls.evaluation.reading import LogProbs, Reader
from dgemma_ls.evaluation.summary import Figure, Metric, mean_figure, ratio_figure

TARGET_TOKENS = 64
"""Tokens that are predicted in each window."""

METRICS = {
    "accuracy": Metric(title="next token right"),
    "nats": Metric(title="cross-entropy, nats a token", is_share=False),
    "bits_per_byte": Metric(title="bits a byte", is_share=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Tokens to predict, and those right before them.

    Attributes:
        path: of the document; windows of one file depend on each other.
        before: the context, with ``<bos>`` where the document begins.
        targets: the tokens to predict.
        n_bytes: bytes that the targets stand for.
    """

    path: str
    before: tuple[int, ...]
    targets: tuple[int, ...]
    n_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one model foresaw of one window: sums over its tokens."""

    n_right: int
    nats: float


Predictor = Callable[[Window], Reading]


def draw_windows(
    documents: Sequence[Document],
    tokenizer: CaseTokenizer,
    *,
    context: int,
    n_windows: int,
    seed: int,
    bos_id: int,
) -> list[Window]:
    """Draw windows whose targets do not overlap; every token is as likely to be asked for.

    Asking for more windows keeps the first ones.

    Returns:
        Fewer than asked for where the documents do not have them.
    """
    encoded = [tokenizer.encode(document.text) for document in documents]
    places = [
        (idx, start)
        for idx, ids in enumerate(encoded)
        for start in range(context, len(ids) - TARGET_TOKENS + 1, TARGET_TOKENS)
    ]
    random.Random(f"{seed} next-token").shuffle(places)  # noqa: S311 - an experiment, no secret
    windows = []
    for idx, start in places[:n_windows]:
        ids = encoded[idx]
        targets = tuple(ids[start : start + TARGET_TOKENS])
        before = ids[start - context : start]
        windows.append(
            Window(
                path=documents[idx].path,
                before=(bos_id, *before) if start == context else tuple(before),
                targets=targets,
                n_bytes=len(tokenizer.decode_bytes(targets)),
            )
        )
    return windows


def by_encoder(read: Reader) -> Predictor:
    """Predict with the model's encoder."""

    def predict(window: Window) -> Reading:
        (log_probs,) = read(window.before, [window.targets])
        return _reading(log_probs, window.targets)

    return predict


def by_ngrams(model: WittenBell) -> Predictor:
    """Predict with n-grams of training text."""

    def predict(window: Window) -> Reading:
        ids = (*window.before[-model.n_context :], *window.targets)
        first = len(ids) - len(window.targets)
        rows = [
            model.next_token(ids[max(0, place - model.n_context) : place])
            for place in range(first, len(ids))
        ]
        return _reading(np.log(np.stack(rows)), window.targets)

    return predict


def sum_up(
    windows: Sequence[Window], readings: Mapping[str, Sequence[Reading]], *, seed: int
) -> list[Figure]:
    """Give the figures of each model, by its name, on the same windows."""
    files = [window.path for window in windows]
    n_bytes = [float(window.n_bytes) for window in windows]
    figures: list[Figure] = []
    for name, of_model in readings.items():
        right = [reading.n_right / TARGET_TOKENS for reading in of_model]
        nats = [reading.nats / TARGET_TOKENS for reading in of_model]
        bits = [reading.nats / np.log(2) for reading in of_model]
        figures += mean_figure(name, "accuracy", right, files, seed=seed)
        figures += mean_figure(name, "nats", nats, files, seed=seed)
        figures += ratio_figure(name, "bits_per_byte", bits, n_bytes, files, seed=seed)
    return figures


def _reading(log_probs: LogProbs, targets: Sequence[int]) -> Reading:
    ids = np.asarray(targets)
    return Reading(
        n_right=int((log_probs.argmax(axis=-1) == ids).sum()),
        nats=-float(log_probs[np.arange(len(ids)), ids].sum()),
    )
