"""Rows of data: JSON objects, one a line, gzipped or not. Knows none of their keys."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dgemma_ls.files import FileError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One object, and where it stands, for complaints."""

    path: Path
    number: int
    values: Mapping[str, Any]

    def text(self, key: str) -> str:
        """Give a value that must be a string.

        Raises:
            FileError: it is missing or something else.
        """
        value = self.values.get(key)
        if not isinstance(value, str):
            raise FileError(f'{self.path}:{self.number}: "{key}" must be a string')
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Give a value that must be a list of strings.

        Raises:
            FileError: it is missing or something else.
        """
        value = self.values.get(key)
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise FileError(f'{self.path}:{self.number}: "{key}" must be a list of strings')
        return tuple(value)


def read_rows(path: Path) -> list[Row]:
    """Read a file of rows, gzipped if its name ends so; empty lines do not count.

    Raises:
        FileError: the file is missing, damaged or empty, or a line is no JSON object.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    except FileNotFoundError as err:
        raise FileError(f"{path} does not exist; check the name") from err
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as err:
        raise FileError(f"{path} cannot be read: {err}") from err
    rows = list(_rows(path, text))
    if not rows:
        raise FileError(f"{path} is empty; one JSON object a line is expected")
    return rows


def _rows(path: Path, text: str) -> Iterator[Row]:
    # Not splitlines: strings may hold U+2028, which JSON leaves as it is.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except ValueError as err:
            raise FileError(
                f"{path}:{number} is no JSON ({err}); one object a line is expected"
            ) from err
        if not isinstance(values, dict):
            raise FileError(f"{path}:{number} is no JSON object; one object a line is expected")
        yield Row(path=path, number=number, values=values)
