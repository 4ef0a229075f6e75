"""Where a document lies: URI → path, symbolic links, workspace folders. Reads no content."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # two characters: "C:" is a drive

# What somebody writes in. An editor's other buffers (output:, git:, vscode-scm:, fugitive:, term:,
# oil:, …) are lists, old versions and logs; there will be more of them, so the good ones are named.
FILE_SCHEMES = frozenset({"file"})
NOTEBOOK_SCHEMES = frozenset({"vscode-notebook-cell", "vscode-notebook"})
UNSAVED_SCHEMES = frozenset({"untitled", "buffer", "inmemory", "vscode-vfs", "vscode-userdata"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file's place in the workspace.

    Attributes:
        paths: the file with all symbolic links followed, and, if the last part of its name is a
            link, that name in its folder: a link does not make a secret of another name harmless.
        folder: the outermost workspace folder that holds the followed path; ``None`` outside.
    """

    paths: tuple[Path, ...]
    folder: Path | None


def scheme_of(uri: str) -> str:
    """Give the URI's scheme in lower case; ``file`` for a plain path of the command line."""
    match = _SCHEME.match(uri)
    return "file" if match is None else match[1].lower()


def path_of(uri: str) -> Path | None:
    """Give the path of a file, or of a notebook by one of its cells; ``None`` for other documents.

    Raises:
        ValueError: if the URI is malformed.
    """
    if scheme_of(uri) not in FILE_SCHEMES | NOTEBOOK_SCHEMES:
        return None
    if _SCHEME.match(uri) is None:
        return Path(uri)
    parts = urlsplit(uri)
    path = unquote(parts.path)
    if os.name == "nt":  # file:///c%3A/x
        path = re.sub(r"^/(?=[A-Za-z]:)", "", path)
    host = parts.netloc if scheme_of(uri) in FILE_SCHEMES else ""
    return Path(f"//{host}{path}") if host and host != "localhost" else Path(path)


def place_of(path: Path, workspace_folders: Sequence[Path]) -> Place:
    """Follow the links of a path and find its workspace folder. The file need not exist.

    Raises:
        OSError: if the file system refuses.
        ValueError: if this can be no path (a NUL in it).
    """
    followed = Path(os.path.realpath(path))
    named = Path(os.path.realpath(path.parent)) / path.name
    roots = [Path(os.path.realpath(folder)) for folder in workspace_folders]
    around = [root for root in roots if followed.is_relative_to(root)]
    return Place(
        paths=tuple(dict.fromkeys((followed, named))),
        # Of nested folders the outermost, whose ignore files bind the inner one as well.
        folder=min(around, key=lambda root: len(root.parts), default=None),
    )
