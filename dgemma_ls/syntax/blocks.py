"""What stands around a place: the kind of node, and whether a body is to be written.

While one types, a body is missing or broken, and the tree has no node for it. So the question for
several lines is put to the lines themselves; the tree only tells code from comments and strings.
"""

import re

from tree_sitter import Node

from dgemma_engine.types import Span
from dgemma_ls.languages import INLINE_GRAMMARS, canonical_id, grammar_for
from dgemma_ls.syntax.sections import section_around
from dgemma_ls.syntax.trees import ParsedText, parse, parse_anew
from dgemma_ls.types import Snapshot

_BRACE = re.compile(r"\{$")
_OPENERS = {
    # A colon also stands in dictionaries and slices, so the line must begin a statement or end one
    # that was begun further up: ``) -> int:``.
    "python": re.compile(
        r"^\s*(?:(?:async\s+)?(?:def|for|with)|class|if|elif|else|while|try|except|finally|match"
        r"|case|[)\]}])(?:\b|(?<=[)\]}])).*:$"
    ),
    "ruby": re.compile(
        r"^\s*(?:def|class|module|if|unless|while|until|for|case|when|else|elsif|begin|rescue"
        r"|ensure)\b(?!.*\bend$)|\b(?:do|then)(?:\s*\|[^|]*\|)?$|\{(?:\s*\|[^|]*\|)?$"
    ),
    "lua": re.compile(r"\b(?:then|do|else|repeat)$|\bfunction\b[^()]*\([^()]*\)$|\{$"),
    "shellscript": re.compile(r"(?:^|[\s;])(?:then|do|else)$|\{$"),
}
_CLOSER = re.compile(
    r"[)\]}]|(?:end|fi|done|esac|else|elif|elsif|elseif|until|when|rescue|ensure)\b"
)
_NO_BLOCKS = frozenset({"json", "jsonc", "yaml", "toml", "markdown", "html", "xml", "sql"})


def node_kind_at(snapshot: Snapshot, offset: int) -> str | None:
    """Give the kind of the smallest named node that holds the character at ``offset``.

    Returns:
        tree-sitter's name for it, such as ``comment``; ``None`` without a grammar or at the end.
    """
    found = _parsed_around(snapshot, offset)
    if found is None or offset >= len(snapshot.text):
        return None
    parsed, start = found
    node = _node_at(parsed, offset - start)
    inline = INLINE_GRAMMARS.get(canonical_id(snapshot.language_id))
    if node is not None and node.type == "inline" and inline is not None:
        span = parsed.span_of(node)
        part = parse_anew(inline, parsed.text[span.start : span.end])
        node = _node_at(part, offset - start - span.start)
    return None if node is None else node.type


def wants_multiline(snapshot: Snapshot, offset: int) -> bool:
    """Tell whether a cursor stands where a body of several lines is to be written.

    That is where nothing follows on the line, what comes before it opens a block (``def f():``,
    ``{``), and the block is empty: behind the cursor it ends, or the indentation is no deeper.
    """
    language_id = canonical_id(snapshot.language_id)
    text = snapshot.text
    if language_id in _NO_BLOCKS or _line_end(text, offset) > _skip_blank(text, offset):
        return False
    opener = _code_before(snapshot, offset)
    if _OPENERS.get(language_id, _BRACE).search(opener) is None:
        return False
    behind = _next_line(text, offset)
    if behind is None or _CLOSER.match(behind.lstrip()):
        return True
    # In a language of braces, text that is no deeper means a closing brace that is not there yet.
    return _indentation(behind) <= _indentation(opener)


def _parsed_around(snapshot: Snapshot, offset: int) -> tuple[ParsedText, int] | None:
    """Parse the section of a place; give it with the offset at which it begins."""
    grammar = grammar_for(snapshot.language_id)
    if grammar is None:
        return None
    place = Span(start=offset, end=offset)
    section = section_around(snapshot.language_id, snapshot.text, place)
    return parse(grammar, snapshot.text[section.start : section.end]), section.start


def _node_at(parsed: ParsedText, offset: int) -> Node | None:
    start, end = (min(parsed.byte_of(n), len(parsed.data)) for n in (offset, offset + 1))
    return parsed.tree.root_node.named_descendant_for_byte_range(start, end)


def _code_before(snapshot: Snapshot, offset: int) -> str:
    """Give the last line before a place that has code, less what follows the code on it."""
    text = snapshot.text
    while end := len(text[:offset].rstrip()):
        start = max(text.rfind("\n", 0, end), text.rfind("\r", 0, end)) + 1
        found = _parsed_around(snapshot, end - 1)
        if found is None:
            return text[start:end]
        parsed, section_start = found
        node = _node_at(parsed, end - 1 - section_start)
        kind = "" if node is None else node.type
        if "comment" in kind and node is not None:
            offset = section_start + parsed.span_of(node).start
            continue
        return "" if "string" in kind else text[start:end]
    return ""


def _skip_blank(text: str, offset: int) -> int:
    while offset < len(text) and text[offset] in " \t":
        offset += 1
    return offset


def _line_end(text: str, offset: int) -> int:
    ends = (text.find(end, offset) for end in "\r\n")
    return min((end for end in ends if end >= 0), default=len(text))


def _next_line(text: str, offset: int) -> str | None:
    """Give the next line behind a place that is not blank."""
    start = offset
    while (start := _line_end(text, start) + 1) <= len(text):
        line = text[start : _line_end(text, start)]
        if line.strip():
            return line
    return None


def _indentation(line: str) -> int:
    return len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())
