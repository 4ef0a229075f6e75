"""Records of requests, written only when the user asks, to be repeated byte by byte.

A record holds the text of a document: it is a file of the user's own (mode 0600), never a log.
Knows no documents and no protocol; the two halves are :func:`record` and :func:`read_record`.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dgemma_engine.types import InfillResult, JointResult, Slot, SlotKind, Span, StopReason
from dgemma_ls.files import FileError

FORMAT = 2

ARGUMENTS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "infill": {
        "prefix": str,
        "suffix": str,
        "context": str,
        "lengths": (tuple, type(None)),
        "multiline": bool,
        "n_candidates": int,
        "steps": int,
        "seed": int,
        "earlier": tuple,
        "slot": (Slot, type(None)),
    },
    "rewrite": {
        "prefix": str,
        "text": str,
        "suffix": str,
        "context": str,
        "instruction": str,
        "strength": (int, float),
        "max_changed": (int, type(None)),
        "n_candidates": int,
        "steps": int,
        "seed": int,
    },
    "infill_jointly": {
        "text": str,
        "spans": tuple,
        "context": str,
        "multiline": bool,
        "n_candidates": int,
        "steps": int,
        "seed": int,
    },
}
"""What is recorded: methods of the engine, and their arguments that are values."""

Texts = str | tuple[str, ...]
"""A candidate: the text for a gap, or the texts for several."""

_INTERRUPTED = (StopReason.DEADLINE.value, StopReason.CANCELLED.value)
_NEEDED = ("prefix", "text", "suffix", "spans")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """What the engine was asked; with the same weights it gives the same texts.

    Attributes:
        task: a method of the engine, one of :data:`ARGUMENTS`.
        arguments: by name, as they were given; the engine's defaults are left out.
        verdicts: what the asker said, by the text that it was asked about: the spans of it that
            may not stand there. Of texts for several gaps: none, or all of the first text.
        settings: the settings in force, for the reader; only ``model`` is used again.
        model_sha256: :func:`dgemma_ls.hashes.model_hash` of the model.
    """

    task: str
    arguments: Mapping[str, Any]
    verdicts: Mapping[Texts, tuple[Span, ...]]
    settings: Mapping[str, Any]
    model_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A request with what came of it.

    Attributes:
        request: what the engine was asked.
        texts: its candidates, best first.
        stop: why it ended, as :class:`StopReason` names it.
    """

    request: RecordedRequest
    texts: tuple[Texts, ...]
    stop: str

    @property
    def was_interrupted(self) -> bool:
        """Whether the clock or the user ended it: then a repetition may well give more."""
        return self.stop in _INTERRUPTED


def texts_of(result: InfillResult | JointResult) -> tuple[Texts, ...]:
    """Give the candidates' texts, best first."""
    if isinstance(result, JointResult):
        return tuple(candidate.texts for candidate in result.candidates)
    return tuple(candidate.text for candidate in result.candidates)


def record(request: RecordedRequest, result: InfillResult | JointResult, path: Path) -> None:
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
        "request": {
            "task": request.task,
            "arguments": {name: _to_json(it) for name, it in request.arguments.items()},
            "verdicts": [[_to_json(of), _to_json(bad)] for of, bad in request.verdicts.items()],
            "settings": dict(request.settings),
            "model_sha256": request.model_sha256,
        },
        "result": {
            "texts": _to_json(texts_of(result)),
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


def _record(value: Any) -> Record:
    if value["dgemma_record"] != FORMAT:
        raise ValueError(f"its format is {value['dgemma_record']!r}, must be {FORMAT}")
    given = value["request"]
    task = given["task"]
    if task not in ARGUMENTS:
        raise ValueError(f"its task is {task!r}, must be one of {', '.join(ARGUMENTS)}")
    request = RecordedRequest(
        task=task,
        arguments=_arguments(task, given["arguments"]),
        verdicts={_texts(of): tuple(_span(each) for each in bad) for of, bad in given["verdicts"]},
        settings=_of_kind("settings", given["settings"], dict),
        model_sha256=_of_kind("model_sha256", given["model_sha256"], str),
    )
    result = value["result"]
    return Record(
        request=request,
        texts=tuple(_texts(each) for each in result["texts"]),
        stop=str(result["stop"]),
    )


def _arguments(task: str, given: Mapping[str, Any]) -> dict[str, Any]:
    known = ARGUMENTS[task]
    arguments = {}
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"{task} has no {name}")
        if isinstance(value, list):
            value = tuple(_span(each) for each in value) if name == "spans" else tuple(value)
        elif name == "slot" and isinstance(value, dict):
            value = Slot(kind=SlotKind(value["kind"]), quote=value["quote"], extra=value["extra"])
        arguments[name] = _of_kind(name, value, known[name])
    for name in _NEEDED:
        if name in known and name not in arguments:
            raise KeyError(name)
    return arguments


def _of_kind(name: str, value: Any, kind: type | tuple[type, ...]) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        first = kind[0] if isinstance(kind, tuple) else kind
        raise ValueError(f"its {name} is no {first.__name__}")
    return value


def _texts(value: Any) -> Texts:
    return tuple(str(each) for each in value) if isinstance(value, list) else str(value)


def _span(value: Any) -> Span:
    start, end = value
    return Span(start=int(start), end=int(end))


def _to_json(value: Any) -> Any:
    if isinstance(value, Span):
        return [value.start, value.end]
    if isinstance(value, Slot):
        return {"kind": value.kind.value, "quote": value.quote, "extra": value.extra}
    if isinstance(value, list | tuple):
        return [_to_json(each) for each in value]
    return value


def _wrong(err: Exception) -> str:
    return f"it has no {err}" if isinstance(err, KeyError) else str(err)
