"""What suits a checkpoint when filling: an optional ``dgemma_infill.json`` beside its weights."""

import json
from dataclasses import dataclass, fields
from pathlib import Path

from dgemma_engine.errors import ConfigError

SETTINGS_NAME = "dgemma_infill.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class InfillSettings:
    """Sizes in tokens; the defaults are for the released 26B-A4B checkpoint.

    Attributes:
        context_tokens: most tokens that the encoder reads before the canvas.
        canvas_tokens: canvas length for short spans; longer spans get longer canvases.
        left_tokens: clamped tokens before the span in the canvas.
        right_tokens: clamped tokens after the span, at least, where the suffix has as many.
        n_steps: denoising steps per request.
        causal_tokens: tokens of causal continuations to propose beside the denoised spans; 0 for
            none. They help a model that reads better than it denoises.
        clamps_known_at_once: whether clamped tokens are self-conditioned on themselves from the
            first step on (how the embedded model was trained) or from the second.
    """

    context_tokens: int = 8192
    canvas_tokens: int = 64
    left_tokens: int = 16
    right_tokens: int = 16
    n_steps: int = 12
    causal_tokens: int = 0
    clamps_known_at_once: bool = False


def load_infill_settings(folder: Path) -> InfillSettings:
    """Read the settings of a checkpoint folder; the defaults where there is no file.

    Raises:
        ConfigError: the file is not JSON, or has an unknown key or a value of the wrong kind.
    """
    path = folder / SETTINGS_NAME
    if not path.exists():
        return InfillSettings()
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise ConfigError(f"{path}: cannot be read as JSON ({err}); remove or replace it") from err
    kinds = {field.name: field.type for field in fields(InfillSettings)}
    if not isinstance(values, dict) or not set(values) <= set(kinds):
        raise ConfigError(f"{path}: may hold only {', '.join(kinds)}")
    for key, value in values.items():
        is_bool = isinstance(value, bool)
        if is_bool != (kinds[key] is bool) or not isinstance(value, int) or value < 0:
            raise ConfigError(f"{path}: {key} is {json.dumps(value)}, must be like the default")
    return InfillSettings(**values)
