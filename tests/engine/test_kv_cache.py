"""A cache is a value: appending and truncating give another one and leave the old one valid."""

from collections.abc import Sequence

import pytest
import torch

from dgemma_engine.config import ModelConfig, parse_model_config
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.attention import KeysValues

WINDOW, SLACK = 4, 3


@pytest.fixture(scope="module")
def config() -> ModelConfig:
    return parse_model_config(
        {
            "model_type": "diffusion_gemma",
            "text_config": {
                "num_hidden_layers": 2,
                "layer_types": ["sliding_attention", "full_attention"],
                "num_attention_heads": 2,
                "num_key_value_heads": 2,
                "num_global_key_value_heads": 1,
                "head_dim": 4,
                "global_head_dim": 6,
                "sliding_window": WINDOW,
            },
        }
    )


def empty(config: ModelConfig) -> KVCache:
    return KVCache.empty(config, dtype=torch.float32, device=torch.device("cpu"), slack=SLACK)


def rows_of(config: ModelConfig, tokens: Sequence[float]) -> list[KeysValues]:
    """Keys hold the token's number, values its negative."""
    result = []
    for layer in config.layers:
        keys = torch.tensor(list(tokens))[None, None, :, None].expand(
            1, layer.n_kv_heads, -1, layer.head_dim
        )
        result.append((keys, -keys))
    return result


def filled(config: ModelConfig, n_tokens: int) -> KVCache:
    return empty(config).append(rows_of(config, [float(idx) for idx in range(n_tokens)]))


def held(cache: KVCache, layer_idx: int) -> list[float]:
    keys, values = cache.layers[layer_idx]
    assert torch.equal(keys, -values)
    found: list[float] = keys[0, 0, :, 0].tolist()
    return found


def seen(cache: KVCache, layer_idx: int) -> list[float]:
    keys, values = cache.visible()[layer_idx]
    assert torch.equal(keys, -values)
    found: list[float] = keys[0, 0, :, 0].tolist()
    return found


def test_full_layers_hold_everything_and_sliding_layers_the_window_and_slack(
    config: ModelConfig,
) -> None:
    cache = filled(config, 20)

    assert cache.n_tokens == 20
    assert held(cache, 0) == list(range(20 - (WINDOW - 1 + SLACK), 20))
    assert held(cache, 1) == list(range(20))


def test_a_window_shows_one_key_less_than_its_size_because_the_query_counts(
    config: ModelConfig,
) -> None:
    for n_tokens in (0, 1, WINDOW - 2, WINDOW - 1, WINDOW, 20):
        cache = filled(config, n_tokens)
        assert seen(cache, 0) == list(range(n_tokens))[-(WINDOW - 1) :]
        assert seen(cache, 1) == list(range(n_tokens))


def test_appending_piece_by_piece_equals_appending_at_once(config: ModelConfig) -> None:
    piecewise = empty(config)
    for start, end in ((0, 1), (1, 6), (6, 6), (6, 15)):
        piecewise = piecewise.append(rows_of(config, [float(idx) for idx in range(start, end)]))

    assert piecewise.n_tokens == 15
    assert held(piecewise, 0) == held(filled(config, 15), 0)
    assert held(piecewise, 1) == held(filled(config, 15), 1)


def test_truncating_goes_back_as_far_as_the_slack_reaches(config: ModelConfig) -> None:
    cache = filled(config, 20)
    for n_dropped in range(SLACK + 1):
        shorter = cache.truncate(20 - n_dropped)
        assert shorter is not None
        assert shorter.n_tokens == 20 - n_dropped
        assert seen(shorter, 0) == list(range(20 - n_dropped))[-(WINDOW - 1) :]
        assert seen(shorter, 1) == list(range(20 - n_dropped))

    assert cache.truncate(20 - SLACK - 1) is None
    assert cache.truncate(1) is None


def test_a_cache_that_lost_no_row_can_be_truncated_to_any_length(config: ModelConfig) -> None:
    n_tokens = WINDOW - 1 + SLACK
    cache = filled(config, n_tokens)
    for n_kept in range(n_tokens + 1):
        shorter = cache.truncate(n_kept)
        assert shorter is not None
        assert held(shorter, 1) == list(range(n_kept))


def test_truncating_outside_of_the_cache_is_a_bug_of_the_caller(config: ModelConfig) -> None:
    for n_tokens in (-1, 6):
        with pytest.raises(ValueError, match="cannot truncate 5 tokens"):
            filled(config, 5).truncate(n_tokens)


def test_the_old_cache_stays_valid_when_others_grow_from_it(config: ModelConfig) -> None:
    old = filled(config, 9)
    shorter = old.truncate(7)
    assert shorter is not None

    left = shorter.append(rows_of(config, [100.0, 101.0]))
    right = shorter.append(rows_of(config, [200.0]))

    assert held(old, 1) == list(range(9))
    assert held(shorter, 1) == list(range(7))
    assert held(left, 1) == [*range(7), 100, 101]
    assert held(right, 1) == [*range(7), 200]
    assert seen(right, 0) == [5, 6, 200]


def test_bytes_are_counted_for_all_layers(config: ModelConfig) -> None:
    sliding, full = 2 * 4, 1 * 6  # kv heads × head_dim
    assert empty(config).n_bytes == 0
    assert filled(config, 5).n_bytes == 5 * (sliding + full) * 2 * 4
    assert filled(config, 20).n_bytes == (6 * sliding + 20 * full) * 2 * 4


def test_dropped_rows_are_not_kept_in_memory_by_a_view(config: ModelConfig) -> None:
    for keys, values in filled(config, 500).layers[:1]:
        assert keys.untyped_storage().nbytes() == keys.nbytes
        assert values.untyped_storage().nbytes() == values.nbytes
