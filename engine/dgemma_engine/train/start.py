"""The weights of a released checkpoint as the beginning of a run."""

import dataclasses
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from dgemma_engine.checkpoint import load_transformer
from dgemma_engine.config import ModelConfig, load_model_config
from dgemma_engine.tokenizer import TOKENIZER_NAME
from dgemma_engine.train.tokenizer_training import load_tokenizer


def released_weights(folder: Path, config: ModelConfig, tokenizer: Tokenizer) -> dict[str, Tensor]:
    """Read a checkpoint folder to start training from.

    Args:
        folder: what the step ``export`` writes; its weights may be bfloat16.
        config: of the model to be trained.
        tokenizer: what the run's shards were made with.

    Returns:
        float32 tensors by the names of our parameters.

    Raises:
        ValueError: tokenizer or shape of the checkpoint are not those of the run.
        ModelFilesError: a file of the folder is missing or damaged.
    """
    # Equal sizes are not enough: another tokenizer's ids mean other words.
    if load_tokenizer(folder / TOKENIZER_NAME).to_str() != tokenizer.to_str():
        raise ValueError(
            f"{folder / TOKENIZER_NAME} is not the tokenizer in WORK; copy it there and run the"
            " step shards again"
        )
    released = load_model_config(folder)
    for field in dataclasses.fields(ModelConfig):
        theirs, ours = getattr(released, field.name), getattr(config, field.name)
        if theirs != ours:
            values = "" if field.name == "layers" else f" ({theirs}, not {ours})"
            raise ValueError(
                f"{folder}: {field.name} of the checkpoint differs from the recipe's"
                f" [model]{values}; --recipe must have its shape"
            )
    model = load_transformer(folder, config, device=torch.device("cpu"), dtype=torch.float32)
    return model.state_dict()
