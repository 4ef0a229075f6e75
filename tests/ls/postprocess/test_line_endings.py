"""New text is written as the document is."""

import re

import pytest
from hypothesis import given

from dgemma_ls.postprocess.line_endings import use_line_endings
from dgemma_ls.types import Snapshot
from tests.strategies import texts


def written(text: str, document: str) -> str:
    return use_line_endings(text, Snapshot(uri="a", version=1, language_id="python", text=document))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("x\r\ny\r\n", "a\r\nb\r\nc\r\n"),
        ("x\ny\n", "a\nb\nc\n"),
        ("x\ry", "a\rb\rc\r"),
        ("x\r\ny\r\nz\n", "a\r\nb\r\nc\r\n"),
        ("", "a\nb\nc\n"),
    ],
)
def test_the_documents_most_frequent_line_end_is_used(document: str, expected: str) -> None:
    assert written("a\nb\r\nc\r", document) == expected


@given(texts(), texts())
def test_nothing_but_line_ends_changes(text: str, document: str) -> None:
    line_end = re.compile(r"\r\n|\n|\r")

    assert line_end.split(written(text, document)) == line_end.split(text)
