"""Windows of tokens, and what models foresee of them."""

import math

import numpy as np
import pytest

from dgemma_ls.evaluation.next_token import (
    TARGET_TOKENS,
    Reading,
    Window,
    by_encoder,
    by_ngrams,
    draw_windows,
    sum_up,
)
from dgemma_ls.evaluation.ngrams import NgramCounts, WittenBell
from tests.ls.evaluation.fakes import WordTokenizer, document

DOCUMENTS = [document("pkg/a.py"), document("pkg/b.py", 40), document("pkg/c.py", 1)]
TOKENIZER = WordTokenizer(*(one.text for one in DOCUMENTS))
BOS = 7


def draw(n_windows: int = 1000, *, seed: int = 0, context: int = 50) -> list[Window]:
    return draw_windows(
        DOCUMENTS, TOKENIZER, context=context, n_windows=n_windows, seed=seed, bos_id=BOS
    )


def test_windows_are_stretches_of_documents_that_do_not_overlap() -> None:
    windows = draw()
    texts = {one.path: TOKENIZER.encode(one.text) for one in DOCUMENTS}
    assert {window.path for window in windows} == {"pkg/a.py", "pkg/b.py"}
    # As many as fit after the context.
    assert len(windows) == sum(max(0, len(ids) - 50) // TARGET_TOKENS for ids in texts.values())
    starts = set()
    for window in windows:
        begins = window.before[0] == BOS
        known = window.before[1:] if begins else window.before
        assert len(known) == 50
        assert len(window.targets) == TARGET_TOKENS
        ids, whole = texts[window.path], [*known, *window.targets]
        (start,) = [n for n in range(len(ids)) if ids[n : n + len(whole)] == whole]
        assert begins == (start == 0)
        assert start % TARGET_TOKENS == 0
        starts.add((window.path, start))
        assert window.n_bytes == len(TOKENIZER.decode_bytes(window.targets))
    assert len(starts) == len(windows)


def test_a_seed_repeats_and_more_windows_keep_the_first() -> None:
    assert draw(9) == draw(20)[:9]
    assert draw(9) != draw(9, seed=1)


def test_the_encoder_is_right_where_the_true_token_is_likeliest() -> None:
    window = Window(path="a", before=(1, 2), targets=(3, 4, 3, 4), n_bytes=4)
    probabilities = np.array([[0, 0, 0, 0.5, 0.5 - 1e-9]] * 4) + 1e-12

    reading = by_encoder(lambda before, branches: [np.log(probabilities)])(window)

    assert reading.n_right == 2
    assert reading.nats == pytest.approx(4 * math.log(2), abs=1e-6)


def test_n_grams_read_no_further_back_than_they_count() -> None:
    counts = NgramCounts([np.array([1, 2, 3] * 30)], n_context=2, vocab_size=5)
    model = WittenBell(counts, vocab_size=5)
    window = Window(path="a", before=(4, 4, 1, 2), targets=(3, 1, 2), n_bytes=3)

    reading = by_ngrams(model)(window)

    assert reading.n_right == 3
    nats = -sum(
        math.log(model.next_token(b)[t]) for b, t in [((1, 2), 3), ((2, 3), 1), ((3, 1), 2)]
    )
    assert reading.nats == pytest.approx(nats)


def test_figures_are_per_token_and_per_byte() -> None:
    windows = [
        Window(path=path, before=(1,), targets=(1,) * TARGET_TOKENS, n_bytes=n_bytes)
        for path, n_bytes in (("a", 100), ("b", 300))
    ]
    readings = [
        Reading(n_right=TARGET_TOKENS, nats=0.0),
        Reading(n_right=0, nats=400 * math.log(2)),
    ]
    figures = {f.metric: f for f in sum_up(windows, {"encoder": readings}, seed=0)}

    assert figures["accuracy"].interval.mean == 0.5
    assert figures["nats"].interval.mean == pytest.approx(200 * math.log(2) / TARGET_TOKENS)
    assert figures["bits_per_byte"].interval.mean == pytest.approx(1.0)
    assert figures["bits_per_byte"].n_clusters == 2
