"""What might stand where something may be wrong: the value that all of proofreading shares."""

import enum
from dataclasses import dataclass, field

from dgemma_engine.types import Span


class Kind(enum.Enum):
    """Kinds of error; the values are stable words for JSON and diagnostics."""

    NONWORD = "nonword"
    REALWORD = "realword"
    DOUBLED = "doubled"
    MISSING = "missing"
    GRAMMAR = "grammar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One way to change one place.

    Attributes:
        kind: of error that it would mend.
        span: what to replace, code points of the document.
        new_text: by what.
        place: index of the passage, of the first token replaced, and of the first after them.
        features: what speaks for it, by name.
    """

    kind: Kind
    span: Span
    new_text: str
    place: tuple[int, int, int]
    features: dict[str, float] = field(default_factory=dict)


def cased_like(word: str, model: str) -> str:
    """Give ``word`` the capitals of ``model``."""
    if model.isupper() and len(model) > 1:
        return word.upper()
    if model[:1].isupper():
        return word[:1].upper() + word[1:]
    return word
