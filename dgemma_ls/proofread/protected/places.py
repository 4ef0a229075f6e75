"""Where things are: URLs, e-mail addresses, handles, paths."""

import re
from collections.abc import Iterator

_URL = re.compile(
    r"\b(?:[a-zA-Z][a-zA-Z0-9+.-]{1,20}://|www\.|mailto:|git@|urn:|data:)[^\s<>\"'`]+"
)
_DOMAIN = re.compile(
    r"(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|dev|edu|gov|de|uk|fr|eu|info|ai|app|rs)\b(?:/\S*)?"
)
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]+(?:@| at )[\w-]+(?:(?:\.| dot )[\w-]+)+")
_HANDLE = re.compile(r"(?<![\w.])@[\w./-]+|(?<![\w&])[#!]\d+|\bGH-\d+|\b[A-Z]{2,10}-\d+")
_WINDOWS_PATH = re.compile(r"\b[A-Za-z]:[\\/][^\s\"'<>|]*|\\\\[\w.-]+\\\S+")
_FILE_NAME = re.compile(r"(?<![\w.-])(?:[\w-]+|\*)?(?:\.[\w-]+)+")
_PATH = re.compile(r"(?<![\w.@+*-])(?:~|\.{1,2})?/?[\w.@+*-]*(?:/[\w.@+*-]+)+/?")


def urls(text: str) -> Iterator[tuple[int, int]]:
    """Addresses with a scheme, with ``www.``, and bare domains; not the full stop behind them."""
    for match in _URL.finditer(text):
        yield match.start(), match.start() + len(match[0].rstrip(".,;:!?"))
    for match in _DOMAIN.finditer(text):
        yield match.span()


def emails(text: str) -> Iterator[tuple[int, int]]:
    """E-mail addresses, and those that hide from robots: ``ada at example dot org``."""
    for match in _EMAIL.finditer(text):
        if "@" in match[0] or " dot " in match[0]:
            yield match.span()


def handles(text: str) -> Iterator[tuple[int, int]]:
    """Handles, packages with a scope and numbers of issues: ``@ada``, ``#12``, ``GH-7``."""
    for match in _HANDLE.finditer(text):
        yield match.span()


def paths(text: str) -> Iterator[tuple[int, int]]:
    """Paths of files and names with a dot inside; whatever has a slash inside counts."""
    for pattern in (_WINDOWS_PATH, _PATH, _FILE_NAME):
        for match in pattern.finditer(text):
            yield match.span()
