"""Tables over the vocabulary, against a walk through all of it."""

from types import SimpleNamespace
from typing import Any, cast

import torch
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.tokenizer import Tokenizer

# Few different bytes, so that tokens share beginnings; the last byte there is has no successor.
few_bytes = st.lists(st.sampled_from((0, 97, 98, 254, 255)), max_size=4).map(bytes)


def rules(token_bytes: list[bytes], special_ids: set[int], vocab_size: int) -> TokenRules:
    tokenizer = SimpleNamespace(token_bytes=tuple(token_bytes), special_ids=frozenset(special_ids))
    return TokenRules(cast(Any, tokenizer), vocab_size, torch.device("cpu"))


@given(
    token_bytes=st.lists(few_bytes, min_size=1, max_size=30),
    special_ids=st.sets(st.integers(0, 29), max_size=4),
    n_unused=st.integers(-3, 3),
    text=few_bytes,
)
def test_tokens_with_a_beginning_are_those_that_a_walk_finds(
    token_bytes: list[bytes], special_ids: set[int], n_unused: int, text: bytes
) -> None:
    """Two tokens may have the same bytes, and a model more or fewer ids than its tokenizer."""
    vocab_size = max(1, len(token_bytes) + n_unused)
    expected = [
        idx < len(token_bytes)
        and token_bytes[idx] != b""
        and idx not in special_ids
        and token_bytes[idx].startswith(text)
        for idx in range(vocab_size)
    ]
    assert rules(token_bytes, special_ids, vocab_size).starting_with(text).tolist() == expected


def test_every_token_of_a_real_vocabulary_is_found_by_each_of_its_beginnings(
    byte_level: Tokenizer,
) -> None:
    of_model = TokenRules(byte_level, byte_level.vocab_size, torch.device("cpu"))
    for idx, raw in enumerate(byte_level.token_bytes):
        for n_bytes in range(len(raw) and 1, len(raw) + 1):
            assert of_model.starting_with(raw[:n_bytes])[idx] == bool(raw)
