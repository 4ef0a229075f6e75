"""What must never be touched within prose: one small detector per kind of thing.

A detector takes a text and gives the ranges that it claims, in any order, overlapping or not.
It knows no document: :func:`find_protected` merges what all of them claim.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

from dgemma_ls.proofread.protected.lines import directives, licence_lines
from dgemma_ls.proofread.protected.markup import (
    entities,
    inline_code,
    link_targets,
    maths,
    placeholders,
    roles_and_references,
    tags,
)
from dgemma_ls.proofread.protected.mentions import quoted_mentions
from dgemma_ls.proofread.protected.names import names_in_sentences
from dgemma_ls.proofread.protected.places import emails, handles, paths, urls
from dgemma_ls.proofread.protected.words import (
    flags,
    foreign_scripts,
    identifiers,
    numbers,
    shouted_words,
    versions,
)

Detector = Callable[[str], Iterable[tuple[int, int]]]

DETECTORS: tuple[Detector, ...] = (
    inline_code,
    roles_and_references,
    link_targets,
    placeholders,
    tags,
    entities,
    maths,
    urls,
    emails,
    handles,
    paths,
    identifiers,
    shouted_words,
    numbers,
    versions,
    flags,
    foreign_scripts,
    names_in_sentences,
    quoted_mentions,
    directives,
    licence_lines,
)


@lru_cache(maxsize=8192)  # of the paragraphs of an edited document, most are as they were
def find_protected(text: str) -> tuple[tuple[int, int], ...]:
    """Give the ranges of a paragraph that must not be touched: sorted, disjoint, not empty."""
    return tuple(merged(claim for detect in DETECTORS for claim in detect(text)))


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sort ranges, join those that touch or overlap, and drop empty ones."""
    result: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result
