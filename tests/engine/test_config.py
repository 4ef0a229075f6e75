"""``config.json`` and ``generation_config.json``: both spellings, defaults, refusals."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dgemma_engine.config import (
    GenerationConfig,
    LayerConfig,
    ModelConfig,
    load_generation_config,
    load_model_config,
    parse_generation_config,
    parse_model_config,
)
from dgemma_engine.errors import ConfigError
from tests.engine.conftest import Pair
from tests.engine.oracle import ENDING_TOKEN_IDS, read_json, use_global_keys, write_json

SLIDING = LayerConfig(
    kind="sliding_attention", head_dim=256, n_kv_heads=8, rope_theta=10_000.0, rope_fraction=1.0
)
FULL = LayerConfig(
    kind="full_attention", head_dim=512, n_kv_heads=2, rope_theta=1_000_000.0, rope_fraction=0.25
)
RELEASED = ModelConfig(
    vocab_size=262144,
    hidden_size=2816,
    intermediate_size=2112,
    moe_intermediate_size=704,
    n_experts=128,
    top_k_experts=8,
    n_heads=16,
    sliding_window=1024,
    rms_norm_eps=1e-6,
    logit_softcap=30.0,
    canvas_length=256,
    layers=(SLIDING, SLIDING, SLIDING, SLIDING, SLIDING, FULL) * 5,
    eos_token_ids=(1,),
    pad_token_id=0,
    bos_token_id=2,
)
"""google/diffusiongemma-26B-A4B-it."""

RELEASED_JSON: Mapping[str, Any] = {
    "architectures": ["DiffusionGemmaForBlockDiffusion"],
    "boi_token_id": 255999,
    "canvas_length": 256,
    "dtype": "bfloat16",
    "eoi_token_id": 258882,
    "eos_token_id": [1, 106],
    "image_token_id": 258880,
    "initializer_range": 0.02,
    "model_type": "diffusion_gemma",
    "text_config": {
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 2,
        "dtype": "bfloat16",
        "eos_token_id": 1,
        "final_logit_softcapping": 30.0,
        "global_head_dim": 512,
        "head_dim": 256,
        "hidden_activation": "gelu_pytorch_tanh",
        "hidden_size": 2816,
        "initializer_range": 0.02,
        "intermediate_size": 2112,
        "layer_types": [*["sliding_attention"] * 5, "full_attention"] * 5,
        "max_position_embeddings": 262144,
        "model_type": "diffusion_gemma_text",
        "moe_intermediate_size": 704,
        "num_attention_heads": 16,
        "num_experts": 128,
        "num_global_key_value_heads": 2,
        "num_hidden_layers": 30,
        "num_key_value_heads": 8,
        "pad_token_id": 0,
        "rms_norm_eps": 1e-06,
        "rope_parameters": {
            "full_attention": {
                "partial_rotary_factor": 0.25,
                "rope_theta": 1000000.0,
                "rope_type": "proportional",
            },
            "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"},
        },
        "sliding_window": 1024,
        "tie_word_embeddings": True,
        "top_k_experts": 8,
        "use_bidirectional_attention": "vision",
        "vocab_size": 262144,
    },
    "tie_word_embeddings": True,
    "transformers_version": "5.8.0.dev0",
    "vision_config": {"model_type": "gemma4_vision", "hidden_size": 1152},
    "vision_soft_tokens_per_image": 280,
}

TINY_TEXT: Mapping[str, Any] = {
    "num_hidden_layers": 2,
    "layer_types": ["sliding_attention", "full_attention"],
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
}


def with_text(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {"model_type": "diffusion_gemma", "text_config": {**TINY_TEXT, **changes}}


def test_the_released_config_is_read_as_it_is_published() -> None:
    assert parse_model_config(RELEASED_JSON) == RELEASED


def test_missing_keys_take_the_values_of_the_released_checkpoint() -> None:
    assert parse_model_config({"model_type": "diffusion_gemma"}) == RELEASED
    assert parse_model_config({"model_type": "diffusion_gemma_text"}) == RELEASED


def test_null_is_the_same_as_missing() -> None:
    nulls = dict.fromkeys(set(RELEASED_JSON["text_config"]) - {"num_global_key_value_heads"})
    values = {"model_type": "diffusion_gemma", "canvas_length": None, "text_config": nulls}
    assert parse_model_config(values) == RELEASED


def test_null_global_heads_are_as_many_as_in_the_other_layers() -> None:
    """So transformers reads it; a missing key is the released checkpoint's value."""
    text = {"num_global_key_value_heads": None}
    config = parse_model_config({"model_type": "diffusion_gemma", "text_config": text})
    assert {layer.n_kv_heads for layer in config.layers} == {8}


def test_both_spellings_of_the_full_layers_are_equal(dense: Pair, tmp_path: Path) -> None:
    written = load_model_config(dense.folder)
    shutil.copy(dense.folder / "config.json", tmp_path)
    use_global_keys(tmp_path)
    text = read_json(tmp_path / "config.json")["text_config"]
    assert text["global_head_dim"] == 16
    assert "per_layer_config" not in text

    assert load_model_config(tmp_path) == written
    assert [(layer.head_dim, layer.n_kv_heads) for layer in written.layers] == [
        *[(8, 2)] * 5,
        (16, 1),
    ]


def test_the_text_section_alone_is_a_config(dense: Pair, tmp_path: Path) -> None:
    values = read_json(dense.folder / "config.json")
    write_json(tmp_path / "config.json", {**values["text_config"], "canvas_length": 16})
    assert load_model_config(tmp_path) == load_model_config(dense.folder)


def test_layer_types_are_derived_five_to_one_and_the_last_is_always_full() -> None:
    config = parse_model_config(
        {"model_type": "diffusion_gemma", "text_config": {"num_hidden_layers": 8}}
    )
    kinds = ["S" if layer.is_sliding else "F" for layer in config.layers]
    assert "".join(kinds) == "SSSSSFSF"


def test_keys_of_per_layer_config_are_numbers_however_they_are_padded() -> None:
    """Transformers pads them with zeros when there are ten layers or more."""
    overrides = {"head_dim": 512, "num_key_value_heads": 2}
    keys = ("05", "11", "17", "23", "29")
    values = {
        "model_type": "diffusion_gemma",
        "text_config": {"per_layer_config": dict.fromkeys(keys, overrides)},
    }
    assert parse_model_config(values) == RELEASED


def test_an_empty_per_layer_config_means_that_all_layers_are_alike() -> None:
    """What transformers writes when full layers have the sliding layers' dimensions."""
    config = parse_model_config(with_text({"per_layer_config": {}}))
    assert {(layer.head_dim, layer.n_kv_heads) for layer in config.layers} == {(8, 2)}


REFUSED_TOP: list[tuple[dict[str, Any], str]] = [
    ({"model_type": "gemma4"}, "model_type"),
    ({"model_type": None}, "model_type"),
    ({"model_type": ["diffusion_gemma"]}, "model_type"),
    ({"tie_word_embeddings": False}, "tie_word_embeddings"),
    ({"canvas_length": 0}, "canvas_length"),
    ({"canvas_length": 5000}, "canvas_length"),
    ({"canvas_length": 256.0}, "canvas_length"),
    ({"canvas_length": "256"}, "canvas_length"),
    ({"text_config": []}, "text_config"),
    ({"quantization_config": {"quant_method": "modelopt"}}, "quantization_config"),
    ({"audio_config": {"hidden_size": 4}}, "audio_config"),
]

REFUSED_TEXT: list[tuple[dict[str, Any], str]] = [
    ({"attn_logit_softcapping": 50.0}, "attn_logit_softcapping"),
    ({"hidden_size_per_layer_input": 256}, "hidden_size_per_layer_input"),
    ({"num_kv_shared_layers": 2}, "num_kv_shared_layers"),
    ({"some_new_switch": True}, "some_new_switch"),
    ({"hidden_activation": "silu"}, "hidden_activation"),
    ({"attention_bias": True}, "attention_bias"),
    ({"attention_k_eq_v": False}, "attention_k_eq_v"),
    ({"tie_word_embeddings": False}, "tie_word_embeddings"),
    ({"use_bidirectional_attention": "all"}, "use_bidirectional_attention"),
    ({"hidden_size": 0}, "hidden_size"),
    ({"hidden_size": -4}, "hidden_size"),
    ({"hidden_size": "2816"}, "hidden_size"),
    ({"hidden_size": 2816.5}, "hidden_size"),
    ({"hidden_size": True}, "hidden_size"),
    ({"vocab_size": [1]}, "vocab_size"),
    ({"rms_norm_eps": 0}, "rms_norm_eps"),
    ({"rms_norm_eps": "1e-6"}, "rms_norm_eps"),
    ({"rms_norm_eps": float("nan")}, "rms_norm_eps"),
    ({"final_logit_softcapping": -30.0}, "final_logit_softcapping"),
    ({"sliding_window": 0}, "sliding_window"),
    ({"num_hidden_layers": 3}, "layer_types"),
    ({"layer_types": ["sliding_attention", "chunked_attention"]}, "layer_types"),
    ({"layer_types": "full_attention"}, "layer_types"),
    ({"num_key_value_heads": 3}, "num_key_value_heads"),
    ({"num_global_key_value_heads": 3}, "num_key_value_heads"),
    ({"head_dim": 7}, "head_dim"),
    ({"num_experts": 4, "top_k_experts": 5}, "top_k_experts"),
    ({"eos_token_id": "</s>"}, "eos_token_id"),
    ({"eos_token_id": [1, -1]}, "eos_token_id"),
    ({"pad_token_id": [0, 1]}, "pad_token_id"),
    ({"bos_token_id": 2.0}, "bos_token_id"),
    ({"per_layer_config": [1]}, "per_layer_config"),
    ({"per_layer_config": {"1": 5}}, "per_layer_config.1"),
    ({"per_layer_config": {"1": {"intermediate_size": 5}}}, "per_layer_config.1"),
    ({"per_layer_config": {"1": {"head_dim": "8"}}}, "head_dim"),
    ({"rope_parameters": {"full_attention": {}}}, "rope_parameters.sliding_attention"),
    ({"rope_parameters": 10000.0}, "rope_parameters"),
]


@pytest.mark.parametrize(("changes", "key"), REFUSED_TOP, ids=lambda value: json.dumps(value))
def test_what_would_change_the_result_is_refused(
    changes: dict[str, Any], key: str, tmp_path: Path
) -> None:
    write_json(tmp_path / "config.json", {**with_text({}), **changes})
    with pytest.raises(ConfigError) as caught:
        load_model_config(tmp_path)
    assert str(tmp_path / "config.json") in str(caught.value)
    assert key in str(caught.value)


@pytest.mark.parametrize(("changes", "key"), REFUSED_TEXT, ids=lambda value: json.dumps(value))
def test_what_would_change_the_result_is_refused_in_the_text_section(
    changes: dict[str, Any], key: str, tmp_path: Path
) -> None:
    write_json(tmp_path / "config.json", with_text(changes))
    with pytest.raises(ConfigError) as caught:
        load_model_config(tmp_path)
    assert str(tmp_path / "config.json") in str(caught.value)
    assert key in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "changes", "key"),
    [
        ("sliding_attention", {"rope_type": "yarn"}, "rope_type"),
        ("sliding_attention", {"partial_rotary_factor": 0.5}, "partial_rotary_factor"),
        ("full_attention", {"rope_type": "default"}, "rope_type"),
        ("full_attention", {"partial_rotary_factor": 1.5}, "partial_rotary_factor"),
        ("full_attention", {"factor": 8.0}, "factor"),
        ("full_attention", {"rope_theta": "1e6"}, "rope_theta"),
        ("full_attention", {"original_max_position_embeddings": 4096}, "original_max"),
    ],
)
def test_other_rotary_embeddings_are_refused(kind: str, changes: dict[str, Any], key: str) -> None:
    ropes = json.loads(json.dumps(RELEASED_JSON["text_config"]["rope_parameters"]))
    ropes[kind] |= changes
    with pytest.raises(ConfigError, match=key):
        parse_model_config(with_text({"rope_parameters": ropes}))


@pytest.mark.parametrize("switched_off", [None, False])
def test_unknown_keys_that_are_switched_off_pass(switched_off: bool | None) -> None:
    values = {**with_text({"use_double_wide_mlp": switched_off}), "audio_config": switched_off}
    assert parse_model_config(values) == parse_model_config(with_text({}))


XFAIL_TEXT: list[tuple[dict[str, Any], str]] = [
    ({"layer_types": [["sliding_attention"], "full_attention"]}, "layer_types"),
    ({"use_bidirectional_attention": "audio"}, "use_bidirectional_attention"),
    ({"eos_token_id": []}, "eos_token_id"),
    ({"final_logit_softcapping": float("inf")}, "final_logit_softcapping"),
    ({"rms_norm_eps": 10**400}, "rms_norm_eps"),
]


@pytest.mark.parametrize(("changes", "key"), XFAIL_TEXT, ids=lambda value: str(value)[:40])
def test_odd_values_are_refused_with_a_sentence(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        parse_model_config(with_text(changes))


@pytest.mark.parametrize("loader", ["config.json", "generation_config.json"])
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1, 2]", b"7", b"\xff\xfe{}", b'{"model_type": }', b"\x00" * 20]
)
def test_broken_json_is_one_sentence_with_the_file(
    loader: str, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / loader).write_bytes(content)
    load_it = {
        "config.json": load_model_config,
        "generation_config.json": lambda folder: load_generation_config(folder, RELEASED),
    }[loader]
    with pytest.raises(ConfigError) as caught:
        load_it(tmp_path)
    assert str(tmp_path / loader) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_or_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.json: no such file"):
        load_model_config(tmp_path)
    (tmp_path / "config.json").mkdir()
    with pytest.raises(ConfigError, match=r"config\.json: cannot be read"):
        load_model_config(tmp_path)


def test_without_a_generation_config_the_model_says_what_ends_a_text(tmp_path: Path) -> None:
    config = load_generation_config(tmp_path, RELEASED)
    assert config == GenerationConfig(eos_token_ids=(1,), pad_token_id=0)
    assert config.max_denoising_steps == 48
    assert config.entropy_bound == 0.1
    assert (config.t_min, config.t_max) == (0.4, 0.8)
    assert config.stability_threshold == 1
    assert config.confidence_threshold == 0.005
    assert config.max_new_tokens == 256


def test_nulls_of_a_generation_config_are_the_defaults(dense: Pair, ending: Pair) -> None:
    """Transformers writes null for whatever was not set; without ids nothing ends a text."""
    assert read_json(dense.folder / "generation_config.json")["t_max"] is None
    model = load_model_config(dense.folder)
    assert load_generation_config(dense.folder, model) == GenerationConfig()
    assert load_generation_config(ending.folder, model) == GenerationConfig(
        eos_token_ids=ENDING_TOKEN_IDS, pad_token_id=0
    )


def test_the_released_generation_config_is_read_as_it_is_published() -> None:
    values = {
        "confidence_threshold": 0.005,
        "eos_token_id": [1, 106, 50],
        "max_denoising_steps": 48,
        "max_new_tokens": 256,
        "pad_token_id": 0,
        "sampler_config": {"_cls_name": "EntropyBoundSamplerConfig", "entropy_bound": 0.1},
        "stability_threshold": 1,
        "t_max": 0.8,
        "t_min": 0.4,
        "transformers_version": "5.8.0.dev0",
    }
    assert parse_generation_config(values) == GenerationConfig(
        eos_token_ids=(1, 106, 50), pad_token_id=0
    )


def test_generation_values_come_from_the_file() -> None:
    values = {
        "confidence_threshold": 0.5,
        "eos_token_id": 7,
        "max_denoising_steps": 3,
        "max_new_tokens": 5,
        "sampler_config": {"_cls_name": "EntropyBoundSamplerConfig", "entropy_bound": 0.25},
        "stability_threshold": 0,
        "t_max": 2,
        "t_min": 0,
    }
    assert parse_generation_config(values) == GenerationConfig(
        max_denoising_steps=3,
        entropy_bound=0.25,
        t_min=0.0,
        t_max=2.0,
        stability_threshold=0,
        confidence_threshold=0.5,
        max_new_tokens=5,
        eos_token_ids=(7,),
        pad_token_id=None,
    )


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"t_min": 0.8}, "t_min"),
        ({"t_min": -0.1}, "t_min"),
        ({"t_min": "0.4"}, "t_min"),
        ({"t_max": 0}, "t_max"),
        ({"max_denoising_steps": 0}, "max_denoising_steps"),
        ({"max_new_tokens": 1.5}, "max_new_tokens"),
        ({"confidence_threshold": 0}, "confidence_threshold"),
        ({"stability_threshold": -1}, "stability_threshold"),
        ({"stability_threshold": True}, "stability_threshold"),
        ({"sampler_config": 0.1}, "sampler_config"),
        ({"sampler_config": {"_cls_name": "GreedySampler", "entropy_bound": 0.1}}, "_cls_name"),
        ({"sampler_config": {"entropy_bound": 0.1}}, "_cls_name"),
        (
            {"sampler_config": {"_cls_name": "EntropyBoundSamplerConfig", "entropy_bound": 0}},
            "entropy_bound",
        ),
        (
            {
                "sampler_config": {
                    "_cls_name": "EntropyBoundSamplerConfig",
                    "entropy_bound": 0.1,
                    "beta": 2,
                }
            },
            "beta",
        ),
        ({"eos_token_id": [1.5]}, "eos_token_id"),
        ({"pad_token_id": "<pad>"}, "pad_token_id"),
        ({"top_k": 50}, "top_k"),
        ({"repetition_penalty": 1.1}, "repetition_penalty"),
    ],
)
def test_generation_settings_that_we_do_not_follow_are_refused(
    changes: dict[str, Any], key: str, tmp_path: Path
) -> None:
    write_json(tmp_path / "generation_config.json", changes)
    with pytest.raises(ConfigError) as caught:
        load_generation_config(tmp_path, RELEASED)
    assert str(tmp_path / "generation_config.json") in str(caught.value)
    assert key in str(caught.value)
