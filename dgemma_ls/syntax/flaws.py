"""Where a text does not parse: its ERROR and MISSING nodes. Knows no edits and no protocol."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tree_sitter import Node

from dgemma_engine.types import Span
from dgemma_ls.languages import grammar_for
from dgemma_ls.syntax.trees import ParsedText, parse_anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """An ERROR or MISSING node.

    Attributes:
        kind: ``ERROR``, or ``MISSING`` with what is missing: ``MISSING )``.
        span: the node's code points; empty where something is missing.
        nested: whether it lies inside another ERROR node.
    """

    kind: str
    span: Span
    nested: bool


def has_grammar(language_id: str) -> bool:
    """Say whether texts of this language can be parsed."""
    return grammar_for(language_id) is not None


@lru_cache(maxsize=4)
def find_flaws(language_id: str, text: str) -> tuple[Flaw, ...]:
    """Parse a text anew and find its flaws, see :func:`flaws_of`.

    Raises:
        ValueError: if there is no grammar for the language; ask :func:`has_grammar`.
    """
    grammar = grammar_for(language_id)
    if grammar is None:
        raise ValueError(f"no grammar for {language_id=}")
    return flaws_of(parse_anew(grammar, text))


def flaws_of(parsed: ParsedText) -> tuple[Flaw, ...]:
    """Find the ERROR and MISSING nodes in document order, an outer node before those inside it."""
    return tuple(
        Flaw(kind=_kind(node), span=parsed.span_of(node), nested=nested)
        for node, nested in _flawed_nodes(parsed.tree.root_node)
    )


def _flawed_nodes(root: Node) -> Iterator[tuple[Node, bool]]:
    """Walk only where tree-sitter has noted a flaw; by hand, as nesting may be deep."""
    pending = [(root, False)]
    while pending:
        node, nested = pending.pop()
        if not node.has_error:
            continue
        flawed = [child for child in node.children if child.has_error]
        # A missing thing may be hidden below a name that the grammar gives it (C#'s identifiers):
        # then nothing tells of it but the name's own mark.
        if node.is_error or node.is_missing or not flawed:
            yield node, nested
        inside = nested or node.is_error
        pending.extend((child, inside) for child in reversed(flawed))


def _kind(node: Node) -> str:
    return "ERROR" if node.is_error else f"MISSING {node.type}"
