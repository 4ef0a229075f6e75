"""A file that grows with a long run, so that a run cut short can go on.

Its first line holds the settings, which must be the same when the run goes on; every other line one
finished row. A last line without its end was being written when the run stopped; it is dropped.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dgemma_ls.files import FileError


class Journal:
    """An open journal; also a context manager that closes it."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        """Open the file, or begin one.

        Raises:
            FileError: it cannot be read or written, is no journal, or was begun with other
                settings.
        """
        self._path = path
        self.rows: list[Mapping[str, Any]] = []
        """What earlier runs have finished."""
        try:
            text = path.read_bytes().decode("utf-8") if path.exists() else ""
            whole = text[: text.rfind("\n") + 1]
            if whole:
                self.rows = self._read(whole, settings)
            self._file = path.open("a", encoding="utf-8", newline="\n")
            os.truncate(path, len(whole.encode()))
        except (OSError, UnicodeDecodeError) as err:
            raise FileError(f"{path} cannot be continued: {err}") from err
        if not whole:
            self.write({"settings": dict(settings)})

    def write(self, row: Mapping[str, Any]) -> None:
        """Add a row, at once.

        Raises:
            FileError: the disk is full, or the like.
        """
        try:
            self._file.write(json.dumps(row, ensure_ascii=True) + "\n")
            self._file.flush()
        except OSError as err:
            raise FileError(f"{self._path} cannot be written: {err.strerror or err}") from err

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _read(self, text: str, settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        try:
            head, *rows = [json.loads(line) for line in text.split("\n")[:-1]]
            begun_with = dict(head["settings"])
            if not all(isinstance(row, dict) for row in rows):
                raise TypeError("a line is no object")
        except (ValueError, KeyError, TypeError) as err:
            raise FileError(
                f"{self._path} is no journal of a run ({err}); name a new file to begin one"
            ) from err
        for key in dict.fromkeys([*settings, *begun_with]):
            if settings.get(key) != begun_with.get(key):
                raise FileError(
                    f"{self._path} was begun with {key} {begun_with.get(key)!r}, not"
                    f" {settings.get(key)!r}; go on with the same, or name a new file"
                )
        return rows
