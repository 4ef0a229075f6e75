"""Which files a command looks at: those named, and in folders what git would not ignore."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

from dgemma_ls.files import FileError

_SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv"})
_IGNORE_NAMES = (".gitignore", ".ignore")


def files_below(paths: Sequence[str | Path]) -> list[Path]:
    """Give the files that paths name, in order, each once.

    A file that is named is taken; files in a folder are left out if an ignore file in it, or
    between it and them, says so, or if their name begins with a dot.

    Raises:
        FileError: a path does not exist.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            found.update(dict.fromkeys(_in_folder(path, [])))
        elif path.exists():
            found[path] = None
        else:
            raise FileError(f"{path} does not exist; check the name")
    return list(found)


def _in_folder(folder: Path, above: list[tuple[Path, GitIgnoreSpec]]) -> Iterator[Path]:
    specs = [*above, *_specs(folder)]
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except PermissionError as err:
        raise FileError(f"{folder} cannot be read: {err.strerror}") from err
    for entry in entries:
        path = folder / entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if (
            entry.name.startswith(".")
            or entry.name in _SKIPPED
            or _is_ignored(path, is_folder, specs)
        ):
            continue
        if is_folder:
            yield from _in_folder(path, specs)
        elif entry.is_file(follow_symlinks=False):
            yield path


def _specs(folder: Path) -> Iterator[tuple[Path, GitIgnoreSpec]]:
    for name in _IGNORE_NAMES:
        path = folder / name
        if path.is_file():
            lines = path.read_text("utf-8", errors="replace").splitlines()
            yield folder, GitIgnoreSpec.from_lines(lines)


def _is_ignored(path: Path, is_folder: bool, specs: Sequence[tuple[Path, GitIgnoreSpec]]) -> bool:
    """The nearest ignore file that has something to say decides."""
    for root, spec in reversed(specs):
        name = path.relative_to(root).as_posix() + ("/" if is_folder else "")
        verdict = spec.check_file(name).include
        if verdict is not None:
            return bool(verdict)
    return False
