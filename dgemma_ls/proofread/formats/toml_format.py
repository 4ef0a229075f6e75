"""TOML: ``tomllib`` says what is right, a small scanner says where the strings stand."""

import re
import tomllib
from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Any

from dgemma_engine.types import Span
from dgemma_ls.proofread.formats.types import Leaf, Structure, Style

_TOKEN = re.compile(
    r'(?P<long_basic>"""(?:[^\\]|\\.)*?"{3,5}(?!"))'
    r"|(?P<long_literal>'''.*?'{3,5}(?!'))"
    r'|(?P<basic>"(?:[^"\\\r\n]|\\.)*")'
    r"|(?P<literal>'[^'\r\n]*')"
    r"|(?P<comment>\#[^\r\n]*)"
    r"|(?P<newline>\r?\n)"
    r"|(?P<mark>[\[\]{}=,.])"
    r"|(?P<other>[^\s\"'\#\[\]{}=,.]+|[\"'])",
    re.DOTALL,
)
_STYLES = {
    "long_basic": (Style.TOML_LONG_BASIC, 3),
    "long_literal": (Style.TOML_LONG_LITERAL, 3),
    "basic": (Style.TOML_BASIC, 1),
    "literal": (Style.TOML_LITERAL, 1),
}


def read_toml(text: str) -> Structure | None:
    """Read a document; ``None`` too if scanner and parser do not find the same strings."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError):
        return None
    skeleton: list[Hashable] = []
    leaves: list[Leaf] = []
    depth, in_value, key = 0, False, ""
    for match in _TOKEN.finditer(text):
        kind, lexeme = str(match.lastgroup), match[0]
        if kind == "comment":
            continue
        if kind in _STYLES and in_value and not _is_inline_key(text, match.end()):
            style, n_quotes = _STYLES[kind]
            skeleton.append(style)
            leaves.append(
                Leaf(
                    span=Span(start=match.start() + n_quotes, end=match.end() - n_quotes),
                    style=style,
                    value=tomllib.loads(f"x = {lexeme}")["x"],
                    key=key,
                )
            )
            continue
        if kind == "newline":
            in_value = in_value and depth > 0
        elif lexeme == "=":
            in_value = True
        elif in_value and lexeme in "[{":
            depth += 1
        elif in_value and lexeme in "]}":
            depth -= 1
        elif kind != "mark" and not in_value:
            key = lexeme.strip("\"'")
        skeleton.append("newline" if kind == "newline" else lexeme)
    if Counter(leaf.value for leaf in leaves) != Counter(_strings(document)):
        return None
    return Structure(skeleton=tuple(skeleton), leaves=tuple(leaves))


def _is_inline_key(text: str, end: int) -> bool:
    rest = text[end : end + 100].lstrip(" \t")
    return rest.startswith(("=", "."))


def _strings(document: dict[str, Any]) -> Iterator[str]:
    pending: list[Any] = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, str):
            yield value
