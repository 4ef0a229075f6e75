from dataclasses import replace

import numpy as np
import pytest
from tokenizers import Tokenizer

from dgemma_engine.train.noise import NoisedCanvases, noise_canvases
from dgemma_engine.train.tokenizer_training import load_tokenizer_recipe, train_tokenizer
from dgemma_engine.train.typos import Ids, TypoNoise

LENGTH = 32
N_IDS = 390
EOS = 1
PROSE = """
The reader should always remember which files were opened before another writer comes along.
Whoever changes these settings later must also restart every worker, because workers never notice
changed settings themselves. Most people forget their passwords sooner than they would believe.
"""


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    recipe = replace(load_tokenizer_recipe(), vocab_size=N_IDS)
    return train_tokenizer([PROSE], recipe, tmp_path_factory.mktemp("t") / "tokenizer.json")


@pytest.fixture(scope="module")
def typos(tokenizer: Tokenizer) -> TypoNoise:
    return TypoNoise(tokenizer)


@pytest.fixture(scope="module")
def prose(tokenizer: Tokenizer) -> Ids:
    """200 canvases of prose."""
    ids = tokenizer.encode(PROSE * 80, add_special_tokens=False).ids
    return np.array(ids[: 200 * LENGTH]).reshape(-1, LENGTH)


@pytest.fixture(scope="module")
def clean() -> Ids:
    """200 canvases of anything."""
    return np.random.default_rng(0).integers(10, N_IDS, (200, LENGTH))


def noise(clean: Ids, seed: int = 1, *, span_share: float = 0.8) -> NoisedCanvases:
    return noise_canvases(clean, N_IDS, EOS, np.random.default_rng(seed), span_share=span_share)


def test_noise_touches_free_positions_and_the_end_fill_only(clean: Ids) -> None:
    noised = noise(clean)
    changed = noised.ids != clean
    end_fill = np.cumprod((noised.ids == EOS)[:, ::-1], axis=1)[:, ::-1].astype(bool)
    assert noised.free.any(axis=1).all()
    assert (changed <= (noised.free | end_fill)).all()
    assert end_fill.any()
    assert changed[noised.free].any()


def test_canvases_with_flagged_clean_rows_have_some_of_them(clean: Ids) -> None:
    noised = noise(clean)
    assert noised.clamped.any()
    assert not noised.free[noised.clamped].all(axis=1).any()


def test_without_typos_the_free_positions_are_scored_against_the_clean_text(clean: Ids) -> None:
    noised = noise(clean)
    assert np.array_equal(noised.scored, noised.free)
    assert np.array_equal(noised.targets, clean)


def test_independent_noise_leaves_nothing_known(clean: Ids) -> None:
    noised = noise(clean, span_share=0.0)
    assert noised.free.all()
    assert not noised.clamped.any()


def test_a_canvas_that_may_hold_a_typo_has_nothing_free_and_nothing_known(
    prose: Ids, typos: TypoNoise
) -> None:
    noised = noise_canvases(
        prose,
        N_IDS,
        EOS,
        np.random.default_rng(2),
        span_share=0.9,
        typo_share=0.5,
        typos=typos,
    )
    as_found = ~noised.free.any(axis=1)
    assert 0.3 < as_found.mean() < 0.6
    assert not noised.clamped[as_found].any()
    assert noised.scored.any(axis=1).all()
    with_typo = as_found & (noised.ids != prose).any(axis=1)
    without = as_found & ~with_typo
    assert with_typo.any()
    assert without.any()
    assert np.array_equal(noised.targets[without], prose[without])
    # What is scored beside a typo is mostly to be copied; the typo itself is to be mended.
    mended = noised.scored & (noised.targets != noised.ids)
    assert mended[with_typo].any()
    assert mended[with_typo].sum() < 0.4 * noised.scored[with_typo].sum()
    # The others are what they are without typos.
    assert np.array_equal(noised.scored[~as_found], noised.free[~as_found])
    assert np.array_equal(noised.targets[~as_found], prose[~as_found])


def test_canvases_without_prose_keep_their_noise(clean: Ids, typos: TypoNoise) -> None:
    wordless = np.full_like(clean, 20)  # one byte again and again
    noised = noise_canvases(
        wordless, N_IDS, EOS, np.random.default_rng(3), span_share=1.0, typo_share=1.0, typos=typos
    )
    assert noised.free.any(axis=1).all()
    assert np.array_equal(noised.scored, noised.free)


def test_the_same_draw_gives_the_same_canvases(prose: Ids, typos: TypoNoise) -> None:
    first, second = (
        noise_canvases(
            prose, N_IDS, EOS, np.random.default_rng(4), span_share=0.5, typo_share=0.5, typos=typos
        )
        for _ in range(2)
    )
    for name in ("ids", "targets", "free", "scored", "clamped"):
        assert np.array_equal(getattr(first, name), getattr(second, name))
