"""From a folder of weights to an :class:`~dgemma_engine.engine.Engine`."""

from importlib.resources import as_file, files
from pathlib import Path

import torch

from dgemma_engine.checkpoint import load_transformer, stored_bytes
from dgemma_engine.config import ModelConfig, load_generation_config, load_model_config
from dgemma_engine.engine import Engine
from dgemma_engine.errors import CheckpointError, DeviceError, RequestError, TokenizerError
from dgemma_engine.infill.settings import load_infill_settings
from dgemma_engine.tokenizer import TOKENIZER_NAME, Tokenizer

EMBEDDED = "embedded"
_FLOAT32_MAX_BYTES = 4 * 2**30
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def load(
    checkpoint: str | Path = EMBEDDED,
    *,
    device: str | torch.device = "auto",
    dtype: str | torch.dtype = "auto",
) -> Engine:
    """Load a checkpoint.

    Args:
        checkpoint: ``"embedded"`` for the model in the package, else a folder.
        device: a torch device; ``"auto"`` takes CUDA where there is one.
        dtype: ``"float32"``, ``"bfloat16"`` or ``"float16"``, by name or as torch's own; ``"auto"``
            keeps the file's on a GPU and takes float32 on a CPU, unless the model is too large.

    Raises:
        ModelFilesError: a file is missing, damaged or unsupported.
        DeviceError: the device does not exist or has too little memory.
        RequestError: ``dtype`` is unknown.
    """
    if checkpoint == EMBEDDED:
        with as_file(files("dgemma_engine") / "embedded") as folder:
            return _load_folder(folder, device, dtype)
    return _load_folder(Path(checkpoint), device, dtype)


def _load_folder(folder: Path, device: str | torch.device, dtype: str | torch.dtype) -> Engine:
    if not folder.is_dir():
        raise CheckpointError(
            f"{folder}: no such folder; give the folder that holds config.json and the weights,"
            f' or "{EMBEDDED}"'
        )
    config = load_model_config(folder)
    target = _device(device)
    try:
        model = load_transformer(folder, config, device=target, dtype=_dtype(dtype, target, folder))
    except torch.OutOfMemoryError as err:
        raise DeviceError(
            f"{folder}: does not fit into the memory of {target}; use a smaller checkpoint or"
            ' device="cpu"'
        ) from err
    return Engine(
        model,
        load_generation_config(folder, config),
        tokenizer=_load_tokenizer(folder, config),
        infill_settings=load_infill_settings(folder),
    )


def _load_tokenizer(folder: Path, config: ModelConfig) -> Tokenizer | None:
    path = folder / TOKENIZER_NAME
    if not path.exists():
        return None
    tokenizer = Tokenizer(path)
    # Special tokens may lie past the embedding (Gemma's image token does); text must not.
    if any(tokenizer.token_bytes[config.vocab_size :]):
        raise TokenizerError(
            f"{path}: has tokens past vocab_size ({config.vocab_size}) of config.json; both files"
            " must come from one checkpoint"
        )
    return tokenizer


def _device(name: str | torch.device) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as err:
        raise DeviceError(f"device {name!r} is not available; use cpu or auto") from err
    return device


def _dtype(wanted: str | torch.dtype, device: torch.device, folder: Path) -> torch.dtype | None:
    """The dtype to convert to, or ``None`` for the file's own."""
    if wanted == "auto":
        # Without AMX or AVX512-BF16 a CPU runs bfloat16 about ten times slower than float32.
        small = 2 * stored_bytes(folder) <= _FLOAT32_MAX_BYTES
        return torch.float32 if device.type == "cpu" and small else None
    name = str(wanted).removeprefix("torch.")
    if name not in _DTYPES:
        raise RequestError(f"dtype {name!r} is unknown; use auto, {', '.join(_DTYPES)}")
    return _DTYPES[name]
