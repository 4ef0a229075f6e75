"""Reading the JSON files of a checkpoint: what is wrong with one is said with file and key."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dgemma_engine.errors import ConfigError


def read_json(path: Path) -> Mapping[str, Any]:
    """Read a JSON object.

    Args:
        path: the file.

    Raises:
        ConfigError: it is missing, unreadable, or no JSON object.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; a model folder needs config.json beside its weights"
        ) from None
    except OSError as err:
        raise ConfigError(f"{path}: cannot be read ({err.strerror})") from err
    except ValueError as err:
        raise ConfigError(
            f"{path}: not valid JSON ({err}); fetch the file of the original checkpoint again"
        ) from err
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path}: must hold a JSON object, holds {type(values).__name__}")
    return values


class Section:
    """One JSON object being read: typed look-ups whose errors name the file and the key."""

    def __init__(self, path: Path, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        self.path = path
        self.values = values
        self.defaults = defaults
        self.used: set[str] = set()

    def get(self, key: str) -> Any:
        """Give the file's value, else the default."""
        self.used.add(key)
        value = self.values.get(key)
        return self.defaults.get(key) if value is None else value

    def positive_int(self, key: str) -> int:
        """A whole number, 1 or more."""
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self.error(key, value, "must be a positive whole number")
        return value

    def positive_float(self, key: str) -> float:
        """A number above 0."""
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e30:
            raise self.error(key, value, "must be a number above 0")
        return float(value)

    def token_ids(self, key: str) -> tuple[int, ...]:
        """No, one or several token ids."""
        value = self.get(key)
        ids = value if isinstance(value, list) else [] if value is None else [value]
        if any(isinstance(i, bool) or not isinstance(i, int) or i < 0 for i in ids):
            raise self.error(key, value, "must be a token id or a list of token ids")
        return tuple(ids)

    def some_token_ids(self, key: str) -> tuple[int, ...]:
        """One or several token ids."""
        if not (ids := self.token_ids(key)):
            raise self.error(key, self.get(key), "must name at least one token id")
        return ids

    def token_id(self, key: str) -> int:
        """Exactly one token id."""
        ids = self.token_ids(key)
        if len(ids) != 1:
            raise self.error(key, self.get(key), "must be one token id")
        return ids[0]

    def must_be(self, key: str, expected: object) -> None:
        """Refuse a variant of the architecture that we do not compute."""
        value = self.get(key)
        if value != expected:
            raise self.error(key, value, f"must be {json.dumps(expected)}; nothing else is built")

    def refuse_unknown(self, ignored: frozenset[str]) -> None:
        """Refuse keys outside of what was read, unless they are switched off."""
        for key in sorted(set(self.values) - self.used - ignored):
            if self.values[key] is not None and self.values[key] is not False:
                raise ConfigError(
                    f"{self.path}: unknown key {key!r} ({json.dumps(self.values[key])[:80]}) could"
                    " change the result; use a checkpoint of DiffusionGemma, or remove the key"
                )

    def error(self, key: str, value: object, rule: str) -> ConfigError:
        """Make the error of a value that breaks a rule."""
        shown = json.dumps(value, default=str)[:80]
        return ConfigError(
            f"{self.path}: {key} is {shown}, {rule}; use the file of the original checkpoint"
        )
