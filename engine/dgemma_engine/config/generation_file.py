"""``generation_config.json``: the settings of the sampler, with the reference's defaults.

A key that we do not know and that is switched on is refused, as in ``config.json``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dgemma_engine.config.section import Section, read_json
from dgemma_engine.config.values import GenerationConfig, ModelConfig

GENERATION_CONFIG_NAME = "generation_config.json"

_GENERATION_DEFAULTS: Mapping[str, Any] = {
    "max_denoising_steps": 48,
    "t_min": 0.4,
    "t_max": 0.8,
    "stability_threshold": 1,
    "confidence_threshold": 0.005,
    "max_new_tokens": 256,
    "sampler_config": {"_cls_name": "EntropyBoundSamplerConfig", "entropy_bound": 0.1},
}
_IGNORED_GENERATION_KEYS = frozenset(
    {
        "_commit_hash",
        "_from_model_config",
        "bos_token_id",
        "cache_config",
        "cache_implementation",
        "disable_compile",
        "do_sample",
        "max_length",
        "return_dict_in_generate",
        "transformers_version",
    }
)


def load_generation_config(folder: Path, model: ModelConfig) -> GenerationConfig:
    """Read ``generation_config.json``; without the file, the defaults and the model's special ids.

    A key that is missing or null takes the reference's default. Without ``eos_token_id`` nothing
    ends a generation early, as in the reference.

    Raises:
        ConfigError: the file is malformed, a value is out of range, or the sampler is unknown.
    """
    path = folder / GENERATION_CONFIG_NAME
    if not path.exists():
        return GenerationConfig(eos_token_ids=model.eos_token_ids, pad_token_id=model.pad_token_id)
    return parse_generation_config(read_json(path), path)


def parse_generation_config(
    values: Mapping[str, Any], path: Path = Path(GENERATION_CONFIG_NAME)
) -> GenerationConfig:
    """Turn the JSON object of a ``generation_config.json`` into a :class:`GenerationConfig`.

    Raises:
        ConfigError: as for :func:`load_generation_config`.
    """
    section = Section(path, values, _GENERATION_DEFAULTS)
    sampler_values = section.get("sampler_config")
    if not isinstance(sampler_values, Mapping):
        raise section.error("sampler_config", sampler_values, "must be an object")
    sampler = Section(path, sampler_values, {})
    sampler.must_be("_cls_name", "EntropyBoundSamplerConfig")
    entropy_bound = sampler.positive_float("entropy_bound")
    sampler.refuse_unknown(frozenset())
    t_min, t_max = section.get("t_min"), section.positive_float("t_max")
    if isinstance(t_min, bool) or not isinstance(t_min, int | float) or not 0 <= t_min < t_max:
        raise section.error("t_min", t_min, f"must be at least 0 and below t_max ({t_max})")
    stability = section.get("stability_threshold")
    if isinstance(stability, bool) or not isinstance(stability, int) or stability < 0:
        raise section.error("stability_threshold", stability, "must be a whole number, 0 or more")
    pad = section.token_ids("pad_token_id")
    config = GenerationConfig(
        max_denoising_steps=section.positive_int("max_denoising_steps"),
        entropy_bound=entropy_bound,
        t_min=float(t_min),
        t_max=t_max,
        stability_threshold=stability,
        confidence_threshold=section.positive_float("confidence_threshold"),
        max_new_tokens=section.positive_int("max_new_tokens"),
        eos_token_ids=section.token_ids("eos_token_id"),
        pad_token_id=pad[0] if pad else None,
    )
    section.refuse_unknown(_IGNORED_GENERATION_KEYS)
    return config
