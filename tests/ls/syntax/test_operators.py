"""Operators that are easily confused, and signs that are none."""

import pytest

from dgemma_engine.types import Span
from dgemma_ls.syntax import operators_in


@pytest.mark.parametrize(
    ("language_id", "text", "expected"),
    [
        ("python", "if a in b and c is not d: f(*e, **g); h = i * j", "in and is not *"),
        ("python", "for a in b:\n    '1 < 2'  # 3 > 4", ""),
        ("typescript", "const a: Map<string, number> = b < c && d === true;", "< && === true"),
        ("c", "int *p = &q; int r = a * b;", "*"),
        ("rust", "let a: Vec<i32> = b; let c = d <= e || false;", "<= || false"),
        ("plaintext", "a < b", ""),
    ],
)
def test_operators_are_found_where_they_stand_between_expressions(
    language_id: str, text: str, expected: str
) -> None:
    found = operators_in(language_id, text, Span(start=0, end=len(text)))
    assert " ".join(text[span.start : span.end] for span, _ in found) == expected
    assert all(text[span.start : span.end] not in others for span, others in found)
