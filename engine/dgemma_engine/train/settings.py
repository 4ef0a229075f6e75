"""The ``[model]`` and ``[training]`` sections of the recipe as values."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dgemma_engine.train.corpus import RECIPE_PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One part of the training schedule.

    Attributes:
        name: shown in the log.
        share: part of the time budget.
        batch_windows: windows per step.
        canvas_share: share of steps that train the decoder too.
        sampled_share: share of those that start from states of the sampler.
        span_share: share of canvases with contiguous spans; the others get independent noise.
        typo_share: share of canvases with a typo, or shown as if there might be one.
        next_token_weight: of the encoder's loss, beside 1 for the decoder's.
        decay: whether the learning rates fall to zero over the phase, on a copy of the weights.
    """

    name: str
    share: float
    batch_windows: int
    canvas_share: float
    sampled_share: float
    span_share: float
    typo_share: float
    next_token_weight: float
    decay: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """How to train; lengths in tokens, rates per step."""

    seed: int
    window_tokens: int
    canvas_tokens: int
    muon_lr: float
    adam_lr: float
    warmup_steps: int
    checkpoint_minutes: float
    phases: tuple[Phase, ...]

    def named_phases(self, names: Sequence[str] | None) -> list[Phase]:
        """Give the phases of these names in that order, all of them for ``None``.

        Raises:
            ValueError: there is no phase of that name.
        """
        by_name = {phase.name: phase for phase in self.phases}
        for name in names or ():
            if name not in by_name:
                raise ValueError(f"the recipe has no phase {name!r}; it has {', '.join(by_name)}")
        return list(self.phases) if names is None else [by_name[name] for name in names]


def load_training_settings(path: Path = RECIPE_PATH) -> TrainingSettings:
    """Read ``[training]``.

    Raises:
        ValueError: a key is missing, unknown or of the wrong kind; the message names the file.
    """
    values = dict(_section(path, "training"))
    try:
        phases = tuple(Phase(**phase) for phase in values.pop("phases"))
        settings = TrainingSettings(phases=phases, **values)
    except (KeyError, TypeError) as err:
        raise ValueError(f"{path}: [training] is incomplete or has a key too many: {err}") from err
    if abs(sum(phase.share for phase in phases) - 1) > 1e-6:
        raise ValueError(f"{path}: the shares of [[training.phases]] must add up to 1")
    return settings


def load_model_values(vocab_size: int, path: Path = RECIPE_PATH) -> dict[str, Any]:
    """Read ``[model]`` and give the whole ``config.json`` of the model to be trained.

    Raises:
        ValueError: as for :func:`load_training_settings`.
    """
    text = dict(_section(path, "model"))
    kinds = str(text.pop("layer_kinds", ""))
    names = {"S": "sliding_attention", "F": "full_attention"}
    if not kinds or set(kinds) - set(names) or not kinds.endswith("F"):
        raise ValueError(f"{path}: [model] layer_kinds is {kinds!r}, must be of S and F, F last")
    text |= {
        "model_type": "diffusion_gemma_text",
        "vocab_size": vocab_size,
        "num_hidden_layers": len(kinds),
        "layer_types": [names[kind] for kind in kinds],
        "hidden_activation": "gelu_pytorch_tanh",
        "rms_norm_eps": 1e-6,
        "final_logit_softcapping": 30.0,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "bos_token_id": 2,
    }
    return {
        "architectures": ["DiffusionGemmaForBlockDiffusion"],
        "model_type": "diffusion_gemma",
        "dtype": "bfloat16",
        "canvas_length": 256,
        "tie_word_embeddings": True,
        "text_config": text,
    }


def load_infill_values(path: Path = RECIPE_PATH) -> dict[str, Any]:
    """Read ``[infill]``: how the trained model wants to be asked, see ``infill/settings.py``.

    Raises:
        ValueError: as for :func:`load_training_settings`.
    """
    return dict(_section(path, "infill"))


def _section(path: Path, name: str) -> Mapping[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as err:
        raise ValueError(f"{path}: not valid TOML ({err})") from err
    section = values.get(name)
    if not isinstance(section, dict):
        raise ValueError(f"{path}: has no section [{name}]")
    return section
