"""Nodes of a text's tree by query, and the tree's outline. Knows no edits and no documents."""

from functools import cache, lru_cache

from tree_sitter import Query, QueryCursor

from dgemma_engine.types import Span
from dgemma_ls.languages import INLINE_GRAMMARS, Grammar, grammar_for
from dgemma_ls.syntax.trees import language_of, parse_anew

parsed_once = lru_cache(maxsize=4)(parse_anew)  # several queries in a row ask about one text

MARKDOWN_INLINE = "markdown_inline"
"""No document's language: that of one paragraph of Markdown."""


def captures(language_id: str, text: str, query: str) -> list[tuple[str, Span]]:
    """Find nodes by a query in tree-sitter's language.

    Args:
        language_id: a language with a grammar, or :data:`MARKDOWN_INLINE`.
        text: the whole text.
        query: patterns with captures, as ``(comment) @comment``.

    Returns:
        The name of each capture and its node's code points, in document order, an outer node
        before those inside it.

    Raises:
        ValueError: if there is no grammar for the language, or the query names no node of it.
    """
    grammar = _grammar(language_id)
    # Not from a kept tree: what is found in a broken text shall depend on the text alone.
    parsed = parsed_once(grammar, text)
    found = QueryCursor(_query(grammar, query)).captures(parsed.tree.root_node)
    return sorted(
        ((name, parsed.span_of(node)) for name, nodes in found.items() for node in nodes),
        key=lambda capture: (capture[1].start, -capture[1].end, capture[0]),
    )


def texts_of(language_id: str, text: str, query: str) -> frozenset[str]:
    """Give the different texts of the nodes that :func:`captures` finds; quicker than their places.

    Args:
        language_id: as there.
        text: the whole text.
        query: as there.

    Raises:
        ValueError: as :func:`captures`.
    """
    grammar = _grammar(language_id)
    parsed = parsed_once(grammar, text)
    data = parsed.data
    found = QueryCursor(_query(grammar, query)).captures(parsed.tree.root_node)
    different = {
        data[node.start_byte : node.end_byte] for nodes in found.values() for node in nodes
    }
    return frozenset(each.decode("utf-8", "replace") for each in different)


def matches(language_id: str, text: str, query: str) -> tuple[dict[str, Span], ...]:
    """Find groups of nodes by a query in tree-sitter's language.

    Args:
        language_id: a language with a grammar, or :data:`MARKDOWN_INLINE`.
        text: the whole text; it may have syntax errors.
        query: patterns, each with captures.

    Returns:
        For each match the first node of every capture, as code points; in document order of the
        first captures.

    Raises:
        ValueError: as :func:`captures`.
    """
    grammar = _grammar(language_id)
    parsed = parsed_once(grammar, text)
    found = QueryCursor(_query(grammar, query)).matches(parsed.tree.root_node)
    spans = (
        {name: parsed.span_of(nodes[0]) for name, nodes in of_match.items()}
        for _, of_match in found
    )
    return tuple(sorted(spans, key=lambda match: min(span.start for span in match.values())))


def parses(language_id: str, text: str) -> bool:
    """Say whether a text has no flaw; its tree is not kept.

    Raises:
        ValueError: if there is no grammar for the language.
    """
    return not parse_anew(_grammar(language_id), text).tree.root_node.has_error


def outline(language_id: str, text: str) -> tuple[str, ...]:
    """Give the kinds of the tree's nodes from top to bottom, ``)`` where one with children ends.

    Two texts of one outline differ in the texts of their leaves and in white space alone.

    Raises:
        ValueError: if there is no grammar for the language.
    """
    cursor = parse_anew(_grammar(language_id), text).tree.walk()
    kinds: list[str] = []
    while True:
        node = cursor.node
        kinds.append("" if node is None else node.type)
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return tuple(kinds)
            kinds.append(")")


def _grammar(language_id: str) -> Grammar:
    if language_id == MARKDOWN_INLINE:
        return INLINE_GRAMMARS["markdown"]
    grammar = grammar_for(language_id)
    if grammar is None:
        raise ValueError(f"no grammar for {language_id=}")
    return grammar


@cache
def _query(grammar: Grammar, query: str) -> Query:
    return Query(language_of(grammar), query)
