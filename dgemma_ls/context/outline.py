"""The signatures of a source file: what it defines, without bodies."""

import re
from dataclasses import dataclass
from functools import lru_cache

from dgemma_engine.types import Span
from dgemma_ls.syntax import matches

_PYTHON = """
(class_definition name: (_) @name body: (_) @body) @class
(function_definition name: (_) @name body: (_) @body) @function
"""
_JAVASCRIPT = """
(class_declaration name: (_) @name body: (_) @body) @class
(function_declaration name: (_) @name body: (_) @body) @function
(generator_function_declaration name: (_) @name body: (_) @body) @function
(method_definition name: (_) @name body: (_) @body) @function
(lexical_declaration
  (variable_declarator name: (identifier) @name
    value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)])) @function
"""
_TYPESCRIPT = (
    _JAVASCRIPT
    + """
(abstract_class_declaration name: (_) @name body: (_) @body) @class
(interface_declaration name: (_) @name body: (_) @body) @class
(enum_declaration name: (_) @name body: (_) @body) @class
(type_alias_declaration name: (_) @name) @class
(function_signature name: (_) @name) @function
"""
)
# LSP language id -> query. @class holds members, @function hides what is in it; @body is cut off.
_QUERIES = {
    "python": _PYTHON,
    **dict.fromkeys(("javascript", "javascriptreact"), _JAVASCRIPT),
    **dict.fromkeys(("typescript", "typescriptreact"), _TYPESCRIPT),
}


_COMMENT = re.compile(r"(?m)(?:^|(?<=\s))(?:#|//)(?:\s.*)?$")
_LOOSE = re.compile(r"([(\[]) |,? ([)\]])")  # brackets that stood on lines of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One definition.

    Attributes:
        name: what is defined.
        owner: the outermost class around it, or the name itself at the top level.
        line: the text up to the body on one line, indented by the classes around it.
    """

    name: str
    owner: str
    line: str


def has_outline(language_id: str) -> bool:
    """Say whether files of this language have outlines."""
    return language_id in _QUERIES


@lru_cache(maxsize=64)  # a file is asked for at every request, and hardly ever changes
def outline(language_id: str, text: str) -> tuple[Signature, ...]:
    """List the definitions at the top level and in classes, in document order.

    Raises:
        ValueError: if files of this language have no outlines; ask :func:`has_outline`.
    """
    if not has_outline(language_id):
        raise ValueError(f"no outline for {language_id=}")
    found: list[Signature] = []
    around: list[tuple[int, str | None]] = []  # ends of the definitions we are in; class names
    for match in matches(language_id, text, _QUERIES[language_id]):
        node = match.get("class") or match["function"]
        while around and around[-1][0] <= node.start:
            around.pop()
        classes = [name for _, name in around if name is not None]
        name = _cut(text, match["name"])
        if len(classes) == len(around):  # not inside a function
            head = Span(start=node.start, end=match.get("body", node).start)
            line = _one_line(_cut(text, head if "body" in match else node))
            owner = classes[0] if classes else name
            indent = "    " * len(classes)
            found.append(Signature(name=name, owner=owner, line=indent + line))
        around.append((node.end, name if "class" in match else None))
    return tuple(found)


def _one_line(code: str) -> str:
    line = " ".join(_COMMENT.sub("", code).split())
    return _LOOSE.sub(lambda match: match[1] or match[2], line)


def _cut(text: str, span: Span) -> str:
    return text[span.start : span.end]
