"""Markdown: the tokens of markdown-it for the body, YAML or TOML for the front matter."""

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from dgemma_engine.types import Span
from dgemma_ls.proofread.formats.toml_format import read_toml
from dgemma_ls.proofread.formats.types import Structure
from dgemma_ls.proofread.formats.yaml_format import read_yaml

_FRONT_MATTER = re.compile(
    r"(?P<mark>---|\+\+\+)[ \t]*\r?\n(?P<matter>.*?)^(?P=mark)[ \t]*(?:\r?\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
# Their content is code or markup; that of other tokens is text.
_VERBATIM = frozenset({"fence", "code_block", "html_block", "code_inline", "html_inline"})


def read_markdown(text: str) -> Structure | None:
    """Read front matter, whose values are the leaves, and body, whose texts are left out."""
    found = _FRONT_MATTER.match(text)
    body = text[found.end() :] if found else text
    skeleton: tuple[Hashable, ...] = tuple(_outline(_parser().parse(body)))
    if found is None:
        return Structure(skeleton=skeleton, leaves=())
    matter = read_front_matter(text)
    if matter is None:
        return None
    return replace(matter, skeleton=(found["mark"], matter.skeleton, *skeleton))


def read_front_matter(text: str) -> Structure | None:
    """Read front matter alone; ``None`` if there is none, or if its parser refuses it."""
    found = _FRONT_MATTER.match(text)
    if found is None:
        return None
    matter = (read_yaml if found["mark"] == "---" else read_toml)(found["matter"])
    if matter is None:
        return None
    by = found.start("matter")
    leaves = tuple(
        replace(leaf, span=Span(start=leaf.span.start + by, end=leaf.span.end + by))
        for leaf in matter.leaves
    )
    return replace(matter, leaves=leaves)


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def _outline(tokens: Sequence[Token]) -> Iterator[Hashable]:
    for token in tokens:
        content = token.content if token.type in _VERBATIM else ""
        attributes = tuple(sorted((name, str(value)) for name, value in token.attrs.items()))
        yield token.type, token.tag, token.markup, token.info, attributes, content
        if token.children:
            yield from _outline(token.children)
