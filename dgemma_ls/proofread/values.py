"""Prose-like leaves of structured documents → regions."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from dgemma_engine.types import Span
from dgemma_ls.proofread.assemble import make_region
from dgemma_ls.proofread.formats import Leaf, Style, has_format, read_front_matter, read_structure
from dgemma_ls.proofread.formats.escapes import split_atoms
from dgemma_ls.proofread.paragraphs import filled_lines, paragraphs, split_lines
from dgemma_ls.proofread.types import Region, RegionKind

_MIN_WORDS = 3
_WORD = re.compile(r"(?<![\w./\\-])[A-Za-z]+(?:['’-][A-Za-z]+)*(?![\w/\\])")
_SHOWN = (
    "abstract alt caption description excerpt headline intro lead subtitle summary tagline title"
)
_COMMAND = """
run script cmd command commands args entrypoint exec shell query sql regex pattern path image cron
schedule if when url href src id ref uses
"""
_SHOWN_KEYS = frozenset(_SHOWN.split())  # all other values of a front matter speak to programs
_COMMAND_KEYS = frozenset(_COMMAND.split())
_INLINE_TAGS = re.compile(
    r"(?:<(?P<code>code|kbd|samp|var|tt)\b[^<>]*>.*?</(?P=code)>"
    r"|</?(?:a|abbr|b|bdi|cite|del|dfn|em|font|i|ins|mark|q|s|small|span|strong|sub|sup|u)"
    r"(?:\s[^<>]*)?>|<img\b[^<>]*>|\s+)*",
    re.DOTALL | re.IGNORECASE,
)


def value_regions(language_id: str, text: str) -> Iterator[Region]:
    """Find the leaves that read like sentences; of Markdown, those of the front matter."""
    if language_id == "markdown":
        structure = read_front_matter(text)
    else:
        structure = read_structure(language_id, text) if has_format(language_id) else None
    if structure is None:
        return
    if language_id == "html":
        for run in _runs(text, structure.leaves):
            yield from _regions_of_run(text, run)
        return
    for leaf in structure.leaves:
        shown = leaf.key.lower() in _SHOWN_KEYS if language_id == "markdown" else True
        if shown and leaf.key.lower() not in _COMMAND_KEYS and _reads_like_prose(leaf.value):
            yield from _regions_of_leaf(text, leaf)


def _reads_like_prose(value: str) -> bool:
    words = _WORD.findall(value)
    return len(words) >= _MIN_WORDS and len(words) * 2 >= len(value.split())


def _regions_of_leaf(text: str, leaf: Leaf) -> Iterator[Region]:
    protected = _escapes(text, leaf)
    if protected is None:
        return
    if leaf.style in (Style.YAML_LITERAL, Style.TOML_LONG_BASIC, Style.TOML_LONG_LITERAL):
        found = paragraphs(text, split_lines(text, leaf.span))
        groups = [(paragraph.lines, paragraph.protected) for paragraph in found]
    else:
        lines = filled_lines(text, leaf.span)
        groups = [(tuple(lines), ())] if lines else []
    for lines_of, claimed in groups:
        span = Span(start=lines_of[0].start, end=lines_of[-1].end)
        inside = [p for p in protected if p.start < span.end and span.start < p.end]
        region = make_region(text, RegionKind.VALUE, lines_of, protected=[*inside, *claimed])
        if region is not None:
            yield region


def _regions_of_run(text: str, run: Sequence[Leaf]) -> Iterator[Region]:
    """A paragraph of HTML: texts with inline tags between them, which are protected."""
    protected = []
    for leaf in run:
        escapes = _escapes(text, leaf)
        if escapes is None:
            return
        protected += escapes
    for leaf, following in pairwise(run):
        protected.append(Span(start=leaf.span.end, end=following.span.start))
    span = Span(start=run[0].span.start, end=run[-1].span.end)
    if _reads_like_prose(" ".join(leaf.value for leaf in run)):
        lines = filled_lines(text, span)
        region = make_region(text, RegionKind.VALUE, lines, protected=protected)
        if region is not None:
            yield region


def _runs(text: str, leaves: Sequence[Leaf]) -> Iterator[list[Leaf]]:
    run: list[Leaf] = []
    for leaf in leaves:
        if run and not _INLINE_TAGS.fullmatch(text, run[-1].span.end, leaf.span.start):
            yield run
            run = []
        run.append(leaf)
    if run:
        yield run


def _escapes(text: str, leaf: Leaf) -> list[Span] | None:
    """Give the places where the text does not stand for itself; ``None`` if it is not known."""
    atoms = split_atoms(leaf.style, text[leaf.span.start : leaf.span.end], leaf.value)
    if atoms is None:
        return None
    spans, position = [], leaf.span.start
    for atom in atoms:
        end = position + len(atom.raw)
        if atom.raw != atom.value and atom.raw.strip():
            spans.append(Span(start=position, end=end))
        position = end
    return spans
