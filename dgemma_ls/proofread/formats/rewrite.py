"""A new text for a part of a leaf, written with as much of the old as stays."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from dgemma_ls.proofread.formats.escapes import Atom, encode
from dgemma_ls.proofread.formats.types import Style

_MAX_COMPARED = 2_000  # characters; beyond, what is between the ends is written anew


def rewrite(style: Style, raw: str, atoms: Sequence[Atom], new: str) -> tuple[int, int, str] | None:
    """Write a text in place of atoms.

    Args:
        style: how the leaf is written.
        raw: the whole leaf as it is written.
        atoms: the part of it to replace.
        new: plain text.

    Returns:
        How many raw characters stay at the start and at the end, and what stands between them;
        ``None`` if the style cannot say it.
    """
    old = [atom.value for atom in atoms]
    start, at = 0, 0
    while start < len(old) and new.startswith(old[start], at):
        at += len(old[start])
        start += 1
    end, until = len(old), len(new)
    while end > start and until - len(old[end - 1]) >= at and new.endswith(old[end - 1], at, until):
        until -= len(old[end - 1])
        end -= 1
    middle, pieces = new[at:until], []
    for tag, a, b, c, d in _operations(old[start:end], middle):
        if tag == "equal":
            pieces.append("".join(atom.raw for atom in atoms[start + a : start + b]))
            continue
        written = encode(style, middle[c:d], raw)
        if written is None:
            return None
        pieces.append(written)
    n_before = sum(len(atom.raw) for atom in atoms[:start])
    n_after = sum(len(atom.raw) for atom in atoms[end:])
    return n_before, n_after, "".join(pieces)


def _operations(old: Sequence[str], new: str) -> Sequence[tuple[str, int, int, int, int]]:
    if max(len(old), len(new)) > _MAX_COMPARED:
        return [("replace", 0, len(old), 0, len(new))]
    return SequenceMatcher(None, old, list(new), autojunk=False).get_opcodes()


def atom_index(atoms: Sequence[Atom], offset: int) -> int | None:
    """Give the atom that begins at an offset of the raw text, ``None`` if it is inside one."""
    position = 0
    for index, atom in enumerate(atoms):
        if position >= offset:
            return index if position == offset else None
        position += len(atom.raw)
    return len(atoms) if position == offset else None


def value_of(atoms: Sequence[Atom]) -> str:
    """Give what atoms mean together."""
    return "".join(atom.value for atom in atoms)
