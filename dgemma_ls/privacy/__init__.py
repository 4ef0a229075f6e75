"""Which documents may be worked on, and which files may be read for context.

There are three questions, each stricter than the one before:

1. :func:`why_inactive`: may an *open* document be completed? The user opened it, so
   ``.gitignore`` and ``.ignore`` do not matter, nor where it lies. Secrets, what
   ``.dgemmaignore`` names, and what is no text or no document are left alone.
2. :func:`why_not_shared`: may its text serve as context for *another* document? Only if it lies in
   a workspace folder and no ignore file excludes it.
3. :func:`read_shared`: the text of a file that is *not* open. As 2, and never through a link out
   of the workspace.

What a reason says is for the user; logs get its kind only.
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from dgemma_ls.privacy.ignore import IGNORE_NAMES, OWN_IGNORE_NAME, IgnoreFiles
from dgemma_ls.privacy.limits import MAX_DOCUMENT_CHARS, why_unfit
from dgemma_ls.privacy.places import (
    FILE_SCHEMES,
    NOTEBOOK_SCHEMES,
    UNSAVED_SCHEMES,
    Place,
    path_of,
    place_of,
    scheme_of,
)
from dgemma_ls.privacy.reasons import Reason, ReasonKind
from dgemma_ls.privacy.secrets import SECRET_PATTERNS, is_secret

__all__ = [
    "IGNORE_NAMES",
    "MAX_CONTEXT_BYTES",
    "MAX_DOCUMENT_CHARS",
    "SECRET_PATTERNS",
    "IgnoreFiles",
    "Place",
    "Reason",
    "ReasonKind",
    "find_place",
    "path_of",
    "read_shared",
    "why_inactive",
    "why_not_shared",
]

MAX_CONTEXT_BYTES = 1_000_000
"""Of a file read for context: larger ones are data or generated."""


def why_inactive(
    uri: str, text: str, *, workspace_folders: Sequence[Path], ignore: IgnoreFiles
) -> Reason | None:
    """Say why an open document gets no suggestions, or ``None`` if it does.

    Args:
        uri: the document's URI, or a path.
        text: its whole text.
        workspace_folders: absolute paths; may be empty.
        ignore: remembers the ignore files.
    """
    if scheme_of(uri) not in FILE_SCHEMES | NOTEBOOK_SCHEMES | UNSAVED_SCHEMES:
        return Reason(
            kind=ReasonKind.SCHEME,
            sentence=f"A buffer of the kind {scheme_of(uri)!r} is no document to write in.",
        )
    if (reason := why_unfit(_shown_name(uri), text)) is not None:
        return reason
    place = _place(uri, workspace_folders)
    if place is None or isinstance(place, Reason):
        return place
    return _why_secret(place) or _why_ignored(place, ignore, (OWN_IGNORE_NAME,))


def why_not_shared(
    uri: str, text: str, *, workspace_folders: Sequence[Path], ignore: IgnoreFiles
) -> Reason | None:
    """Say why an open document's text is no context for other documents, or ``None`` if it is.

    Unsaved documents lie in no workspace folder, so they are none.

    Args:
        uri: the document's URI, or a path.
        text: its text, or the part to be used.
        workspace_folders: absolute paths; may be empty.
        ignore: remembers the ignore files.
    """
    reason = why_inactive(uri, text, workspace_folders=workspace_folders, ignore=ignore)
    if reason is not None:
        return reason
    place = _place(uri, workspace_folders)
    if place is None:
        return _outside(_shown_name(uri))
    return place if isinstance(place, Reason) else _why_not_readable(place, ignore)


def read_shared(
    path: Path, *, workspace_folders: Sequence[Path], ignore: IgnoreFiles
) -> str | Reason:
    """Read a file of the workspace for context, or say why not.

    Args:
        path: absolute; links are followed before anything is read.
        workspace_folders: absolute paths; with none, nothing is read.
        ignore: remembers the ignore files.
    """
    try:
        place = place_of(path, workspace_folders)
        if (reason := _why_not_readable(place, ignore)) is not None:
            return reason
        data = _read_bytes(place.paths[0])
        if len(data) > MAX_CONTEXT_BYTES:
            return Reason(
                kind=ReasonKind.TOO_LARGE,
                sentence=f"{path.name} has more than {MAX_CONTEXT_BYTES:,} bytes.",
            )
        text = data.decode("utf-8-sig")
    except OSError as err:
        return _unreadable(path.name, err.strerror or str(err))
    except UnicodeDecodeError:
        return _unreadable(path.name, "not UTF-8")
    except ValueError:
        return _unreadable(path.name, "not a path")
    return why_unfit(path.name, text) or text


def find_place(uri: str, workspace_folders: Sequence[Path]) -> Place | None:
    """Find where a document lies; ``None`` if it has no path, or one that can be none."""
    place = _place(uri, workspace_folders)
    return None if isinstance(place, Reason) else place


def _place(uri: str, workspace_folders: Sequence[Path]) -> Place | Reason | None:
    """Find a document's place; ``None`` if it has no path."""
    try:
        path = path_of(uri)
        return None if path is None else place_of(path, workspace_folders)
    except (OSError, ValueError) as err:  # a NUL, half a surrogate, a malformed host
        return _unreadable(_shown_name(uri), type(err).__name__)


def _why_not_readable(place: Place, ignore: IgnoreFiles) -> Reason | None:
    if place.folder is None:
        return _outside(place.paths[0].name)
    if any(".git" in path.parts for path in place.paths):  # messages, and tokens in its config
        return Reason(
            kind=ReasonKind.IGNORED,
            sentence=f"{place.paths[0]} belongs to git, not to the project.",
        )
    return _why_secret(place) or _why_ignored(place, ignore, IGNORE_NAMES)


def _why_secret(place: Place) -> Reason | None:
    for path in place.paths:
        if is_secret(path):
            return Reason(
                kind=ReasonKind.SECRET,
                sentence=f"{path} looks like a file of secrets by its name, so it is not read.",
            )
    return None


def _why_ignored(place: Place, ignore: IgnoreFiles, names: Sequence[str]) -> Reason | None:
    folder = place.folder
    if folder is None:
        return None
    inside = (path for path in place.paths if path != folder and path.is_relative_to(folder))
    reasons = (ignore.why_ignored(path, folder, names=names) for path in inside)
    return next((reason for reason in reasons if reason is not None), None)


def _read_bytes(path: Path) -> bytes:
    """Read one byte more than allowed at most; the path has no links, and none is followed now."""
    no_links = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # no waiting for a FIFO
    with open(os.open(path, os.O_RDONLY | no_links | getattr(os, "O_BINARY", 0)), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(None, "no regular file")
        return file.read(MAX_CONTEXT_BYTES + 1)


def _outside(name: str) -> Reason:
    return Reason(
        kind=ReasonKind.OUTSIDE_WORKSPACE,
        sentence=f"{name} lies outside the workspace folders, so it is no context for others.",
    )


def _unreadable(name: str, why: str) -> Reason:
    return Reason(kind=ReasonKind.UNREADABLE, sentence=f"{name} cannot be read: {why}.")


def _shown_name(uri: str) -> str:
    path = uri.partition("#")[0].replace("\\", "/")
    return PurePosixPath(unquote(path)).name or "The document"
