"""A training folder → a checkpoint folder that ``dgemma_engine.load`` reads like any other."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from dgemma_engine.checkpoint import WEIGHTS_NAME, checkpoint_name
from dgemma_engine.config import CONFIG_NAME, GENERATION_CONFIG_NAME
from dgemma_engine.infill.settings import SETTINGS_NAME
from dgemma_engine.tokenizer import TOKENIZER_NAME, load_tokenizer
from dgemma_engine.train.corpus import MANIFEST_NAME
from dgemma_engine.train.settings import load_infill_values, load_model_values
from dgemma_engine.train.trainer import LOG_NAME, RELEASE_NAME
from dgemma_engine.train.trainer import WEIGHTS_NAME as TRAINED_NAME

TRAINING_LOG_NAME = "training_log.jsonl"
CORPUS_NAME = "corpus.json"


def trained_folder(work: Path) -> Path:
    """Give the folder of the weights to release: those after the decay, where there are any."""
    release = work / "run" / RELEASE_NAME
    return release if (release / TRAINED_NAME).exists() else work / "run"


def export(work: Path, out: Path, recipe: Path) -> None:
    """Write weights (bfloat16), both configs, the tokenizer and the infill settings to ``out``.

    The log of the training and the manifest of the corpus go with them, where there are any.

    Args:
        work: folder of the training steps, with ``run/release/weights.safetensors`` or
            ``run/weights.safetensors``.
        out: made if absent; files of the same name are replaced.
        recipe: the recipe that was trained.
    """
    trained = load_file(trained_folder(work) / TRAINED_NAME)
    out.mkdir(parents=True, exist_ok=True)
    tensors = {
        checkpoint_name(name): value.to(torch.bfloat16).contiguous()
        for name, value in trained.items()
    }
    save_file(tensors, out / WEIGHTS_NAME, metadata={"format": "pt"})
    (out / WEIGHTS_NAME).chmod(0o644)  # the library writes for the owner only
    vocab_size = load_tokenizer(work).vocab_size
    _write_json(out / CONFIG_NAME, load_model_values(vocab_size, recipe))
    _write_json(out / SETTINGS_NAME, load_infill_values(recipe))
    generation = {
        "bos_token_id": 2,
        "eos_token_id": [1],
        "pad_token_id": 0,
        "max_new_tokens": 256,
        "max_denoising_steps": 48,
        "sampler_config": {"_cls_name": "EntropyBoundSamplerConfig", "entropy_bound": 0.1},
        "t_min": 0.4,
        "t_max": 0.8,
        "stability_threshold": 1,
        "confidence_threshold": 0.005,
    }
    _write_json(out / GENERATION_CONFIG_NAME, generation)
    shutil.copyfile(work / TOKENIZER_NAME, out / TOKENIZER_NAME)
    for source, name in (
        (work / "run" / LOG_NAME, TRAINING_LOG_NAME),
        (work / "corpus" / MANIFEST_NAME, CORPUS_NAME),
    ):
        if source.exists():
            shutil.copyfile(source, out / name)


def _write_json(path: Path, values: object) -> None:
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
