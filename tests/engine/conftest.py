"""Checkpoints that several tests share; written once per session."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from transformers import DiffusionGemmaForBlockDiffusion

from dgemma_engine.engine import Engine
from dgemma_engine.infill.settings import SETTINGS_NAME
from dgemma_engine.loading import load
from dgemma_engine.model.branches import Branches
from dgemma_engine.tokenizer import TOKENIZER_NAME, Tokenizer, load_tokenizer
from tests.engine.oracle import (
    ENDING_TOKEN_IDS,
    GATHERED_SHAPE,
    SPECIAL_TOKENS,
    TinyShape,
    build_reference,
    byte_fallback_tokenizer,
    byte_level_tokenizer,
    write_json,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One checkpoint, read by transformers and by us."""

    folder: Path
    reference: DiffusionGemmaForBlockDiffusion
    engine: Engine


def make_pair(folder: Path, reference: DiffusionGemmaForBlockDiffusion) -> Pair:
    reference.save_pretrained(folder)
    return Pair(folder=folder, reference=reference, engine=load(folder, device="cpu"))


def branches_after(pair: Pair, ids: Sequence[int]) -> Branches:
    """Begin to read on after a prefix."""
    kv = pair.engine.encode(ids).kv
    return Branches(pair.engine.model, kv.n_tokens, kv.visible())


@pytest.fixture(scope="session")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Eight experts: all are computed for every token."""
    return make_pair(tmp_path_factory.mktemp("dense"), build_reference())


@pytest.fixture(scope="session")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Sixteen experts: each computes the tokens that chose it."""
    return make_pair(tmp_path_factory.mktemp("gathered"), build_reference(GATHERED_SHAPE, seed=1))


@pytest.fixture(scope="session")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Amplifies rounding so little that two ways to one cache can be compared closely."""
    return make_pair(tmp_path_factory.mktemp("steady"), build_reference(seed=4, weight_noise=0.02))


@pytest.fixture(scope="session")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Amplifies rounding so little that whole generations can be compared token for token."""
    reference = build_reference(seed=2, weight_noise=0.02, sharpness=30)
    return make_pair(tmp_path_factory.mktemp("calm"), reference)


@pytest.fixture(scope="session")
def ending(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """As ``calm``; ``generation_config.json`` names ids that end a text, and padding."""
    reference = build_reference(
        seed=3, weight_noise=0.02, sharpness=30, eos_token_id=ENDING_TOKEN_IDS
    )
    return make_pair(tmp_path_factory.mktemp("ending"), reference)


@pytest.fixture(scope="session")
def byte_level(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder = tmp_path_factory.mktemp("byte_level")
    byte_level_tokenizer().save(str(folder / TOKENIZER_NAME))
    return load_tokenizer(folder)


@pytest.fixture(scope="session")
def byte_fallback(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder = tmp_path_factory.mktemp("byte_fallback")
    byte_fallback_tokenizer().save(str(folder / TOKENIZER_NAME))
    return load_tokenizer(folder)


N_UNUSED_IDS = 5
"""Ids of the model that the tokenizer knows nothing of."""


@pytest.fixture(scope="session")
def textual(tmp_path_factory: pytest.TempPathFactory, byte_level: Tokenizer) -> Pair:
    """A checkpoint with a tokenizer, for infilling.

    Left alone it would mostly say special tokens, unused ids and line breaks, so that whoever
    does not forbid them is found out; half characters it hardly says, so that there are candidates.
    """
    n_tokens = byte_level.vocab_size
    shape = TinyShape(vocab_size=n_tokens + N_UNUSED_IDS, canvas_length=64)
    reference = build_reference(shape, seed=6, weight_noise=0.05, sharpness=4)
    with torch.no_grad():
        embedding = reference.model.decoder.embed_tokens.weight
        for token_id, raw in enumerate(byte_level.token_bytes):
            if not raw.isascii():
                embedding[token_id] = 0
            elif not raw or b"\n" in raw:
                embedding[token_id] *= 4
        embedding[n_tokens:] *= 4
    folder = tmp_path_factory.mktemp("textual")
    folder.joinpath(TOKENIZER_NAME).write_bytes(byte_level.path.read_bytes())
    settings = {
        "context_tokens": 64,
        "canvas_tokens": 32,
        "left_tokens": 6,
        "right_tokens": 8,
        "n_steps": 4,
        "clamps_known_at_once": True,
    }
    write_json(folder / SETTINGS_NAME, settings)
    assert [byte_level.token_id(name) for name in SPECIAL_TOKENS] == [0, 1, 2, 3]
    return make_pair(folder, reference)
