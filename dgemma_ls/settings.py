"""What a user can set: one table for ``initializationOptions`` and ``dgemma.*`` configuration.

A new setting is one field of :class:`Settings` with its docstring. ``python -m dgemma_ls.settings``
prints ``docs/settings.md``. Knows no protocol types.
"""

import ast
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

_SHOWN_CHARS = 60  # of a bad value, in the message about it

# A check gives what is expected, or None when the value is good.
_Check = tuple[str, Callable[[object], bool]]


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _whole(low: int, high: int) -> _Check:
    def good(value: object) -> bool:
        # bool is an int to Python, but nobody means 1 by true.
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return f"a whole number from {low} to {high}", good


def _one_of(*words: str) -> _Check:
    return f"one of {', '.join(words)}", lambda value: value in words


# What Copilot's clients say about themselves; nothing of it is used.
_NOT_OURS = frozenset({"editorInfo", "editorPluginInfo"})

_TEXT: _Check = ("a text that is not empty", _text)
_PATH: _Check = ("a path, or an empty text for none", lambda value: isinstance(value, str))
_SWITCH: _Check = ("true or false", lambda value: isinstance(value, bool))


def _option(default: Any, check: _Check, *, machine: bool = False) -> Any:
    """Declare a setting; one of the machine is never taken from a workspace nobody vouches for."""
    return field(default=default, metadata={"check": check, "machine": machine})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force; their names are the keys of ``initializationOptions``."""

    model: str = _option("embedded", _TEXT, machine=True)
    """``embedded``, or the folder of a DiffusionGemma checkpoint."""

    device: str = _option("auto", _TEXT, machine=True)
    """``auto``, ``cpu``, ``cuda``, ``cuda:1``, …"""

    n_candidates: int = _option(3, _whole(1, 16))
    """How many alternatives are denoised at once; those that pass the gate are offered."""

    debounce_ms: int = _option(150, _whole(0, 10_000))
    """How long an automatic request waits for the next key at most, while the engine is busy.
    Within this bound the wait follows the rhythm of typing; while the engine is idle there is
    none."""

    deadline_ms: int = _option(2000, _whole(1, 600_000))
    """When an automatic request stops with what it has; one asked for by a key may take longer."""

    completion: str = _option("auto", _one_of("auto", "on", "off"))
    """Whether suggestions are also in the editor's popup: ``on``, ``off``, or ``auto`` for editors
    without ghost text. An editor that takes no registrations has to hear of the popup at the
    start."""

    context: str = _option("auto", _one_of("auto", "on", "off"))
    """Whether the model reads what other files of the workspace say: outlines of imported files,
    places visited lately, recent edits. They have an eighth of what it reads; ``auto`` leaves that
    to the document where the model reads less than 2,048 tokens, as the embedded one does."""

    unload_after_s: int = _option(0, _whole(0, 7 * 86_400), machine=True)
    """After how many seconds without a request the model leaves the memory, until the next one.
    0 keeps it: right for the embedded one, which is small."""

    typos: str = _option("on", _one_of("on", "off"))
    """Whether typos in prose, comments and docstrings are shown; the command ``dgemma.fixDocument``
    works either way."""

    typo_tier: str = _option("suggest", _one_of("safe", "suggest"))
    """Which typos are shown: ``safe`` for those that could be mended without asking, ``suggest``
    for all."""

    next_edits: str = _option("renames", _one_of("off", "renames", "all"))
    """What is offered as the next edit, to editors that ask for it: ``renames`` for places where a
    rename that was begun goes on, ``all`` for names nearby as well that the model would not
    expect."""

    surprise: str = _option("off", _one_of("on", "off"))
    """Whether hints mark the names and operators of a program that the model would expect least
    where they stand, twenty at most."""

    trusted: bool = _option(True, _SWITCH, machine=True)
    """Whether the workspace is trusted. Where the editor says it is not, the settings of the
    machine keep their defaults."""

    record_dir: str = _option("", _PATH, machine=True)
    """A folder for records of requests, to be repeated by ``dgemma-ls replay``. They hold the text
    of the documents; empty records nothing."""

    statistics_file: str = _option("", _PATH, machine=True)
    """A file to count in what was shown, accepted and kept. It holds numbers only and stays on this
    machine; empty counts nothing."""


def read_settings(options: object) -> tuple[Settings, tuple[str, ...]]:
    """Read what the editor sent at its start; what cannot be used falls back to the default.

    Args:
        options: ``initializationOptions`` as decoded from JSON; ``None`` when absent.

    Returns:
        The settings, and one sentence for the user about each value that was not used.
    """
    if options is None:
        return Settings(), ()
    if not isinstance(options, Mapping):
        return Settings(), (f"initializationOptions must be an object, not {_show(options)}.",)
    # Only a plain "true" vouches: whatever else stands there was meant to say something else.
    trusted = options.get("trusted", True) is True
    ours = {key: value for key, value in options.items() if key not in _NOT_OURS}
    settings, complaints = _read(ours, Settings(), machine=trusted)
    return replace(settings, trusted=trusted), complaints


def update_settings(settings: Settings, section: object) -> tuple[Settings, tuple[str, ...]]:
    """Read the ``dgemma`` section of the editor's configuration on top of the settings in force.

    A workspace's own files can be part of it, and nothing tells which: settings of the machine
    are never taken from it, whether the workspace is trusted or not.

    Args:
        settings: those in force; what cannot be used keeps its value.
        section: the answer to ``workspace/configuration``; ``null``, as a whole or as a value,
            means not set.

    Returns:
        The new settings, and one sentence for the user about each value that was not used.
    """
    if section is None:
        return settings, ()
    if not isinstance(section, Mapping):
        return settings, (f"The configuration dgemma must be an object, not {_show(section)}.",)
    given = {key: value for key, value in section.items() if value is not None}
    return _read(given, settings, machine=False)


def settings_page() -> str:
    """Give the text of ``docs/settings.md``."""
    rows = [
        f"| `{option.name}` | `{json.dumps(option.default)}` | {_expected(option.name)} | "
        f"{'the editor itself' if option.metadata['machine'] else 'anywhere'} | "
        f"{_field_docs()[option.name]} |"
        for option in fields(Settings)
    ]
    return "\n".join((_PAGE_HEAD, *rows, ""))


_PAGE_HEAD = """\
# Settings

Made by `python -m dgemma_ls.settings > docs/settings.md`; do not edit.

An editor sends settings in two ways: as `initializationOptions` when it starts the server, and as
the section `dgemma` of its configuration (`dgemma.n_candidates` and so on), which may change later.
A value that cannot be used is named in a message, and the setting keeps what it was.

A setting that can be set by *the editor itself* is taken from `initializationOptions` only, and
only if these do not say `"trusted": false`: a workspace's files shall not choose what is loaded or
written.

| setting | default | value | set by | meaning |
|---|---|---|---|---|"""


def _read(
    given: Mapping[Any, object], base: Settings, *, machine: bool
) -> tuple[Settings, tuple[str, ...]]:
    options = {option.name: option for option in fields(Settings)}
    values: dict[str, Any] = {}
    complaints: list[str] = []
    for key, value in given.items():
        if key not in options:
            complaints.append(f"{_name(key)}: no such setting; there are {', '.join(options)}.")
            continue
        expected, good = options[key].metadata["check"]
        in_force = getattr(base, key)
        if not good(value):
            complaints.append(f"{key} is {_show(value)}, must be {expected}; using {in_force!r}.")
        elif options[key].metadata["machine"] and not machine:
            if value != in_force and key != "trusted":
                complaints.append(
                    f"{key} is not taken from a workspace; set it in the editor's own "
                    f"initializationOptions. Using {in_force!r}."
                )
        else:
            values[key] = value
    return replace(base, **values), tuple(complaints)


def _expected(name: str) -> str:
    (option,) = (option for option in fields(Settings) if option.name == name)
    return str(option.metadata["check"][0])


def _field_docs() -> dict[str, str]:
    """Read the docstrings below the fields, which Python itself throws away."""
    (definition,) = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(definition, ast.ClassDef)
    docs: dict[str, str] = {}
    for item, after in zip(definition.body, definition.body[1:], strict=False):
        if (
            isinstance(item, ast.AnnAssign)
            and isinstance(item.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            docs[item.target.id] = " ".join(str(after.value.value).split()).replace("``", "`")
    return docs


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"


def _name(key: object) -> str:
    text = str(key)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"


if __name__ == "__main__":
    sys.stdout.write(settings_page())
