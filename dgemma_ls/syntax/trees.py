"""Texts with their syntax trees, parsed anew or from the tree of a text that was much the same.

Trees of the latest texts are kept, so that a keystroke is parsed from the tree before it, and a
candidate from the tree of its document. Safe to use from several threads.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from itertools import accumulate

from tree_sitter import Language, Node, Parser, Tree

from dgemma_engine.types import Span
from dgemma_ls.edits import difference
from dgemma_ls.languages import Grammar

_YAML_NESTING = re.compile(r"^[ \t]*(?:[-?:][ \t]+)*", re.MULTILINE)
_MAX_YAML_COLUMN = 200
"""tree-sitter-yaml 0.7 writes past the end of its stack of indentations from 250 levels on."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_LONE_CR = re.compile(r"\r(?!\n)")
_CONTINUATION_BYTES = bytes(range(0x80, 0xC0))  # of UTF-8 sequences: all others begin a character
_CHUNK_BYTES = 4096
_N_KEPT = 8
QUICKLY_PARSED = 32 << 10
"""Characters up to which parsing from the beginning is not felt (4 ms of Python)."""
_KEPT_CHARACTERS = 4 << 20  # a tree takes many times its text


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParsedText:
    """A text and its tree.

    Attributes:
        grammar: what it was parsed with.
        text: the text.
        data: what the parser saw: its UTF-8 form, with what tree-sitter cannot take replaced by
            something of the same number of bytes.
        tree: positions in it are bytes of ``data``.
    """

    grammar: Grammar
    text: str
    data: bytes
    tree: Tree
    _chunk_starts: list[int] = field(default_factory=list)  # code points, filled when first needed

    def replaced(self, start: int, end: int, new_text: str) -> "ParsedText":
        """Parse the text with ``[start, end)`` replaced, from this tree."""
        text = "".join((self.text[:start], new_text, self.text[end:]))
        if start > 0 and self.text[start - 1] == "\r":
            # Whether it is a lone one may have changed with what follows it.
            start, new_text = start - 1, "\r" + new_text
        new_end = start + len(new_text)
        behind = text[new_end : new_end + 1]  # Whether a \r at the end is a lone one hangs on it.
        new_data = _parseable(new_text + behind)
        new_data = new_data[: len(new_data) - _n_bytes(behind)]
        first = self.byte_of(start)
        last = first + _n_bytes(self.text[start:end])
        data = b"".join((self.data[:first], new_data, self.data[last:]))
        tree = self.tree.copy()
        tree.edit(
            start_byte=first,
            old_end_byte=last,
            new_end_byte=first + len(new_data),
            start_point=_point(self.data, first),
            old_end_point=_point(self.data, last),
            new_end_point=_point(data, first + len(new_data)),
        )
        return ParsedText(
            grammar=self.grammar, text=text, data=data, tree=_parser(self.grammar).parse(data, tree)
        )

    def byte_of(self, offset: int) -> int:
        """Give the byte at which the character at ``offset`` begins."""
        return offset if self.text.isascii() else _n_bytes(self.text[:offset])

    def offset_of(self, byte: int) -> int:
        """Give the offset of the character that begins at a byte."""
        if self.text.isascii():
            return byte
        if not self._chunk_starts:
            chunks = range(0, len(self.data), _CHUNK_BYTES)
            counts = (_n_characters(self.data[n : n + _CHUNK_BYTES]) for n in chunks)
            self._chunk_starts.extend([0, *accumulate(counts)])
        chunk = byte // _CHUNK_BYTES
        in_chunk = self.data[chunk * _CHUNK_BYTES : byte]
        return self._chunk_starts[chunk] + _n_characters(in_chunk)

    def span_of(self, node: Node) -> Span:
        """Give the code points that a node covers."""
        return Span(start=self.offset_of(node.start_byte), end=self.offset_of(node.end_byte))


def has_limits(grammar: Grammar) -> bool:
    """Say whether there are texts that a grammar's parser does not take."""
    return grammar.module == "tree_sitter_yaml"


def can_parse(grammar: Grammar, text: str) -> bool:
    """Say whether a parser takes a text; YAML's crashes where a text is nested too deeply.

    No level of indentation is narrower than a column, so the column at which a line's content
    begins bounds how deep it lies.
    """
    if not has_limits(grammar):
        return True
    return all(len(match[0]) <= _MAX_YAML_COLUMN for match in _YAML_NESTING.finditer(text))


def parse_anew(grammar: Grammar, text: str) -> ParsedText:
    """Parse a text from its beginning; what comes out depends on nothing else.

    Of a text that the parser does not take, see :func:`can_parse`, the tree is empty.
    """
    data = _parseable(text) if can_parse(grammar, text) else b" " * _n_bytes(text)
    return ParsedText(grammar=grammar, text=text, data=data, tree=_parser(grammar).parse(data))


def parse(grammar: Grammar, text: str) -> ParsedText:
    """Give a text's tree: a kept one, or for a long text one made from that of a similar text.

    How a mistake is told may then depend on what was parsed before; whether there is one, not.
    """
    key = (grammar, text)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
        relatives = [each for each in reversed(_kept.values()) if each.grammar == grammar]
    if len(text) <= QUICKLY_PARSED or not can_parse(grammar, text):
        parsed = parse_anew(grammar, text)
    else:
        parsed = _from_relative(relatives, text) or parse_anew(grammar, text)
    with _lock:
        _kept[key] = parsed
        while len(_kept) > _N_KEPT or (
            len(_kept) > 1 and sum(len(each.text) for each in _kept.values()) > _KEPT_CHARACTERS
        ):
            _kept.popitem(last=False)
    return parsed


_kept: OrderedDict[tuple[Grammar, str], ParsedText] = OrderedDict()
_lock = threading.Lock()


def _from_relative(relatives: Sequence[ParsedText], text: str) -> ParsedText | None:
    for relative in relatives:
        change = difference(relative.text, text)
        assert change is not None
        old = change.old_span
        if 2 * max(len(change.old_text), len(change.new_text)) < len(text):
            return relative.replaced(old.start, old.end, change.new_text)
    return None


def language_of(grammar: Grammar) -> Language:
    """Give tree-sitter's object for a grammar; its wheel is imported when first asked for."""
    return _language(grammar.module, grammar.function)


def _parser(grammar: Grammar) -> Parser:
    # A parser is no object to share between threads, and making one costs microseconds.
    return Parser(language_of(grammar))


@cache
def _language(module: str, function: str) -> Language:
    return Language(getattr(import_module(module), function)())


def _parseable(text: str) -> bytes:
    r"""Replace what tree-sitter cannot take by something of the same number of bytes.

    A lone surrogate has no UTF-8 form; U+FFFD is as long as it would be. A lone ``\r`` ends a
    line for editors and Python, but not for the grammars.
    """
    if "\r" in text:
        text = _LONE_CR.sub("\n", text)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", text).encode()


def _n_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _n_characters(data: bytes) -> int:
    return len(data.translate(None, _CONTINUATION_BYTES))


def _point(data: bytes, byte: int) -> tuple[int, int]:
    """Give row and column, both in the parser's terms: line feeds and bytes."""
    return data.count(b"\n", 0, byte), byte - (data.rfind(b"\n", 0, byte) + 1)
