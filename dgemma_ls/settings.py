"""What a user can set, read once from ``initializationOptions``. Knows no protocol types."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

_SHOWN_CHARS = 60  # of a bad value, in the message about it


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force; their names are the keys of ``initializationOptions``."""

    model: str = "embedded"
    """``embedded``, or the folder of a DiffusionGemma checkpoint."""

    device: str = "auto"
    """``auto``, ``cpu``, ``cuda``, ``cuda:1``, …"""

    n_candidates: int = 3
    """How many alternatives are denoised at once; those that pass the gate are offered."""

    debounce_ms: int = 150
    """How long an automatic request waits for the next key at most, while the engine is busy.

    Within this bound the wait follows the rhythm of typing; while the engine is idle there is none.
    """

    deadline_ms: int = 2000
    """When an automatic request stops with what it has; one asked for by a key may take longer."""

    completion: str = "auto"
    """Whether suggestions are also in the editor's popup: ``on``, ``off``, or ``auto`` for editors
    without ghost text."""


def _text(value: object) -> str | None:
    return None if isinstance(value, str) and value.strip() else "a text that is not empty"


def _integer(low: int, high: int) -> Callable[[object], str | None]:
    def check(value: object) -> str | None:
        # bool is an int to Python, but nobody means 1 by true.
        good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return None if good else f"a whole number from {low} to {high}"

    return check


def _one_of(*words: str) -> Callable[[object], str | None]:
    def check(value: object) -> str | None:
        return None if value in words else f"one of {', '.join(words)}"

    return check


# What Copilot's clients say about themselves; nothing of it is used.
_NOT_OURS = frozenset({"editorInfo", "editorPluginInfo"})

# A check gives what is expected, or None when the value is good.
_CHECKS: Mapping[str, Callable[[object], str | None]] = {
    "model": _text,
    "device": _text,
    "n_candidates": _integer(1, 16),
    "debounce_ms": _integer(0, 10_000),
    "deadline_ms": _integer(1, 600_000),
    "completion": _one_of("auto", "on", "off"),
}


def read_settings(options: object) -> tuple[Settings, tuple[str, ...]]:
    """Read what the editor sent; what cannot be used falls back to the default.

    Args:
        options: ``initializationOptions`` as decoded from JSON; ``None`` when absent.

    Returns:
        The settings, and one sentence for the user about each value that was not used.
    """
    if options is None:
        return Settings(), ()
    if not isinstance(options, Mapping):
        return Settings(), (f"initializationOptions must be an object, not {_show(options)}.",)
    defaults = {field.name: field.default for field in fields(Settings)}
    values: dict[str, Any] = {}
    complaints: list[str] = []
    for key, value in options.items():
        if key in _NOT_OURS:
            continue
        if key not in _CHECKS:
            complaints.append(f"{key}: no such setting; there are {', '.join(_CHECKS)}.")
        elif (expected := _CHECKS[key](value)) is not None:
            complaints.append(
                f"{key} is {_show(value)}, must be {expected}; using {defaults[key]!r}."
            )
        else:
            values[key] = value
    return Settings(**values), tuple(complaints)


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
