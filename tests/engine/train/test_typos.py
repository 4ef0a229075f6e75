from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from dgemma_engine.train.tokenizer_training import (
    load_tokenizer,
    load_tokenizer_recipe,
    train_tokenizer,
)
from dgemma_engine.train.typos import Ids, TypedCanvas, TypoNoise, mistype

CODE = "def read(self, path: str) -> None:\n    self.lines = open(path).read()\n\n\n"
PROSE = """
The reader should always remember which files were opened before another writer comes along.
Whoever changes these settings later must also restart every worker, because workers never notice
changed settings themselves. Most people forget their passwords sooner than they would believe.
"""
CANVAS = 48
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    # So few merges that some words are one token and others are several.
    train_tokenizer([CODE, PROSE], replace(load_tokenizer_recipe(), vocab_size=390), path)
    return load_tokenizer(path)


@pytest.fixture(scope="module")
def typos(tokenizer: Tokenizer) -> TypoNoise:
    return TypoNoise(tokenizer)


def encode(tokenizer: Tokenizer, text: str) -> Ids:
    return np.array(tokenizer.encode(text, add_special_tokens=False).ids)


def draw(typos: TypoNoise, ids: Ids, start: int, seed: int) -> tuple[Ids, TypedCanvas | None]:
    """Corrupt the canvas that begins at ``start``; also give its clean ids."""
    clean, following = ids[start : start + CANVAS], ids[start + CANVAS : start + 2 * CANVAS]
    return clean, typos.corrupt(clean, following, np.random.default_rng(seed))


@given(
    spaces=st.integers(0, 2),
    letters=st.text("abcxyzABCXYZ", min_size=1, max_size=12),
    seed=SEEDS,
)
def test_a_mistyped_word_differs_but_not_in_its_first_letter(
    spaces: int, letters: str, seed: int
) -> None:
    word = " " * spaces + letters
    typed = mistype(word, np.random.default_rng(seed))
    assert typed == mistype(word, np.random.default_rng(seed))
    if typed is not None:
        assert typed != word
        assert typed[: spaces + 1] == word[: spaces + 1]
        assert abs(len(typed) - len(word)) <= 1


def test_every_kind_of_slip_is_made() -> None:
    rng = np.random.default_rng(0)
    typed = {mistype(" abcde", rng) for _ in range(400)}
    assert {" abdce", " abde", " abbcde", None} <= typed
    assert any(word and len(word) == 6 and word not in (" acbde", " abdce") for word in typed)


@given(start=st.integers(0, 60), seed=SEEDS)
def test_the_parts_of_a_typed_canvas_agree(
    tokenizer: Tokenizer, typos: TypoNoise, start: int, seed: int
) -> None:
    ids = encode(tokenizer, PROSE * 2)
    clean, typed = draw(typos, ids, start, seed)
    if typed is None:
        return
    assert len(typed.ids) == len(typed.targets) == len(typed.wrong) == len(typed.lost) == CANVAS
    assert not (typed.wrong & typed.lost).any()
    ordinary = ~typed.wrong & ~typed.lost
    assert np.array_equal(typed.targets[ordinary], typed.ids[ordinary])
    assert (typed.targets[typed.wrong] != typed.ids[typed.wrong]).all()
    assert np.array_equal(typed.targets[typed.wrong], clean[typed.wrong])
    # Up to the typo nothing changed, and behind it follows what followed.
    (changed,) = np.nonzero(typed.ids != clean)
    (marked,) = np.nonzero(typed.wrong | typed.lost)
    assert len(changed)
    first = int(changed[0])
    assert not len(marked) or marked[0] >= first
    end = int(marked[-1]) + 1 if len(marked) else first
    tail = typed.ids[end:].tolist()
    following = ids[start : start + 2 * CANVAS].tolist()
    assert any(following[at : at + len(tail)] == tail for at in range(len(following)))


@given(start=st.integers(0, 60), seed=SEEDS)
def test_the_same_draw_gives_the_same_typo(
    tokenizer: Tokenizer, typos: TypoNoise, start: int, seed: int
) -> None:
    ids = encode(tokenizer, PROSE * 2)
    _, first = draw(typos, ids, start, seed)
    _, second = draw(typos, ids, start, seed)
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert np.array_equal(first.ids, second.ids)
        assert np.array_equal(first.targets, second.targets)
        assert np.array_equal(first.wrong, second.wrong)
        assert np.array_equal(first.lost, second.lost)


@given(seed=SEEDS)
def test_code_is_left_alone(tokenizer: Tokenizer, typos: TypoNoise, seed: int) -> None:
    _, typed = draw(typos, encode(tokenizer, CODE * 4), 0, seed)
    assert typed is None


@given(seed=SEEDS)
def test_beside_code_only_the_prose_changes(
    tokenizer: Tokenizer, typos: TypoNoise, seed: int
) -> None:
    code = encode(tokenizer, CODE)[-CANVAS // 2 :]
    ids = np.concatenate((code, encode(tokenizer, PROSE * 2)))
    clean, typed = draw(typos, ids, 0, seed)
    if typed is not None:
        assert np.array_equal(typed.ids[: len(code)], clean[: len(code)])


def test_typos_of_one_token_of_several_and_of_other_lengths_come_up(
    tokenizer: Tokenizer, typos: TypoNoise
) -> None:
    ids = encode(tokenizer, PROSE * 2)
    drawn = [typed for seed in range(200) if (typed := draw(typos, ids, seed % 60, seed)[1])]
    assert any(typed.wrong.sum() == 1 and not typed.lost.any() for typed in drawn)
    assert any(typed.wrong.sum() > 1 for typed in drawn)
    assert any(typed.lost.any() for typed in drawn)
