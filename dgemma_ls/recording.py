"""Records of requests, written only when the user asks, to be repeated byte by byte.

A record holds the text of a document: it is a file of the user's own (mode 0600), never a log.
Knows no documents and no protocol; the two halves are :func:`record` and :func:`read_record`.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dgemma_engine.types import InfillResult, StopReason
from dgemma_ls.files import FileError

FORMAT = 1

_WEIGHTS = "*.safetensors"
_BLOCK_BYTES = 2**20
_INTERRUPTED = (StopReason.DEADLINE.value, StopReason.CANCELLED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """What the engine was asked; with the same weights it gives the same texts.

    Attributes:
        prefix: the whole text before the span.
        suffix: the whole text after it.
        multiline: whether the new text may have several lines.
        lengths: span lengths in tokens; ``None`` left them to the engine.
        n_candidates: how many candidates were asked for.
        seed: of the request's own generator.
        settings: the settings in force, for the reader; only ``model`` is used again.
        model_sha256: :func:`model_hash` of the model.
        context: what other files said.
    """

    prefix: str
    suffix: str
    multiline: bool
    lengths: tuple[int, ...] | None
    n_candidates: int
    seed: int
    settings: Mapping[str, Any]
    model_sha256: str
    context: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A request with what came of it.

    Attributes:
        request: what the engine was asked.
        texts: its candidates, best first.
        stop: why it ended, as :class:`StopReason` names it.
    """

    request: RecordedRequest
    texts: tuple[str, ...]
    stop: str

    @property
    def was_interrupted(self) -> bool:
        """Whether the clock or the user ended it: then a repetition may well give more."""
        return self.stop in _INTERRUPTED


def record(request: RecordedRequest, result: InfillResult, path: Path) -> None:
    """Write one record for its owner alone.

    Args:
        request: what the engine was asked.
        result: what it answered.
        path: the new file, which must not exist; its folder is made if need be.

    Raises:
        FileError: if it cannot be written.
    """
    value = {
        "dgemma_record": FORMAT,
        "request": asdict(request),
        "result": {
            "texts": [candidate.text for candidate in result.candidates],
            "stop": result.stop.value,
            "forwards": result.forwards,
            "milliseconds": result.milliseconds,
        },
    }
    # ASCII escapes keep a lone surrogate, which no encoding would.
    data = (json.dumps(value, indent=1) + "\n").encode("ascii")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError as err:
        raise FileError(f"cannot write the record {path}: {err.strerror}") from err


def record_path(folder: Path, number: int) -> Path:
    """Name the record of a request; no two processes use the same name."""
    return folder / f"{os.getpid()}-{number:06d}.json"


def read_record(path: Path) -> Record:
    """Read a record.

    Raises:
        FileError: if it cannot be read or is none.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as err:
        raise FileError(f"cannot read {path}: {err.strerror}") from err
    except ValueError as err:
        raise FileError(f"{path} is no record: it is no JSON; record the request again") from err
    try:
        return _record(value)
    except (KeyError, TypeError, ValueError) as err:
        raise FileError(f"{path} is no record: {_wrong(err)}; record the request again") from err


def model_hash(folder: Path) -> str:
    """Hash the weights of a model folder: SHA-256 over the hashes of its safetensors files.

    Raises:
        FileError: if one cannot be read, or there is none.
    """
    paths = sorted(folder.glob(_WEIGHTS))
    if not paths:
        raise FileError(f"{folder} holds no safetensors file; point to a model folder")
    together = hashlib.sha256()
    for path in paths:
        together.update(f"{file_hash(path)}  {path.name}\n".encode())
    return together.hexdigest()


def file_hash(path: Path) -> str:
    """Hash a file: SHA-256, in hexadecimal; of a file that did not change, once per process.

    Raises:
        FileError: if it cannot be read.
    """
    try:
        state = path.stat()
        return _file_hash(path, state.st_size, state.st_mtime_ns)
    except OSError as err:
        raise FileError(f"cannot read {path}: {err.strerror}") from err


@lru_cache(maxsize=256)
def _file_hash(path: Path, n_bytes: int, changed_ns: int) -> str:
    digest = hashlib.sha256()
    for block in _blocks(path):
        digest.update(block)
    return digest.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


def _record(value: Any) -> Record:
    if value["dgemma_record"] != FORMAT:
        raise ValueError(f"its format is {value['dgemma_record']!r}, must be {FORMAT}")
    given = dict(value["request"])
    lengths = given.pop("lengths")
    request = RecordedRequest(**given, lengths=None if lengths is None else tuple(lengths))
    for name, kind in (
        ("prefix", str),
        ("suffix", str),
        ("context", str),
        ("multiline", bool),
        ("n_candidates", int),
        ("seed", int),
        ("settings", dict),
        ("model_sha256", str),
    ):
        if not isinstance(getattr(request, name), kind):
            raise ValueError(f"its {name} is no {kind.__name__}")
    result = value["result"]
    return Record(
        request=request,
        texts=tuple(str(text) for text in result["texts"]),
        stop=str(result["stop"]),
    )


def _wrong(err: Exception) -> str:
    return f"it has no {err}" if isinstance(err, KeyError) else str(err)
