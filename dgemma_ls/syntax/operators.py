"""Operators and truth values of a program that are easily confused with another. Knows no edits."""

from dgemma_engine.types import Span
from dgemma_ls.languages import grammar_for
from dgemma_ls.syntax.trees import parse

_GROUPS = (
    ("<", "<=", ">", ">="),
    ("==", "!="),
    ("===", "!=="),
    ("+", "-"),
    ("*", "/"),
    ("&", "|"),
    ("&&", "||"),
    ("+=", "-="),
    ("and", "or"),
    ("is", "is not"),
    ("in", "not in"),
    ("True", "False"),
    ("true", "false"),
)
_OTHERS = {one: tuple(o for o in group if o != one) for group in _GROUPS for one in group}
_NO_OPERATOR = frozenset({"<", ">", "*", "&", "in", "|"})
"""Signs that are operators only between two expressions: others are generics, pointers, loops."""


def operators_in(language_id: str, text: str, within: Span) -> list[tuple[Span, tuple[str, ...]]]:
    """Give operators and truth values in a part of a text, with those that they are confused with.

    Args:
        language_id: of the text; without a grammar there are none.
        text: the whole text.
        within: where to look.
    """
    grammar = grammar_for(language_id)
    if grammar is None:
        return []
    parsed = parse(grammar, text)
    low, high = (parsed.byte_of(min(at, len(text))) for at in (within.start, within.end))
    found = []
    left = [parsed.tree.root_node]
    while left:
        node = left.pop()
        if node.end_byte < low or node.start_byte > high:
            continue
        word = parsed.data[node.start_byte : node.end_byte].decode("utf-8", "replace")
        if node.end_byte - node.start_byte <= 6 and word in _OTHERS:
            parent = node.parent
            in_expression = parent is not None and any(
                part in parent.type for part in ("binary", "comparison", "boolean")
            )
            if node.is_named or in_expression or word not in _NO_OPERATOR:
                found.append((parsed.span_of(node), _OTHERS[word]))
            continue
        left += reversed(node.children)
    return found
