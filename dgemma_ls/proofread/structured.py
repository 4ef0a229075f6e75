"""Edits of documents that must stay valid: the same tree but for the one text that was meant.

What is held, for JSON, YAML, TOML, XML, HTML, Markdown and its front matter:

1. the format's real parser accepts the document afterwards;
2. tree-sitter finds it no worse than before (:mod:`dgemma_ls.gate`);
3. keys, types, tags, attributes, anchors, numbers, and their order are the same, and so are all
   texts but the one that the edit lies in; that one means exactly what was intended.

For programs, the tree must have the same kinds of nodes: an edit in a comment or a string may not
end it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from dgemma_engine.types import Span
from dgemma_ls import gate
from dgemma_ls.proofread.formats import Leaf, Structure, has_format, read_structure
from dgemma_ls.proofread.formats.escapes import split_atoms
from dgemma_ls.proofread.formats.rewrite import atom_index, rewrite, value_of
from dgemma_ls.proofread.types import Region
from dgemma_ls.syntax import has_grammar, outline
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot


def check_structure(
    snapshot: Snapshot, edit: Edit, *, intended: str | None = None
) -> Edit | Refusal:
    """Let an edit pass as it is, or say why not.

    Args:
        snapshot: the document; one of plain text is held to :func:`dgemma_ls.gate.check` alone.
        edit: what shall change.
        intended: what the leaf that the edit lies in shall mean afterwards. Without it, the
            edit's text is taken for plain text, and must mean itself where it stands.

    Raises:
        ValueError: if the edit is of another document or version, or reaches past its end.
    """
    # The real parser goes first: what it refuses can be more than a grammar bears.
    reason = _what_is_wrong(snapshot, edit.apply(snapshot), [edit], intended)
    return gate.check(snapshot, edit) if reason is None else Refusal(reason=reason)


def check_together(snapshot: Snapshot, edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """Give those of several edits that may be applied at once, in document order.

    Reading a long document takes long, so all are tried as one, and halves of them only if that
    fails.

    Args:
        snapshot: the document.
        edits: what shall change; each text is taken for plain text.

    Raises:
        ValueError: if edits overlap, or as :func:`check_structure`.
    """
    ordered = sorted(edits, key=lambda edit: (edit.span.start, edit.span.end))
    if any(a.span.end > b.span.start for a, b in pairwise(ordered)):
        raise ValueError("edits overlap")
    return tuple(_passing(snapshot, ordered))


def leaf_edit(snapshot: Snapshot, region: Region, new_decoded_text: str) -> Edit | Refusal:
    """Write a new text into a leaf, in the style in which it is written.

    Escapes, quotes and folds of what stays are left as they are.

    Args:
        snapshot: a structured document.
        region: a region of kind ``VALUE`` of it, or any part of one leaf.
        new_decoded_text: what the region shall mean, without escapes.

    Returns:
        An edit that has passed :func:`check_structure`, or why there is none.
    """
    structure = None
    if has_format(snapshot.language_id):
        structure = read_structure(snapshot.language_id, snapshot.text)
    leaf = _leaf_around(structure, region.span)
    if leaf is None:
        return Refusal(reason=RefusalReason.NOT_EXPRESSIBLE)
    raw = snapshot.text[leaf.span.start : leaf.span.end]
    atoms = split_atoms(leaf.style, raw, leaf.value)
    first = None if atoms is None else atom_index(atoms, region.span.start - leaf.span.start)
    last = None if atoms is None else atom_index(atoms, region.span.end - leaf.span.start)
    if atoms is None or first is None or last is None:
        return Refusal(reason=RefusalReason.NOT_EXPRESSIBLE)
    replacement = rewrite(leaf.style, raw, atoms[first:last], new_decoded_text)
    if replacement is None:
        return Refusal(reason=RefusalReason.NOT_EXPRESSIBLE)
    n_before, n_after, new_raw = replacement
    start = region.span.start + n_before
    edit = Edit(
        uri=snapshot.uri,
        version=snapshot.version,
        span=Span(start=start, end=max(region.span.end - n_after, start)),
        new_text=new_raw,
    )
    intended = value_of(atoms[:first]) + new_decoded_text + value_of(atoms[last:])
    return check_structure(snapshot, edit, intended=intended)


def _passing(snapshot: Snapshot, edits: list[Edit]) -> list[Edit]:
    if not edits or _pass_as_one(snapshot, edits):
        return edits
    if len(edits) == 1:
        return []
    middle = len(edits) // 2
    left, right = _passing(snapshot, edits[:middle]), _passing(snapshot, edits[middle:])
    return left + right if _pass_as_one(snapshot, left + right) else left or right


def _pass_as_one(snapshot: Snapshot, edits: list[Edit]) -> bool:
    if not edits:
        return True
    start, end = edits[0].span.start, edits[-1].span.end
    pieces, position = [], start
    for edit in edits:
        pieces += [snapshot.text[position : edit.span.start], edit.new_text]
        position = edit.span.end
    one = replace(edits[0], span=Span(start=start, end=end), new_text="".join(pieces))
    if _what_is_wrong(snapshot, one.apply(snapshot), edits, None) is not None:
        return False
    return not isinstance(gate.check(snapshot, one), Refusal)


def _what_is_wrong(
    snapshot: Snapshot, after: str, edits: Sequence[Edit], intended: str | None
) -> RefusalReason | None:
    language_id, text = snapshot.language_id, snapshot.text
    if has_format(language_id):
        old, new = read_structure(language_id, text), read_structure(language_id, after)
        if old is None or new is None:
            return RefusalReason.BREAKS_PARSE
        same = _is_intended(text, edits, old, new, intended)
    else:
        same = not has_grammar(language_id) or (
            outline(language_id, text) == outline(language_id, after)
        )
    return None if same else RefusalReason.CHANGES_STRUCTURE


def _is_intended(
    text: str, edits: Sequence[Edit], old: Structure, new: Structure, intended: str | None
) -> bool:
    if old.skeleton != new.skeleton or len(old.leaves) != len(new.leaves):
        return False
    starts = [edit.span.start for edit in edits]
    for before, after in zip(old.leaves, new.leaves, strict=True):
        first = bisect_left(starts, before.span.start)
        inside = edits[first : bisect_right(starts, before.span.end)]
        expected: str | None = before.value
        if inside and all(_holds(before.span, edit.span) for edit in inside):
            expected = intended if intended is not None else _meant(text, inside, before)
        if after.value != expected:
            return False
    return True


def _meant(text: str, edits: Sequence[Edit], leaf: Leaf) -> str | None:
    """Give the leaf's value with the edits' texts in it as plain text."""
    atoms = split_atoms(leaf.style, text[leaf.span.start : leaf.span.end], leaf.value)
    if atoms is None:
        return None
    pieces, position = [], 0
    for edit in edits:
        first = atom_index(atoms, edit.span.start - leaf.span.start)
        last = atom_index(atoms, edit.span.end - leaf.span.start)
        if first is None or last is None:
            return None
        pieces += [value_of(atoms[position:first]), edit.new_text]
        position = last
    return "".join([*pieces, value_of(atoms[position:])])


def _leaf_around(structure: Structure | None, span: Span) -> Leaf | None:
    if structure is None:
        return None
    return next((leaf for leaf in structure.leaves if _holds(leaf.span, span)), None)


def _holds(place: Span, span: Span) -> bool:
    return place.start <= span.start and span.end <= place.end
