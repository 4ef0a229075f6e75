"""Texts that are pieces of a document: read, and checked, as what they are pieces of.

A selection, a hunk or a file in which someone types may lack the marks that open or close a
docstring or a fence; then a parser takes prose for code, and code for prose. ``excerpts`` knows
what is lacking where a text shows it; here the text gets it, and what is found its own offsets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from dgemma_engine.types import Span
from dgemma_ls.proofread import regions
from dgemma_ls.proofread.excerpts import what_is_cut_off
from dgemma_ls.proofread.language import Language, judge_language
from dgemma_ls.proofread.regions import identifiers_of
from dgemma_ls.proofread.steps import Steps, run_through
from dgemma_ls.proofread.structured import check_structure, check_together
from dgemma_ls.proofread.types import Region
from dgemma_ls.syntax import find_flaws
from dgemma_ls.types import Edit, Refusal, Snapshot

_MOSTLY = 0.5  # of a text's characters, flawed
_MAX_CHARACTERS = 50_000  # what is longer is a whole file


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A snapshot with what it lacks.

    Attributes:
        snapshot: with the marks.
        n_before: characters put before the text.
        n_after: characters put behind it.
    """

    snapshot: Snapshot
    n_before: int
    n_after: int

    @property
    def is_changed(self) -> bool:
        """Whether it lacked anything."""
        return bool(self.n_before or self.n_after)


@lru_cache(maxsize=4)  # regions, names and every edit of a snapshot ask for it
def completed(snapshot: Snapshot) -> Completed:
    """Give a snapshot what it lacks to be whole; mostly nothing.

    Args:
        snapshot: a document, perhaps a piece of one.
    """
    language_id, text = snapshot.language_id, snapshot.text
    before, after = what_is_cut_off(language_id, text)
    if not before and not after and _is_inside_docstring(language_id, text):
        before, after = '"""\n', '\n"""'
    whole = replace(snapshot, text=before + text + after) if before or after else snapshot
    return Completed(snapshot=whole, n_before=len(before), n_after=len(after))


def regions_of(snapshot: Snapshot, *, strings: bool = False) -> tuple[Region, ...]:
    """Find regions as :func:`dgemma_ls.proofread.regions.find_regions` does.

    Args:
        snapshot: a document, perhaps a piece of one.
        strings: take the strings of programs too.
    """
    return run_through(region_steps(snapshot, strings=strings))


def region_steps(snapshot: Snapshot, *, strings: bool = False) -> Steps[tuple[Region, ...]]:
    """Find regions as :func:`regions_of` does, a paragraph at each step."""
    whole = completed(snapshot)
    yield
    regions_of_whole = yield from regions.region_steps(whole.snapshot, strings=strings)
    if not whole.is_changed:
        return regions_of_whole
    n_shift, n_text = whole.n_before, len(snapshot.text)
    found = []
    for region in regions_of_whole:
        start, end = max(region.span.start - n_shift, 0), min(region.span.end - n_shift, n_text)
        if start >= end:
            continue
        protected = tuple(
            Span(start=max(span.start - n_shift, start), end=min(span.end - n_shift, end))
            for span in region.protected
            if span.end - n_shift > start and span.start - n_shift < end
        )
        span = Span(start=start, end=end)
        found.append(replace(region, span=span, protected=protected))
    return tuple(found)


def names_of(snapshot: Snapshot) -> frozenset[str]:
    """Give identifiers as :func:`dgemma_ls.proofread.regions.identifiers_of` does.

    Args:
        snapshot: a document, perhaps a piece of one.
    """
    return identifiers_of(completed(snapshot).snapshot)


def check_fragment(snapshot: Snapshot, edit: Edit) -> Edit | Refusal:
    """Check as :func:`dgemma_ls.proofread.structured.check_structure` does.

    Args:
        snapshot: a document, perhaps a piece of one.
        edit: of it.
    """
    whole = completed(snapshot)
    verdict = check_structure(whole.snapshot, _moved(edit, whole))
    return verdict if isinstance(verdict, Refusal) else edit


def check_fragments(snapshot: Snapshot, edits: Sequence[Edit]) -> list[Edit]:
    """Give those of several edits that may be made at once, in document order.

    Args:
        snapshot: a document, perhaps a piece of one.
        edits: of it; they do not overlap.
    """
    whole = completed(snapshot)
    moved = {_moved(edit, whole): edit for edit in edits}
    return [moved[edit] for edit in check_together(whole.snapshot, list(moved))]


def _moved(edit: Edit, whole: Completed) -> Edit:
    start, end = edit.span.start + whole.n_before, edit.span.end + whole.n_before
    return replace(edit, span=Span(start=start, end=end))


def _is_inside_docstring(language_id: str, text: str) -> bool:
    """Without any mark to go by, only what is prose throughout may be inside a docstring."""
    if language_id != "python" or len(text) > _MAX_CHARACTERS:
        return False
    if '"""' in text or "'''" in text:
        return False
    if judge_language(text) is not Language.ENGLISH:
        return False
    flaws = [flaw for flaw in find_flaws(language_id, text) if not flaw.nested]
    return sum(flaw.span.end - flaw.span.start for flaw in flaws) > len(text) * _MOSTLY
