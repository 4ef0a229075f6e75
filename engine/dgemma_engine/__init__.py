"""An in-process inference engine for DiffusionGemma: plain generation and infilling.

Importing the package is instant: whatever needs torch loads when it is first used (PEP 562).
"""

import importlib
from typing import TYPE_CHECKING, Any

from dgemma_engine.errors import (
    CheckpointError,
    ConfigError,
    DeviceError,
    EngineError,
    ModelFilesError,
    OutOfMemoryError,
    RequestError,
    TokenizerError,
)
from dgemma_engine.types import (
    CancelToken,
    Candidate,
    Draft,
    InfillResult,
    JointCandidate,
    JointResult,
    Origin,
    Place,
    Slot,
    SlotKind,
    Span,
    SpanCheck,
    StopReason,
    TokenReading,
)
from dgemma_engine.worker import EngineWorker, Job, Priority

if TYPE_CHECKING:
    from dgemma_engine.config import GenerationConfig, ModelConfig
    from dgemma_engine.engine import Engine
    from dgemma_engine.generate import StepReport
    from dgemma_engine.loading import load
    from dgemma_engine.memory import release_memory
    from dgemma_engine.prefix_cache import PrefixCache
    from dgemma_engine.tokenizer import Tokenizer

__all__ = [
    "CancelToken",
    "Candidate",
    "CheckpointError",
    "ConfigError",
    "DeviceError",
    "Draft",
    "Engine",
    "EngineError",
    "EngineWorker",
    "GenerationConfig",
    "InfillResult",
    "Job",
    "JointCandidate",
    "JointResult",
    "ModelConfig",
    "ModelFilesError",
    "Origin",
    "OutOfMemoryError",
    "Place",
    "PrefixCache",
    "Priority",
    "RequestError",
    "Slot",
    "SlotKind",
    "Span",
    "SpanCheck",
    "StepReport",
    "StopReason",
    "TokenReading",
    "Tokenizer",
    "TokenizerError",
    "load",
    "release_memory",
]

_LAZY = {
    "Engine": "engine",
    "GenerationConfig": "config",
    "ModelConfig": "config",
    "PrefixCache": "prefix_cache",
    "StepReport": "generate",
    "Tokenizer": "tokenizer",
    "load": "loading",
    "release_memory": "memory",
}


def __getattr__(name: str) -> Any:
    """Import what needs torch at its first use."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"dgemma_engine.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return __all__
