"""Safetensors files → a model. Every tensor is used, or known to be of no use to the text model.

Weights are memory-mapped and become the parameters themselves; a conversion of dtype or device
copies one tensor at a time, so there is never a second copy of the model.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from dgemma_engine.config import ModelConfig
from dgemma_engine.errors import CheckpointError
from dgemma_engine.model.transformer import Transformer

WEIGHTS_NAME = "model.safetensors"
INDEX_NAME = "model.safetensors.index.json"

_DECODER = "model.decoder."
_ENCODER = "model.encoder.language_model."
_SCALAR, _ENCODER_SCALAR = "layer_scalar", "encoder_layer_scalar"
# The vision tower serves pictures; lm_head is the embedding again.
_IGNORED_PREFIXES = ("model.encoder.vision_tower.", "model.encoder.embed_vision.", "lm_head.")


def checkpoint_name(parameter: str) -> str:
    """Name in the checkpoint of one of our parameters."""
    if parameter.endswith(_ENCODER_SCALAR):
        return _ENCODER + parameter.removesuffix(_ENCODER_SCALAR) + _SCALAR
    return _DECODER + parameter


def meta_transformer(config: ModelConfig) -> Transformer:
    """Build the model without allocating any weights."""
    with torch.device("meta"):
        return Transformer(config)


def expected_shapes(model: Transformer) -> dict[str, torch.Size]:
    """Shape of every text tensor by its name in the checkpoint."""
    return {checkpoint_name(name): value.shape for name, value in model.state_dict().items()}


def load_transformer(
    folder: Path, config: ModelConfig, *, device: torch.device, dtype: torch.dtype | None
) -> Transformer:
    """Build the model from a checkpoint folder.

    Args:
        folder: holds ``model.safetensors``, or shards with ``model.safetensors.index.json``.
        config: the folder's configuration.
        device: where the parameters go.
        dtype: what they are converted to; ``None`` keeps what the file holds.

    Raises:
        CheckpointError: a file is missing, truncated or not safetensors, or a tensor is missing,
            misshapen, of an unsupported dtype or unknown; names file and tensor.
    """
    model = meta_transformer(config)
    shapes = expected_shapes(model)
    tensors: dict[str, Tensor] = {}
    for path, name, tensor in _read_tensors(folder):
        if name.startswith(_IGNORED_PREFIXES):
            continue
        if name not in shapes:
            raise CheckpointError(
                f"{path}: unknown tensor {name}; is this a DiffusionGemma text checkpoint?"
            )
        if tensor.shape != shapes[name]:
            raise CheckpointError(
                f"{path}: tensor {name} has shape {list(tensor.shape)}, config.json asks for"
                f" {list(shapes[name])}; weights and config.json must come from one checkpoint"
            )
        if tensor.dtype not in (torch.float32, torch.bfloat16, torch.float16):
            raise CheckpointError(
                f"{path}: tensor {name} is {tensor.dtype}; quantised weights are not supported,"
                " use the bfloat16 checkpoint"
            )
        tensors[name] = tensor.to(device=device, dtype=dtype or tensor.dtype)
    # Some re-uploads hold one set of scalars for both modes.
    for name in shapes:
        if name.startswith(_ENCODER) and name not in tensors:
            decoder_name = _DECODER + name.removeprefix(_ENCODER)
            if decoder_name in tensors:
                tensors[name] = tensors[decoder_name].clone()
    missing = sorted(set(shapes) - set(tensors))
    if missing:
        raise CheckpointError(
            f"{folder}: tensor {missing[0]} is missing"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
            + "; fetch the checkpoint again"
        )
    ours = {name: tensors[checkpoint_name(name)] for name in model.state_dict()}
    model.load_state_dict(ours, assign=True)
    return model.requires_grad_(False).eval()


def stored_bytes(folder: Path) -> int:
    """Size of the weight files together, without reading them."""
    return sum(path.stat().st_size for path in _weight_files(folder))


def _read_tensors(folder: Path) -> Iterator[tuple[Path, str, Tensor]]:
    for path in _weight_files(folder):
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118  (not a dict, not iterable)
                    yield path, name, file.get_tensor(name)
        except (SafetensorError, OSError) as err:
            raise CheckpointError(
                f"{path}: truncated, damaged or not a safetensors file ({err}); fetch it again"
            ) from err


def _weight_files(folder: Path) -> list[Path]:
    """The weight files in the order of their names, each known to exist."""
    single, index = folder / WEIGHTS_NAME, folder / INDEX_NAME
    if not index.exists():
        if not single.is_file():
            raise CheckpointError(
                f"{folder}: neither {WEIGHTS_NAME} nor {INDEX_NAME} is there; point to the folder"
                " that holds the weights"
            )
        return [single]
    try:
        weight_map = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        if not isinstance(weight_map, Mapping):
            raise TypeError("weight_map is not an object")
        names = sorted({str(name) for name in weight_map.values()})
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise CheckpointError(f"{index}: not a shard index ({err!r}); fetch it again") from err
    for name in names:
        # An index is data from elsewhere: it may name files of its own folder only.
        if Path(name).name != name:
            raise CheckpointError(f"{index}: shard name {name!r} leaves the folder; refused")
        try:
            there = (folder / name).is_file()
        except OSError:  # a name that no file can have
            there = False
        if not there:
            raise CheckpointError(
                f"{folder / name[:200]}: listed in {INDEX_NAME} but missing; fetch it"
            )
    return [folder / name for name in names]
