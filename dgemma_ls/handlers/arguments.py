"""Arguments of commands: JSON from whoever binds a key → values, or one clear sentence."""

from collections.abc import Mapping
from typing import Any

from lsprotocol import types
from pygls import exceptions as rpc

from dgemma_ls.positions import Position


class Arguments:
    """The one argument of a command, an object.

    Args:
        params: the request.
        known: the keys that the command has.

    Raises:
        JsonRpcInvalidParams: if there is not exactly one argument, or it has another key.
    """

    def __init__(self, params: types.ExecuteCommandParams, known: tuple[str, ...]) -> None:
        self._command = params.command
        given = list(params.arguments or ())
        if len(given) != 1 or not isinstance(given[0], Mapping):
            raise self._bad(f"takes one argument, an object with {', '.join(known)}")
        self._values: Mapping[str, Any] = given[0]
        unknown = [key for key in self._values if key not in known]
        if unknown:
            raise self._bad(f"has no key {unknown[0]}; there are {', '.join(known)}")

    def text(self, key: str, default: str | None = None) -> str:
        """Give a text; one without default must be there."""
        value = self._values.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self._bad(f"{key} must be a text")
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """Give one of several words."""
        value = self.text(key, default)
        if value not in choices:
            raise self._bad(f"{key} is {value!r:.40}, must be one of {', '.join(choices)}")
        return value

    def switch(self, key: str) -> bool:
        """Give true or false, false where it is absent."""
        value = self._values.get(key, False)
        if not isinstance(value, bool):
            raise self._bad(f"{key} must be true or false")
        return value

    def share(self, key: str, default: float) -> float:
        """Give a number above 0 and at most 1."""
        value = self._values.get(key)
        if value is None:
            return default
        if not _is_number(value) or not 0 < value <= 1:
            raise self._bad(f"{key} is {value!r:.40}, must be above 0 and at most 1")
        return float(value)

    def count(self, key: str) -> int | None:
        """Give a whole number from 1, ``None`` where it is absent."""
        value = self._values.get(key)
        if value is None:
            return None
        if not _is_whole(value) or value < 1:
            raise self._bad(f"{key} is {value!r:.40}, must be a whole number from 1")
        return int(value)

    def whole(self, key: str) -> int | None:
        """Give a whole number, ``None`` where it is absent."""
        value = self._values.get(key)
        if value is None:
            return None
        if not _is_whole(value):
            raise self._bad(f"{key} is {value!r:.40}, must be a whole number")
        return int(value)

    def range(self, key: str) -> tuple[Position, Position]:
        """Give the two ends of a range."""
        return self._range(key, self._values.get(key))

    def ranges(self, key: str) -> list[tuple[Position, Position]]:
        """Give the ends of ranges, none where the key is absent."""
        return [self._range(key, each) for each in self._list(key)]

    def positions(self, key: str) -> list[Position]:
        """Give positions, none where the key is absent."""
        return [self._position(key, each) for each in self._list(key)]

    def _list(self, key: str) -> list[Any]:
        value = self._values.get(key)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            raise self._bad(f"{key} must be a list")
        return list(value)

    def _range(self, key: str, value: object) -> tuple[Position, Position]:
        if not isinstance(value, Mapping):
            raise self._bad(f"{key} must be a range with start and end")
        return self._position(key, value.get("start")), self._position(key, value.get("end"))

    def _position(self, key: str, value: object) -> Position:
        if isinstance(value, Mapping):
            line: Any = value.get("line")
            character: Any = value.get("character")
            if _is_place(line) and _is_place(character):
                return Position(line=int(line), character=int(character))
        raise self._bad(f"{key} must have positions with line and character, from 0")

    def _bad(self, what: str) -> rpc.JsonRpcInvalidParams:
        return rpc.JsonRpcInvalidParams(f"{self._command} {what}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


def _is_place(value: Any) -> bool:
    return _is_whole(value) and value >= 0
