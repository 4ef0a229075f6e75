"""Names in a program: where they stand, what kind of name each is, which functions hold it.

A tree tells no bindings; :func:`holder` makes do with where a name occurs. Knows no edits.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from dgemma_engine.types import Span
from dgemma_ls.languages import grammar_for
from dgemma_ls.syntax.trees import ParsedText, parse

_FUNCTION = re.compile(r"function|method|lambda|closure|func_literal|constructor")
_NO_FUNCTION = re.compile(
    r"call|invocation|type|name|declarator|signature|body|reference|identifier|modifier|parameter"
    r"|expression$"
)
_ALWAYS_FUNCTION = frozenset({"arrow_function", "function_expression", "lambda_expression"})
_CLASS = re.compile(
    r"^(?:class|struct|impl|interface|trait|enum|object|module)(?:_\w+)?"
    r"_(?:definition|declaration|item|specifier)$|^(?:class|module)$"
)
_LABEL = re.compile(r"keyword_argument|named_argument|name_colon")
_NAME = re.compile(r"identifier$|^(?:name|variable_name|constant|word)$")
_MEMBER = re.compile(r"(?:\.|->|::)\s*\Z")
_WORD = re.compile(r"[^\W\d]\w*\Z")
_BEFORE = 40  # characters in which the dot before a member is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One occurrence of a name in code; neither in a comment nor in a string.

    Attributes:
        text: the name.
        span: its code points.
        kind: the grammar's kind of the node.
        is_member: whether it follows a dot or the like.
        is_label: whether it names an argument of a call.
        is_function: whether it names the function that is defined here.
        functions: those it lies in, the outermost first; a function's own name lies outside of it.
        owner: the innermost class or the like that it lies in.
    """

    text: str
    span: Span
    kind: str
    is_member: bool
    is_label: bool
    is_function: bool
    functions: tuple[Span, ...]
    owner: Span | None


def names_in(language_id: str, text: str, within: Span) -> list[Name] | None:
    """Give the names in a part of a text, in order.

    Args:
        language_id: of the text.
        text: the whole text.
        within: names that only reach into it are given as well.

    Returns:
        ``None`` where the language has no grammar.
    """
    grammar = grammar_for(language_id)
    if grammar is None:
        return None
    parsed = parse(grammar, text)
    low, high = (parsed.byte_of(min(at, len(text))) for at in (within.start, within.end))
    return list(_walk(parsed, parsed.tree.root_node, low, high))


def holder(name: Name, names: Sequence[Name], word: str) -> Span | None:
    """Give the function within which ``word`` probably means one thing where ``name`` stands.

    That is the smallest one with all occurrences of the word that the next larger one has.

    Args:
        name: where the word stands, or stood.
        names: of the text.
        word: to look for.

    Returns:
        ``None`` where no function holds the place.
    """
    found: Span | None = None
    n_inside = -1
    for function in reversed(name.functions):
        n_occurrences = sum(
            other.text == word and not other.is_member and _within(other.span, function)
            for other in names
        )
        if n_occurrences > n_inside:
            found, n_inside = function, n_occurrences
    return found


def _walk(parsed: ParsedText, root: Node, low: int, high: int) -> Iterator[Name]:
    # Nodes with the functions around them; the next one in document order is the last.
    left: list[tuple[Node, tuple[Span, ...], Span | None]] = [(root, (), None)]
    while left:
        node, functions, owner = left.pop()
        if node.end_byte < low or node.start_byte > high:
            continue
        if node.child_count == 0:
            if (name := _name_of(parsed, node, functions, owner)) is not None:
                yield name
            continue
        inside = functions
        own_name: Node | None = None
        if _is_function(node):
            inside = (*functions, parsed.span_of(node))
            own_name = node.child_by_field_name("name")
        elif node.is_named and _CLASS.search(node.type):
            owner = parsed.span_of(node)
        for child in reversed(node.children):
            is_own = own_name is not None and child.id == own_name.id
            left.append((child, functions if is_own else inside, owner))


def _name_of(
    parsed: ParsedText, node: Node, functions: tuple[Span, ...], owner: Span | None
) -> Name | None:
    if not node.is_named or not _NAME.search(node.type):
        return None
    span = parsed.span_of(node)
    text = parsed.text[span.start : span.end]
    if not _WORD.match(text):
        return None
    parent = node.parent
    before = parsed.text[max(0, span.start - _BEFORE) : span.start]
    return Name(
        text=text,
        span=span,
        kind=node.type,
        is_member=_MEMBER.search(before) is not None,
        is_label=parent is not None
        and _LABEL.search(parent.type) is not None
        and node.start_byte == parent.start_byte,
        is_function=parent is not None and _is_function(parent) and _names(parent, node),
        functions=functions,
        owner=owner,
    )


def _is_function(node: Node) -> bool:
    if not node.is_named:
        return False
    kind = node.type
    return kind in _ALWAYS_FUNCTION or (
        _FUNCTION.search(kind) is not None and _NO_FUNCTION.search(kind) is None
    )


def _names(function: Node, node: Node) -> bool:
    own = function.child_by_field_name("name")
    return own is not None and own.id == node.id


def _within(span: Span, place: Span) -> bool:
    return place.start <= span.start and span.end <= place.end
