"""JSON, and JSON with comments and trailing commas."""

import json
import re
from collections.abc import Hashable

from dgemma_engine.types import Span
from dgemma_ls.proofread.formats.types import Leaf, Structure, Style

_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*")|(?P<comment>//[^\r\n]*|/\*.*?\*/)'
    r'|(?P<mark>[{}\[\],:])|(?P<other>[^\s{}\[\],:"/]+|["/])',
    re.DOTALL,
)


def read_json(text: str) -> Structure | None:
    """Read a document with ``json``; what that refuses, without comments and trailing commas."""
    tokens = [(str(match.lastgroup), match.start(), match.end()) for match in _TOKEN.finditer(text)]
    strict = _accepts(text)
    if not strict and not _accepts(_without_extras(text, tokens)):
        return None
    return _structure(text, [lexeme for lexeme in tokens if lexeme[0] != "comment"], strict=strict)


def _structure(text: str, tokens: list[tuple[str, int, int]], *, strict: bool) -> Structure:
    skeleton: list[Hashable] = ["json" if strict else "jsonc"]
    leaves: list[Leaf] = []
    key = ""
    around: list[str] = []
    for index, (kind, start, end) in enumerate(tokens):
        lexeme = text[start:end]
        is_key = index + 1 < len(tokens) and text[tokens[index + 1][1]] == ":"
        if kind == "string" and not is_key:
            skeleton.append(Style.JSON)
            value = json.loads(lexeme)
            leaves.append(
                Leaf(
                    span=Span(start=start + 1, end=end - 1), style=Style.JSON, value=value, key=key
                )
            )
            continue
        if kind == "string":
            key = json.loads(lexeme)
        elif lexeme in "{[":
            around.append(key)
        elif lexeme in "}]" and around:
            key = around.pop()
        skeleton.append(lexeme)
    return Structure(skeleton=tuple(skeleton), leaves=tuple(leaves))


def _accepts(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _without_extras(text: str, tokens: list[tuple[str, int, int]]) -> str:
    """Put white space in place of comments and of commas before a closing bracket."""
    kept: list[str] = []
    last_comma = -1
    position = 0
    for kind, start, end in tokens:
        kept.append(text[position:start])
        position = end
        if kind == "comment":
            kept.append(" " * (end - start))
            continue
        lexeme = text[start:end]
        if lexeme in ("}", "]") and last_comma >= 0:
            kept[last_comma] = " "
        kept.append(lexeme)
        last_comma = len(kept) - 1 if lexeme == "," else -1
    return "".join(kept) + text[position:]
