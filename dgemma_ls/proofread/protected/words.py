"""Words that are no words of a language: identifiers, numbers, versions, flags, initials."""

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"\S+")
_GLUED = re.compile(
    r"</?(?:a|abbr|b|br|cite|code|del|dfn|div|em|font|h[1-6]|i|img|ins|kbd|li|mark|ol|p|pre|q|samp"
    r"|small|span|strong|sub|sup|td|th|tr|tt|u|ul|var)(?:\s[^<>]*)?/?>"
    r"|\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)?|\]\[[^\]\n]*\]|&\w+;"
)
_EDGES = "\"'`()[]{}<>*_,.;:!?…“”‘’«»"
# A character that no word of English holds, and a call.
_CODE = re.compile(r"[_\\@#=$<>|^~\[\]{}]|::|->|\(\)|\w\(|\w\.\w|\w:\w")
_CAMEL = re.compile(r"[a-z0-9][A-Z]|[A-Z]{2,}[a-z]{2,}|^[A-Z][a-z]*[A-Z]")
_PLURAL_CAPS = re.compile(r"[A-Z]{2,}(?:s|'s|’s|ed|ing)?")
_SHOUTED = re.compile(r"\b[A-Z][A-Z0-9&/+-]+(?:s|'s|’s)?\b|\b[A-Z]\b(?<![AI])")
_NUMBER = re.compile(
    r"\b0[xXbBoO][0-9a-fA-F_]+|(?<![\w.])[-+~]?\d[\d.,:_/eE+-]*(?:\s?(?:%|°[CF]?|[kKMGTµmn]?"
    r"(?:i?B|b|bit|s|sec|ms|min|h|Hz|m|g|W|V|A|px|em|pt|x|st|nd|rd|th))\b)?|\b\w*\d\w*\b"
)
_HEX = re.compile(
    r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
)
_VERSION = re.compile(r"\bv?\d+(?:\.(?:\d+|x|\*))+(?:[-+.]?[0-9A-Za-z]+)*\b")
_FLAG = re.compile(r"(?<![\w-])-{1,2}[A-Za-z][\w-]*(?:=\S+)?")
_WORD = re.compile(r"[^\W\d_]+")


def identifiers(text: str) -> Iterator[tuple[int, int]]:
    """Names of code: snake_case, camelCase, ``a.b``, ``a::b``, ``f()``, ``x=1``, ``<T>``."""
    # What is glued to a tag or a link's target is no identifier for that.
    text = _GLUED.sub(lambda glued: " " * len(glued[0]), text)
    for match in _TOKEN.finditer(text):
        token = match[0]
        left = len(token) - len(token.lstrip(_EDGES))
        core = token.strip(_EDGES)
        underscored = token.startswith("__") or core != token.strip(_EDGES.replace("_", ""))
        called = token.rstrip(".,;:!?").endswith("()")
        if called or underscored or _CODE.search(core):
            yield match.start(), match.start() + len(token.rstrip(".,;:!?"))
        elif _CAMEL.search(core) and not _PLURAL_CAPS.fullmatch(core):
            yield match.start() + left, match.start() + left + len(core)


def shouted_words(text: str) -> Iterator[tuple[int, int]]:
    """Words in capitals and single capital letters: initials, constants, keywords."""
    for match in _SHOUTED.finditer(text):
        yield match.span()


def numbers(text: str) -> Iterator[tuple[int, int]]:
    """Numbers with their units, words with a digit, hexadecimal strings, UUIDs."""
    for pattern in (_NUMBER, _HEX):
        for match in pattern.finditer(text):
            yield match.start(), match.start() + len(match[0].rstrip(".,:/-"))


def versions(text: str) -> Iterator[tuple[int, int]]:
    """Versions: ``v1.2.3``, ``2.0rc1``, ``3.x``."""
    for match in _VERSION.finditer(text):
        yield match.span()


def flags(text: str) -> Iterator[tuple[int, int]]:
    """Options of a command line: ``-v``, ``--long-name=value``."""
    for match in _FLAG.finditer(text):
        yield match.span()


def foreign_scripts(text: str) -> Iterator[tuple[int, int]]:
    """Words with a letter that English does not use: names and foreign words."""
    for match in _WORD.finditer(text):
        if not match[0].isascii():
            yield match.span()
