"""Where typos may be looked for in a document, and what must be left alone there.

Pure: it parses, and knows no files, engine or protocol. What a region is and means stands in
:mod:`dgemma_ls.proofread.types`.
"""

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import add

from dgemma_engine.types import Span
from dgemma_ls.proofread.assemble import free_text
from dgemma_ls.proofread.code import comment_regions, string_regions
from dgemma_ls.proofread.excerpts import what_is_cut_off
from dgemma_ls.proofread.formats import has_format, read_structure
from dgemma_ls.proofread.language import Evidence, Language, gather_evidence, judge
from dgemma_ls.proofread.markdown import markdown_regions
from dgemma_ls.proofread.queries import names_query
from dgemma_ls.proofread.steps import Steps, run_through
from dgemma_ls.proofread.text import commit_message_regions, text_regions
from dgemma_ls.proofread.types import Region, RegionKind
from dgemma_ls.proofread.values import value_regions
from dgemma_ls.syntax import PLAINTEXT, has_grammar, pieces, texts_of
from dgemma_ls.types import Snapshot

__all__ = [
    "Region",
    "RegionKind",
    "find_regions",
    "identifiers_in",
    "identifiers_of",
    "in_order",
    "region_steps",
    "regions_of_piece",
]

_TEXTS = frozenset({PLAINTEXT, "restructuredtext", "text", "txt"})


def find_regions(
    snapshot: Snapshot, *, strings: bool = False, any_language: bool = False
) -> tuple[Region, ...]:
    """Find the paragraphs, comments, docstrings and values in which typos may be looked for.

    Args:
        snapshot: a document of any language; one without prose gives nothing.
        strings: take the strings of programs too.
        any_language: take paragraphs that are not English too.

    Returns:
        Regions in document order that do not overlap.
    """
    return run_through(region_steps(snapshot, strings=strings, any_language=any_language))


def region_steps(
    snapshot: Snapshot, *, strings: bool = False, any_language: bool = False
) -> Steps[tuple[Region, ...]]:
    """Find regions as :func:`find_regions` does, a paragraph at each step."""
    found: list[Region] = []
    for region in _candidates(snapshot.language_id, snapshot.text, strings=strings):
        found.append(region)
        yield
    candidates = in_order(found)
    if any_language:
        return tuple(candidates)
    evidence: list[Evidence] = []
    for region in candidates:
        evidence.append(gather_evidence(free_text(snapshot.text, region)))
        yield
    return tuple(_english(candidates, evidence))


def regions_of_piece(language_id: str, piece: str, *, strings: bool) -> Iterator[Region]:
    """Find regions of a file, or of a piece of a long one, whatever their language; in no order.

    Args:
        language_id: of the file.
        piece: one of ``syntax.pieces``.
        strings: take the strings of programs too.
    """
    if language_id == "markdown":
        yield from value_regions(language_id, piece)
        yield from markdown_regions(piece)
    elif language_id in ("git-commit", "gitcommit"):
        yield from commit_message_regions(piece)
    elif language_id in _TEXTS:
        yield from text_regions(piece)
    elif not has_format(language_id) or read_structure(language_id, piece) is not None:
        # Where a parser refuses the document, no edit could be checked.
        yield from value_regions(language_id, piece)
        yield from comment_regions(language_id, piece)
        if strings:
            yield from string_regions(language_id, piece)


def in_order(regions: Iterable[Region]) -> list[Region]:
    """Sort, and leave out what overlaps an earlier region."""
    result: list[Region] = []
    for region in sorted(regions, key=lambda region: (region.span.start, -region.span.end)):
        if not result or region.span.start >= result[-1].span.end:
            result.append(region)
    return result


def identifiers_of(snapshot: Snapshot) -> frozenset[str]:
    """Give the names in a program as they are written, that words equal to them be left alone."""
    text = snapshot.text
    return frozenset().union(
        *(
            identifiers_in(snapshot.language_id, text[piece.start : piece.end])
            for piece in pieces(snapshot.language_id, text)
        )
    )


def identifiers_in(language_id: str, piece: str) -> frozenset[str]:
    """Give the names in a program, or in a piece of a long one."""
    query = names_query(language_id)
    if query is None or not has_grammar(language_id):
        return frozenset()
    return texts_of(language_id, piece, query)


def _candidates(language_id: str, text: str, *, strings: bool) -> Iterator[Region]:
    before, after = what_is_cut_off(language_id, text)
    if before or after:
        whole = before + text + after
        document = Span(start=len(before), end=len(before) + len(text))
        found = _candidates_of_file(language_id, whole, strings=strings)
        yield from (region.moved(-len(before)) for region in found if region.within(document))
    else:
        yield from _candidates_of_file(language_id, text, strings=strings)


def _candidates_of_file(language_id: str, text: str, *, strings: bool) -> Iterator[Region]:
    for piece in pieces(language_id, text):
        content = text[piece.start : piece.end]
        for region in regions_of_piece(language_id, content, strings=strings):
            yield region.moved(piece.start) if piece.start else region


def _english(regions: list[Region], evidence: list[Evidence]) -> Iterator[Region]:
    """Keep what is English; a paragraph too short to tell goes with the document."""
    verdicts = [judge(one) for one in evidence]
    document = judge(reduce(add, evidence, Evidence.none())) is Language.ENGLISH
    for region, one, verdict in zip(regions, evidence, verdicts, strict=True):
        unsure = verdict is Language.UNKNOWN and not (one.n_other or one.n_accented)
        if verdict is Language.ENGLISH or (unsure and document and one.n_words):
            yield region
