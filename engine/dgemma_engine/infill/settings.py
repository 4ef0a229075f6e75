"""What suits a checkpoint when filling: an optional ``dgemma_infill.json`` beside its weights."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from dgemma_engine.errors import ConfigError

SETTINGS_NAME = "dgemma_infill.json"
LAYOUTS = ("auto", "plain", "chat")
LENGTH_SIGNALS = ("both", "margin", "certainty")
CLAMPS_AS = ("token", "own", "nothing")

_CHOICES = {"layout": LAYOUTS, "length_signals": LENGTH_SIGNALS, "clamps_as": CLAMPS_AS}


@dataclass(frozen=True, slots=True, kw_only=True)
class InfillSettings:
    """Sizes in tokens; the defaults are for the released 26B-A4B checkpoint.

    Attributes:
        layout: ``chat`` for a checkpoint that is tuned on conversations, ``plain`` for one that
            continues documents, ``auto`` for whatever the tokenizer has; see ``layout.py``.
        context_tokens: most tokens that the encoder reads before the canvas.
        canvas_tokens: canvas length for short spans; longer spans get longer canvases.
        left_tokens: clamped tokens before the span in the canvas.
        right_tokens: clamped tokens after the span, at least, where the suffix has as many.
        n_steps: denoising steps per request.
        length_draws: random fills per length from which the model tells likely span lengths, where
            there is neither a draft nor a caller to tell; 0 tries all lengths.
        length_signals: which signals it tells them by, see ``lengths.py``.
        refine_radius: how far around the best denoised length to try more lengths, where it is in
            doubt (see ``which_lengths.py``); 0 for none.
        warm_drafts: canvases that start from the best drafts instead of from noise.
        sure_lead: nats by which the best draft must lead the second for the denoiser to be spared;
            0 to ask it always. For a model that reads better than it denoises.
        n_lengths: span lengths to denoise, of all that come into question, at most.
        n_canvases: canvases at once, where there are not more lengths: other noise, other fills.
        causal_tokens: tokens of causal continuations to propose beside the denoised spans where
            nobody tells the length; 0 for none at all. They help a model that reads better than it
            denoises.
        document_weights: how much of the document's own statistics to blend into the encoder's
            predictions, by the number of tokens that agree, from 0 (see ``document.py``); none of
            it where empty.
        clamps_known_at_once: whether clamped tokens are self-conditioned on themselves from the
            first step on (how the embedded model was trained) or from the second.
        clamps_as: what clamped tokens are self-conditioned on after a step: the ``token`` itself,
            the model's ``own`` prediction for their place (for comparisons: its logits are needed
            at every place), or ``nothing``.
        heals: whether the token begun before the gap may be completed; off for comparisons.
        judges: whether the encoder compares candidates; without, each proposer's own word counts.
            Off for comparisons.
    """

    layout: str = "auto"
    context_tokens: int = 8192
    canvas_tokens: int = 64
    left_tokens: int = 16
    right_tokens: int = 16
    n_steps: int = 12
    length_draws: int = 4
    length_signals: str = "both"
    refine_radius: int = 2
    warm_drafts: int = 2
    sure_lead: float = 0.0
    n_lengths: int = 3
    n_canvases: int = 4
    causal_tokens: int = 0
    document_weights: tuple[float, ...] = ()
    clamps_known_at_once: bool = False
    clamps_as: str = "token"
    heals: bool = True
    judges: bool = True


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
    defaults = {field.name: field.default for field in fields(InfillSettings)}
    if not isinstance(values, dict) or not set(values) <= set(defaults):
        raise ConfigError(f"{path}: may hold only {', '.join(defaults)}")
    for key, value in values.items():
        if not _is_like(value, defaults[key]):
            raise ConfigError(f"{path}: {key} is {json.dumps(value)}, must be like the default")
    for key, choices in _CHOICES.items():
        if values.get(key, choices[0]) not in choices:
            raise ConfigError(
                f"{path}: {key} is {json.dumps(values[key])}, must be one of {', '.join(choices)}"
            )
    if "document_weights" in values:
        values["document_weights"] = tuple(values["document_weights"])
    return InfillSettings(**values)


def write_document_weights(folder: Path, weights: Sequence[float]) -> None:
    """Put fitted document weights into the settings of a checkpoint folder.

    Raises:
        ConfigError: as :func:`load_infill_settings`.
    """
    settings = asdict(load_infill_settings(folder)) | {"document_weights": list(weights)}
    text = json.dumps(settings, indent=2) + "\n"
    (folder / SETTINGS_NAME).write_text(text, encoding="utf-8", newline="\n")


def _is_like(value: object, default: object) -> bool:
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, tuple):  # shares of 1
        return isinstance(value, list) and all(
            isinstance(x, int | float) and not isinstance(x, bool) and 0 <= x < 1 for x in value
        )
    if isinstance(default, float):
        return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    if isinstance(default, str):
        return isinstance(value, str)
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
