"""Fills inside one text of a structured document: read and written without its escapes.

The engine sees the text as what it means, the file around it as it is, and may change nothing but
that text. What it proposes is put into the style in which the text is written, and the format's
real parser must find the same tree afterwards, with exactly the intended text in that one leaf.

A model that has read such files likes to close the string and to go on with the next key. So what
ends a text in its style may not be proposed at all (an escape-safe alphabet), unless the text has
it already: then it is meant as text, and is escaped. Pure.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from dgemma_engine.types import Span
from dgemma_ls.postprocess import variants
from dgemma_ls.proofread.formats import Leaf, Style, read_structure
from dgemma_ls.proofread.formats.escapes import Atom, split_atoms
from dgemma_ls.proofread.formats.rewrite import atom_index, value_of
from dgemma_ls.proofread.structured import leaf_edit
from dgemma_ls.proofread.types import Region, RegionKind
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot

_FORMATS = frozenset({"json", "jsonc", "yaml", "toml", "xml", "svg", "xhtml"})
_MOST_CHARACTERS = 200_000
"""Longer texts would take more than some ten milliseconds per candidate."""
_NEAR = 2_000  # characters on each side in which other leaves are shown without escapes too

_BREAK = re.compile(r"[\r\n]")
_QUOTED = re.compile(r'["\\]|[\x00-\x08\x0b\x0c\x0e-\x1f]')
# What could end the text. An apostrophe within a word is no quote.
_ENDS = {
    **dict.fromkeys(
        (Style.JSON, Style.TOML_BASIC, Style.TOML_LONG_BASIC, Style.YAML_DOUBLE), _QUOTED
    ),
    Style.YAML_SINGLE: re.compile(r"(?<!\w)'|'(?!\w)"),
    Style.YAML_PLAIN: re.compile(r":(?=\s|$)|(?<=\s)#|\t"),
    Style.TOML_LITERAL: re.compile(r"'"),
    Style.TOML_LONG_LITERAL: re.compile(r"'''"),
    Style.XML: re.compile(r"[<&]"),
    Style.XML_CDATA: re.compile(r"]]>"),
}
_ESCAPED = frozenset(
    {Style.JSON, Style.TOML_BASIC, Style.TOML_LONG_BASIC, Style.YAML_DOUBLE, Style.XML}
    | {Style.YAML_SINGLE}
)
_BLOCKS = frozenset({Style.YAML_LITERAL, Style.YAML_FOLDED})
_ONE_LINE = frozenset({Style.YAML_PLAIN, Style.YAML_SINGLE, Style.YAML_FOLDED, Style.TOML_LITERAL})
_BREAKS_ESCAPED = frozenset({Style.JSON, Style.TOML_BASIC, Style.YAML_DOUBLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafGap:
    """A span within one text of a structured document, as the engine reads it.

    Attributes:
        span: in the document.
        style: how the text is written.
        value: the whole text of the leaf.
        indent: what each line of a block scalar begins with.
        prefix: what stands before the span: of the leaf, and of those near it, what they mean; of
            all else, what is written.
        text: what the span means.
        suffix: what stands behind it, as ``prefix``.
    """

    span: Span
    style: Style
    value: str
    indent: str
    prefix: str
    text: str
    suffix: str

    @property
    def may_break(self) -> bool:
        """Whether a new text may have several lines."""
        if self.style in _BREAKS_ESCAPED:
            return "\n" in self.value
        return self.style not in _ONE_LINE


@lru_cache(maxsize=4)  # asked by whoever puts the question, and by the check of the answers
def leaf_gap(snapshot: Snapshot, span: Span) -> LeafGap | None:
    """Find the text that a span lies in; ``None`` if it lies in none, or cuts an escape.

    Args:
        snapshot: the document; only one that its parser accepts has texts.
        span: an empty one is a cursor.
    """
    text = snapshot.text
    if snapshot.language_id not in _FORMATS or len(text) > _MOST_CHARACTERS:
        return None
    structure = read_structure(snapshot.language_id, text)
    if structure is None:
        return None
    number = _leaf_at(structure.leaves, span)
    if number is None:
        return None
    leaf = structure.leaves[number]
    raw = text[leaf.span.start : leaf.span.end]
    atoms = split_atoms(leaf.style, raw, leaf.value)
    if atoms is None:
        return None
    first = atom_index(atoms, span.start - leaf.span.start)
    last = atom_index(atoms, span.end - leaf.span.start)
    if first is None or last is None:
        return None
    before, after = structure.leaves[:number], structure.leaves[number + 1 :]
    return LeafGap(
        span=span,
        style=leaf.style,
        value=leaf.value,
        indent=raw[: len(raw) - len(raw.lstrip(" "))] if leaf.style in _BLOCKS else "",
        prefix=_before(text, before, leaf.span.start) + _shown(atoms[:first]),
        text=value_of(atoms[first:last]),
        suffix=_shown(atoms[last:]) + _behind(text, after, leaf.span.end),
    )


def leaf_verdict(snapshot: Snapshot, gap: LeafGap, text: str) -> Edit | Refusal:
    """Give the edit that puts a text into a gap, or say why there is none.

    Args:
        snapshot: the document that the gap is of.
        gap: the place.
        text: plain text, as the engine proposes it.
    """
    as_read = replace(snapshot, text=gap.prefix + gap.text + gap.suffix)
    place = Span(start=len(gap.prefix), end=len(gap.prefix) + len(gap.text))
    texts = variants(text, as_read, place)
    if isinstance(texts, Refusal):
        return texts
    tried = dict.fromkeys(one for each in texts for one in (each, each.rstrip(" \t")))
    refusals: list[Refusal] = []
    for one in tried:
        verdict = _written(snapshot, gap, _plain(gap, one))
        if isinstance(verdict, Edit):
            return verdict
        refusals.append(verdict)
    return refusals[0]


def unsafe_spans(gap: LeafGap, text: str) -> tuple[Span, ...]:
    """Give the parts of a text that may not stand in a gap, whatever is around them."""
    kept = gap.value if gap.style in _ESCAPED else ""
    n_before, n_text = len(gap.prefix[-1:]), len(text)
    around = gap.prefix[-1:] + text + gap.suffix[:1]
    spans = [] if gap.may_break else [match.span() for match in _BREAK.finditer(text)]
    if (ends := _ENDS.get(gap.style)) is not None:
        spans += [
            (match.start() - n_before, min(match.end() - n_before, n_text))
            for match in ends.finditer(around, n_before)
            if match.start() < n_before + n_text and not _is_kept(match[0], kept, text)
        ]
    return tuple(Span(start=start, end=end) for start, end in sorted(spans))


def _is_kept(mark: str, value: str, text: str) -> bool:
    """Say whether a mark is meant as text: it is there already, and quotes keep to pairs."""
    return mark in value and (mark != '"' or (value.count(mark) + text.count(mark)) % 2 == 0)


def _written(snapshot: Snapshot, gap: LeafGap, text: str) -> Edit | Refusal:
    if not text.strip():
        return Refusal(reason=RefusalReason.EMPTY)
    if unsafe_spans(gap, text):
        return Refusal(reason=RefusalReason.NOT_EXPRESSIBLE)
    region = Region(span=gap.span, kind=RegionKind.VALUE, protected=())
    edit = leaf_edit(snapshot, region, text)
    if isinstance(edit, Refusal):
        return edit
    # The same edit of the whole span: what is asked for a place must replace that place.
    document, span = snapshot.text, gap.span
    head = document[span.start : edit.span.start]
    tail = document[edit.span.end : span.end]
    return replace(edit, span=span, new_text=head + edit.new_text + tail)


def _plain(gap: LeafGap, text: str) -> str:
    """Take off what belongs to the file's layout: its line ends, a block's indentation."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n" + gap.indent, "\n") if gap.indent else text


def _leaf_at(leaves: Sequence[Leaf], span: Span) -> int | None:
    number = bisect_right(leaves, span.start, key=lambda leaf: leaf.span.start) - 1
    return number if number >= 0 and span.end <= leaves[number].span.end else None


def _before(text: str, leaves: Sequence[Leaf], end: int) -> str:
    return "".join(_pieces(text, leaves, 0, end, max(0, end - _NEAR)))


def _behind(text: str, leaves: Sequence[Leaf], start: int) -> str:
    return "".join(_pieces(text, leaves, start, len(text), start, start + _NEAR))


def _pieces(
    text: str, leaves: Sequence[Leaf], start: int, end: int, low: int, high: int | None = None
) -> list[str]:
    """Give ``[start, end)`` with the leaves in ``[low, high]`` shown as what they mean."""
    pieces = []
    first = bisect_right(leaves, low - 1, key=lambda leaf: leaf.span.start)
    for leaf in leaves[first:]:
        if high is not None and leaf.span.start > high:
            break
        raw = text[leaf.span.start : leaf.span.end]
        atoms = None if raw == leaf.value else split_atoms(leaf.style, raw, leaf.value)
        if atoms is not None:
            pieces += [text[start : leaf.span.start], _shown(atoms)]
            start = leaf.span.end
    return [*pieces, text[start:end]]


def _shown(atoms: Sequence[Atom]) -> str:
    """Give what atoms mean, but folds and indentation as they are written."""
    return "".join(atom.value if atom.raw.strip() else atom.raw for atom in atoms)
