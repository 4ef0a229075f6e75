"""Why a file is left alone: values for the status line, the log and tests."""

import enum
from dataclasses import dataclass


class ReasonKind(enum.Enum):
    """What stands against a file; the values are stable words for status and counters."""

    SCHEME = "scheme"
    """Its URI is no document that somebody writes: an output panel, a version of git's."""
    TOO_LARGE = "too_large"
    """It is larger than the limit."""
    BINARY = "binary"
    """It holds a NUL."""
    LONG_LINES = "long_lines"
    """It is minified, or data on a few very long lines."""
    SECRET = "secret"  # noqa: S105 - a word for a reason, no password
    """Its name, or that of a folder around it, says that it holds secrets."""
    IGNORED = "ignored"
    """An ignore file names it."""
    BROKEN_IGNORE_FILE = "broken_ignore_file"
    """An ignore file above it cannot be used, so everything beneath counts as ignored."""
    OUTSIDE_WORKSPACE = "outside_workspace"
    """It lies outside the workspace folders, once symbolic links are followed."""
    UNREADABLE = "unreadable"
    """It cannot be read, or is not UTF-8 text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a file is left alone. A value, not an exception.

    Attributes:
        kind: for counters and logs; the sentence names files and stays out of logs.
        sentence: for the user: what, where and the way out.
    """

    kind: ReasonKind
    sentence: str
