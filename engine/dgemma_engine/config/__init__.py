"""``config.json`` and ``generation_config.json`` as frozen values.

``values`` has what the rest of the engine works with; ``model_file`` and ``generation_file`` read
them, with ``section`` for look-ups whose errors name file and key.
"""

from dgemma_engine.config.generation_file import (
    GENERATION_CONFIG_NAME,
    load_generation_config,
    parse_generation_config,
)
from dgemma_engine.config.model_file import (
    CONFIG_NAME,
    MODEL_TYPES,
    load_model_config,
    parse_model_config,
)
from dgemma_engine.config.values import GenerationConfig, LayerConfig, LayerKind, ModelConfig

__all__ = [
    "CONFIG_NAME",
    "GENERATION_CONFIG_NAME",
    "MODEL_TYPES",
    "GenerationConfig",
    "LayerConfig",
    "LayerKind",
    "ModelConfig",
    "load_generation_config",
    "load_model_config",
    "parse_generation_config",
    "parse_model_config",
]
