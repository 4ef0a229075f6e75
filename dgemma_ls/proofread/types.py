"""The values of proofreading: where typos may be looked for, and what is found there.

Light by intent: the server knows them from its start.
"""

import enum
from dataclasses import dataclass

from dgemma_engine.types import Span
from dgemma_ls.proofread.proposals import Kind


class RegionKind(enum.Enum):
    """What a region is; the values are stable words for JSON and options."""

    PROSE = "prose"
    """Running text: a paragraph, a heading, a list item, a table cell."""
    COMMENT = "comment"
    """Consecutive comments of a program, or a paragraph of a long one."""
    DOCSTRING = "docstring"
    """A paragraph of a docstring."""
    STRING = "string"
    """A string of a program that a user may see."""
    VALUE = "value"
    """A leaf of a structured document: a JSON string, a YAML scalar, XML text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A paragraph-sized piece of a document in which typos may be looked for.

    Line breaks between its lines are white space and not listed as protected; what stands before
    a line's text (comment marker, indentation, quote prefix) is.

    Attributes:
        span: code points of the document.
        kind: what it is.
        protected: what must never be touched, in code points of the document: sorted, disjoint,
            not empty, within ``span``.
    """

    span: Span
    kind: RegionKind
    protected: tuple[Span, ...]

    @property
    def free(self) -> tuple[Span, ...]:
        """What is left of the span without what is protected, in order."""
        pieces, start = [], self.span.start
        for span in self.protected:
            if span.start > start:
                pieces.append(Span(start=start, end=span.start))
            start = span.end
        if start < self.span.end:
            pieces.append(Span(start=start, end=self.span.end))
        return tuple(pieces)

    def within(self, place: Span) -> bool:
        """Say whether the whole region lies in a part of the document."""
        return place.start <= self.span.start and self.span.end <= place.end

    def moved(self, by: int) -> "Region":
        """Give the same region ``by`` code points further on."""
        return Region(
            span=Span(start=self.span.start + by, end=self.span.end + by),
            kind=self.kind,
            protected=tuple(Span(start=p.start + by, end=p.end + by) for p in self.protected),
        )


class Tier(enum.Enum):
    """How a fix may be used; the values are stable words for options and JSON."""

    SAFE = "safe"
    """Made without asking."""
    SUGGEST = "suggest"
    """Shown, and made when the user says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A typo and what should stand there.

    Attributes:
        span: what to replace, code points.
        old: its text.
        new: the replacement; empty where a word is one too many.
        kind: of error.
        tier: how sure it is.
        probability: that an author would make this fix.
        others: other replacements, best first.
        word: the word in question, for dictionaries: that which is wrong, or lacking.
    """

    span: Span
    old: str
    new: str
    kind: Kind
    tier: Tier
    probability: float
    others: tuple[str, ...]
    word: str
