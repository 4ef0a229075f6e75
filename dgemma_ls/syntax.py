"""What tree-sitter says about a text: where it does not parse. Knows no edits and no protocol.

A new language takes two lines: its grammar in ``_GRAMMARS``, its suffixes in ``_SUFFIXES``.
Grammar wheels are imported when their language is first met.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from pathlib import PurePath

from tree_sitter import Language, Node, Parser

from dgemma_engine.types import Span

PLAINTEXT = "plaintext"

# LSP language id -> (module of the grammar wheel, its function). JSON's grammar takes comments.
_GRAMMARS = {
    "python": ("tree_sitter_python", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "javascriptreact": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "typescriptreact": ("tree_sitter_typescript", "language_tsx"),
    "json": ("tree_sitter_json", "language"),
    "jsonc": ("tree_sitter_json", "language"),
    "markdown": ("tree_sitter_markdown", "language"),
}

_SUFFIXES = {
    **dict.fromkeys((".py", ".pyi", ".pyw"), "python"),
    **dict.fromkeys((".js", ".mjs", ".cjs"), "javascript"),
    ".jsx": "javascriptreact",
    **dict.fromkeys((".ts", ".mts", ".cts"), "typescript"),
    ".tsx": "typescriptreact",
    ".json": "json",
    ".jsonc": "jsonc",
    **dict.fromkeys((".md", ".markdown"), "markdown"),
}

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_LONE_CR = re.compile(r"\r(?!\n)")
_CONTINUATION = re.compile(rb"[\x80-\xbf]")  # of a UTF-8 sequence
_PAIRED = re.compile(r"[()\[\]{}]")
_OPENER_OF = {")": "(", "]": "[", "}": "{"}


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


def language_for_path(path: str | PurePath) -> str:
    """Give the language id that a file's suffix stands for, ``plaintext`` when unknown."""
    return _SUFFIXES.get(PurePath(path).suffix.lower(), PLAINTEXT)


def has_grammar(language_id: str) -> bool:
    """Say whether texts of this language can be parsed."""
    return language_id in _GRAMMARS


@lru_cache(maxsize=4)  # the text before an edit is asked for once per candidate
def find_flaws(language_id: str, text: str) -> tuple[Flaw, ...]:
    """Find the ERROR and MISSING nodes in document order, an outer node before those inside it.

    Raises:
        ValueError: if there is no grammar for the language; ask :func:`has_grammar`.
    """
    if not has_grammar(language_id):
        raise ValueError(f"no grammar for {language_id=}")
    data = _parseable(text).encode()
    # A parser is no object to share between threads, and making one costs microseconds.
    root = Parser(_language(*_GRAMMARS[language_id])).parse(data).root_node
    if not root.has_error:
        return ()
    continuations = [match.start() for match in _CONTINUATION.finditer(data)]
    return tuple(
        Flaw(kind=_kind(node), span=_span(node, continuations), nested=nested)
        for node, nested in _flawed_nodes(root)
    )


def count_unpaired(text: str) -> int:
    """Count the brackets without a partner, and one more if a double quote is left open.

    The fallback where no grammar helps. It takes brackets in strings and comments for code; as
    it serves to compare a text with its edited self, that rarely matters. Apostrophes are left
    out: prose and Rust are full of single ones.
    """
    open_brackets: list[str] = []
    n_unpaired = text.count('"') % 2
    for bracket in _PAIRED.findall(text):
        if bracket not in _OPENER_OF:
            open_brackets.append(bracket)
        elif open_brackets and open_brackets[-1] == _OPENER_OF[bracket]:
            open_brackets.pop()
        else:
            n_unpaired += 1
    return n_unpaired + len(open_brackets)


@cache
def _language(module: str, function: str) -> Language:
    return Language(getattr(import_module(module), function)())


def _parseable(text: str) -> str:
    r"""Replace what tree-sitter cannot take by something of the same number of bytes.

    A lone surrogate has no UTF-8 form; U+FFFD is as long as it would be. A lone ``\r`` ends a
    line for editors and Python, but not for the grammars.
    """
    return _LONE_CR.sub("\n", _LONE_SURROGATE.sub("\ufffd", text))


def _flawed_nodes(root: Node) -> Iterator[tuple[Node, bool]]:
    """Walk only where tree-sitter has noted a flaw; by hand, as nesting may be deep."""
    pending = [(root, False)]
    while pending:
        node, nested = pending.pop()
        if node.is_error or node.is_missing:
            yield node, nested
        if node.has_error:
            inside = nested or node.is_error
            pending.extend((child, inside) for child in reversed(node.children))


def _kind(node: Node) -> str:
    return f"MISSING {node.type}" if node.is_missing else "ERROR"


def _span(node: Node, continuations: list[int]) -> Span:
    """Turn the node's bytes into code points: every byte counts but the continuation bytes."""
    start, end = (
        byte - bisect_left(continuations, byte) for byte in (node.start_byte, node.end_byte)
    )
    return Span(start=start, end=end)
