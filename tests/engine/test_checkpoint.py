"""Safetensors files → a model: what is read, what is refused, and that nothing is held twice."""

import json
import math
import shutil
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from dgemma_engine.checkpoint import (
    INDEX_NAME,
    WEIGHTS_NAME,
    checkpoint_name,
    expected_shapes,
    load_transformer,
    meta_transformer,
    stored_bytes,
)
from dgemma_engine.config import load_model_config, parse_model_config
from dgemma_engine.errors import CheckpointError, ConfigError, TokenizerError
from dgemma_engine.loading import load
from dgemma_engine.model.transformer import Transformer
from tests.engine.conftest import Pair
from tests.engine.oracle import random_canvas, random_ids, read_json, write_json

VICTIM = "model.decoder.layers.2.self_attn.q_proj.weight"


def load_folder(folder: Path) -> Transformer:
    return load_transformer(
        folder, load_model_config(folder), device=torch.device("cpu"), dtype=None
    )


@pytest.fixture
def folder(dense: Pair, tmp_path: Path) -> Path:
    """A copy of a good checkpoint, to be damaged."""
    copy = tmp_path / "checkpoint"
    shutil.copytree(dense.folder, copy)
    return copy


def rewrite(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    tensors = load_file(folder / WEIGHTS_NAME)
    change(tensors)
    save_file(tensors, folder / WEIGHTS_NAME, metadata={"format": "pt"})


def shard(folder: Path) -> dict[str, str]:
    """Split the weights into three files with an index, and give its map."""
    tensors = load_file(folder / WEIGHTS_NAME)
    (folder / WEIGHTS_NAME).unlink()
    weight_map = {}
    for idx in range(3):
        name = f"model-0000{idx + 1}-of-00003.safetensors"
        part = {key: tensors[key] for key in sorted(tensors)[idx::3]}
        save_file(part, folder / name, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(part, name)
    write_json(folder / INDEX_NAME, {"metadata": {"total_size": 1}, "weight_map": weight_map})
    return weight_map


def assert_refused(folder: Path, *said: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        load_folder(folder)
    for words in said:
        assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_tensor_of_the_file_becomes_the_parameter_of_its_name(dense: Pair) -> None:
    tensors = load_file(dense.folder / WEIGHTS_NAME)
    state = load_folder(dense.folder).state_dict()
    text = {name for name in tensors if "vision" not in name}

    assert {checkpoint_name(name) for name in state} == text
    assert len(text) < len(tensors)  # there is a vision tower, and it is skipped
    for name, value in state.items():
        assert torch.equal(value, tensors[checkpoint_name(name)])


def test_the_encoder_has_scalars_of_its_own(dense: Pair) -> None:
    state = load_folder(dense.folder).state_dict()
    for idx in range(6):
        ours = state[f"layers.{idx}.encoder_layer_scalar"]
        assert ours.item() != state[f"layers.{idx}.layer_scalar"].item()


def test_without_encoder_scalars_the_decoders_serve_both_modes(folder: Path) -> None:
    def drop(tensors: dict[str, Tensor]) -> None:
        for name in [name for name in tensors if "language_model" in name]:
            del tensors[name]

    rewrite(folder, drop)
    state = load_folder(folder).state_dict()

    for idx in range(6):
        ours = state[f"layers.{idx}.encoder_layer_scalar"]
        assert torch.equal(ours, state[f"layers.{idx}.layer_scalar"])
        assert ours.data_ptr() != state[f"layers.{idx}.layer_scalar"].data_ptr()


def test_shards_with_an_index_are_the_same_model(dense: Pair, folder: Path) -> None:
    n_bytes = stored_bytes(folder)
    shard(folder)
    assert not (folder / WEIGHTS_NAME).exists()
    single, sharded = load_folder(dense.folder).state_dict(), load_folder(folder).state_dict()
    assert list(single) == list(sharded)
    for name, value in single.items():
        assert torch.equal(value, sharded[name])
    assert abs(stored_bytes(folder) - n_bytes) < 3000  # headers aside


def test_the_embedding_may_be_stored_again_as_lm_head(folder: Path) -> None:
    rewrite(folder, lambda tensors: tensors.update({"lm_head.weight": torch.zeros(96, 32)}))
    assert load_folder(folder).embed_tokens.weight.shape == (96, 32)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_kept_or_converted_as_asked(folder: Path, dtype: torch.dtype) -> None:
    rewrite(
        folder,
        lambda tensors: tensors.update({name: value.to(dtype) for name, value in tensors.items()}),
    )
    name = str(dtype).removeprefix("torch.")
    kept = load(folder, device="cpu", dtype=name)
    assert kept.model.embed_tokens.weight.dtype == dtype
    same = load(folder, device=torch.device("cpu"), dtype=dtype)
    assert same.model.embed_tokens.weight.dtype == dtype
    ids, canvas = random_ids(9, seed=1), random_canvas(1, 16, seed=2)
    logits = kept.denoise(kept.encode(ids), canvas)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()

    wide = load(folder, device="cpu")  # small models compute in float32 on a CPU
    assert wide.model.embed_tokens.weight.dtype == torch.float32
    assert torch.equal(wide.model.embed_tokens.weight, kept.model.embed_tokens.weight.float())


def mapping_of(address: int) -> str:
    """The file that the kernel maps at an address; empty for ordinary memory."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        fields = line.split(maxsplit=5)
        start, end = (int(bound, 16) for bound in fields[0].split("-"))
        if start <= address < end:
            return fields[5] if len(fields) > 5 else ""
    return ""


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux")
@pytest.mark.parametrize("sharded", [False, True])
def test_parameters_are_the_mapped_file_itself(folder: Path, sharded: bool) -> None:
    """No second copy: every parameter's memory is the file's."""
    if sharded:
        shard(folder)
    engine = load(folder, device="cpu")
    for name, value in engine.model.state_dict().items():
        mapped = mapping_of(value.data_ptr())
        assert mapped.startswith(str(folder)), f"{name} was copied"
        assert mapped.endswith(".safetensors")


def test_parameters_need_no_gradient_and_the_model_is_not_training(dense: Pair) -> None:
    model = load_folder(dense.folder)
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert not model.training


def test_a_missing_tensor_is_named(folder: Path) -> None:
    rewrite(folder, lambda tensors: tensors.pop(VICTIM))
    assert_refused(folder, str(folder), VICTIM, "missing")


def test_of_many_missing_tensors_the_number_is_said(folder: Path) -> None:
    def drop(tensors: dict[str, Tensor]) -> None:
        for name in [name for name in tensors if ".layers.2." in name and "decoder" in name]:
            del tensors[name]

    rewrite(folder, drop)
    assert_refused(folder, "model.decoder.layers.2.", "and 21 more")


def test_a_wrong_shape_is_named_with_both_shapes(folder: Path) -> None:
    rewrite(folder, lambda tensors: tensors.update({VICTIM: torch.zeros(32, 31)}))
    assert_refused(folder, str(folder / WEIGHTS_NAME), VICTIM, "[32, 31]", "[32, 32]")


def test_an_unknown_tensor_is_refused(folder: Path) -> None:
    name = "model.decoder.layers.2.self_attn.q_proj.bias"
    rewrite(folder, lambda tensors: tensors.update({name: torch.zeros(32)}))
    assert_refused(folder, str(folder / WEIGHTS_NAME), name, "unknown")


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.float8_e4m3fn, torch.float64])
def test_quantised_weights_are_refused(folder: Path, dtype: torch.dtype) -> None:
    rewrite(folder, lambda tensors: tensors.update({VICTIM: tensors[VICTIM].to(dtype)}))
    assert_refused(folder, str(folder / WEIGHTS_NAME), VICTIM, str(dtype))


def test_weights_of_other_architectures_are_refused(folder: Path) -> None:
    def rename(tensors: dict[str, Tensor]) -> None:
        for name in list(tensors):
            tensors[name.replace("model.decoder.", "model.language_model.")] = tensors.pop(name)

    rewrite(folder, rename)
    assert_refused(folder, str(folder / WEIGHTS_NAME), "model.language_model.")


def test_a_config_of_another_model_is_refused_before_the_weights_are_read(folder: Path) -> None:
    values = read_json(folder / "config.json")
    write_json(folder / "config.json", {**values, "model_type": "gemma3"})
    (folder / WEIGHTS_NAME).unlink()
    with pytest.raises(ConfigError, match="model_type"):
        load(folder, device="cpu")


def test_a_config_that_does_not_fit_the_weights_is_refused(folder: Path) -> None:
    values = read_json(folder / "config.json")
    values["text_config"]["num_experts"] = 7
    write_json(folder / "config.json", values)
    assert_refused(folder, "experts", "config.json asks for")


def header(entries: Mapping[str, object], data: bytes = b"") -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + data


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _whole: b"",
    "cut in the header": lambda whole: whole[:100],
    "cut in the middle": lambda whole: whole[: len(whole) // 2],
    "one byte short": lambda whole: whole[:-1],
    "bytes too many": lambda whole: whole + b"\0" * 8,
    "zeros": lambda whole: b"\0" * len(whole),
    "garbage": lambda _whole: b"\x80\x02}q\x00(X\x05" * 1000,
    "a pickle's zip": lambda _whole: b"PK\x03\x04" + b"\0" * 1000,
    "an HTML page": lambda _whole: b"<!DOCTYPE html><html>rate limited</html>" * 10,
    "an LFS pointer": lambda _whole: b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7",
    "a huge header": lambda whole: struct.pack("<Q", 2**62) + whole[8:],
    "header without data": lambda _whole: header(
        {VICTIM: {"dtype": "F32", "shape": [32, 32], "data_offsets": [0, 4096]}}
    ),
    "overlapping offsets": lambda _whole: header(
        {
            "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
            "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]},
        },
        b"\0" * 12,
    ),
    "an unknown dtype": lambda _whole: header(
        {VICTIM: {"dtype": "Q4_K", "shape": [2], "data_offsets": [0, 8]}}, b"\0" * 8
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_one_sentence_with_its_name(
    folder: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = folder / WEIGHTS_NAME
    path.write_bytes(damage(path.read_bytes()))
    assert_refused(folder, str(path), "fetch it again")


def test_a_folder_without_weights_is_refused(folder: Path) -> None:
    (folder / WEIGHTS_NAME).unlink()
    assert_refused(folder, str(folder), WEIGHTS_NAME, INDEX_NAME)


def test_a_path_that_is_no_folder_is_refused(folder: Path) -> None:
    for path in (folder / "nowhere", folder / "config.json"):
        with pytest.raises(CheckpointError, match="no such folder") as caught:
            load(path)
        assert str(path) in str(caught.value)


def test_a_missing_shard_is_named(folder: Path) -> None:
    shard(folder)
    path = folder / "model-00002-of-00003.safetensors"
    path.unlink()
    assert_refused(folder, str(path), "missing")


def test_a_truncated_shard_is_named(folder: Path) -> None:
    shard(folder)
    path = folder / "model-00003-of-00003.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    assert_refused(folder, str(path))


@pytest.mark.parametrize(
    "name", ["../secret.safetensors", "/etc/passwd", "sub/model.safetensors", "..", "", "a/../b"]
)
def test_an_index_cannot_name_files_outside_of_its_folder(folder: Path, name: str) -> None:
    weight_map = shard(folder)
    shutil.copy(folder / "model-00001-of-00003.safetensors", folder.parent / "secret.safetensors")
    write_json(folder / INDEX_NAME, {"weight_map": {**weight_map, VICTIM: name}})
    assert_refused(folder, INDEX_NAME)


def test_a_shard_name_that_no_file_can_have_is_refused(folder: Path) -> None:
    weight_map = shard(folder)
    write_json(folder / INDEX_NAME, {"weight_map": {**weight_map, VICTIM: "x" * 5000}})
    assert_refused(folder, INDEX_NAME)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '"x"', "5", '{"weight_map": ["a"]}', '{"weight_map": null}', "\udc80"],
)
def test_a_broken_index_is_named(folder: Path, content: str) -> None:
    (folder / INDEX_NAME).write_text(content, encoding="utf-8", errors="surrogateescape")
    assert_refused(folder, str(folder / INDEX_NAME))


def test_an_index_without_tensors_leaves_them_missing(folder: Path) -> None:
    write_json(folder / INDEX_NAME, {"weight_map": {}})
    assert_refused(folder, str(folder), "missing")


def test_without_a_tokenizer_token_ids_still_work(dense: Pair) -> None:
    assert not (dense.folder / "tokenizer.json").exists()
    engine = load(str(dense.folder), device="cpu")

    assert engine.denoise(engine.encode([2, 5]), random_canvas(1, 16, seed=1)).shape == (1, 16, 96)
    assert len(engine.generate([2, 5], max_new_tokens=16, steps=1)) == 16
    with pytest.raises(TokenizerError, match=r"tokenizer\.json"):
        _ = engine.tokenizer
    with pytest.raises(TokenizerError, match=r"tokenizer\.json"):
        engine.infill("a", "b", lengths=[1])


def test_a_broken_tokenizer_is_named_when_the_folder_is_loaded(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(TokenizerError, match=r"tokenizer\.json"):
        load(folder, device="cpu")


def test_the_real_shape_has_the_published_tensors() -> None:
    """Names, shapes and number of elements of google/diffusiongemma-26B-A4B-it; no memory."""
    model = meta_transformer(parse_model_config({"model_type": "diffusion_gemma"}))
    shapes = {name: tuple(shape) for name, shape in expected_shapes(model).items()}
    decoder = {name: shape for name, shape in shapes.items() if name.startswith("model.decoder.")}

    assert len(shapes) == 691
    assert len(decoder) == 661
    assert sum(math.prod(shape) for shape in decoder.values()) == 25_250_986_782
    assert {name: shape for name, shape in shapes.items() if name not in decoder} == {
        f"model.encoder.language_model.layers.{idx}.layer_scalar": (1,) for idx in range(30)
    }

    top = {
        name.removeprefix("model.decoder."): shape
        for name, shape in decoder.items()
        if ".layers." not in name
    }
    assert top == {
        "embed_tokens.weight": (262144, 2816),
        "norm.weight": (2816,),
        "self_conditioning.pre_norm.weight": (2816,),
        "self_conditioning.gate_proj.weight": (2112, 2816),
        "self_conditioning.up_proj.weight": (2112, 2816),
        "self_conditioning.down_proj.weight": (2816, 2112),
    }
    both = {
        "input_layernorm.weight": (2816,),
        "post_attention_layernorm.weight": (2816,),
        "pre_feedforward_layernorm.weight": (2816,),
        "post_feedforward_layernorm.weight": (2816,),
        "pre_feedforward_layernorm_2.weight": (2816,),
        "post_feedforward_layernorm_1.weight": (2816,),
        "post_feedforward_layernorm_2.weight": (2816,),
        "layer_scalar": (1,),
        "mlp.gate_proj.weight": (2112, 2816),
        "mlp.up_proj.weight": (2112, 2816),
        "mlp.down_proj.weight": (2816, 2112),
        "router.proj.weight": (128, 2816),
        "router.scale": (2816,),
        "router.per_expert_scale": (128,),
        "experts.gate_up_proj": (128, 1408, 2816),
        "experts.down_proj": (128, 2816, 704),
    }
    sliding = {
        "self_attn.q_proj.weight": (4096, 2816),
        "self_attn.k_proj.weight": (2048, 2816),
        "self_attn.v_proj.weight": (2048, 2816),
        "self_attn.o_proj.weight": (2816, 4096),
        "self_attn.q_norm.weight": (256,),
        "self_attn.k_norm.weight": (256,),
    }
    full = {
        "self_attn.q_proj.weight": (8192, 2816),
        "self_attn.k_proj.weight": (1024, 2816),
        "self_attn.o_proj.weight": (2816, 8192),
        "self_attn.q_norm.weight": (512,),
        "self_attn.k_norm.weight": (512,),
    }
    for idx in range(30):
        start = f"model.decoder.layers.{idx}."
        layer = {
            name.removeprefix(start): shape
            for name, shape in decoder.items()
            if name.startswith(start)
        }
        assert layer == both | (full if idx in (5, 11, 17, 23, 29) else sliding)
