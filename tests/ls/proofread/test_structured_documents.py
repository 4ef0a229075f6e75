"""Thousands of edits in documents that libraries wrote, judged by parsers other than ours."""

import pytest
from hypothesis import strategies as st

from dgemma_engine.types import Span
from dgemma_ls.proofread.formats import Leaf
from dgemma_ls.proofread.structured import check_structure, leaf_edit
from dgemma_ls.proofread.types import Region, RegionKind
from dgemma_ls.types import Edit, Snapshot
from tests.ls.proofread.documents import FORMATS, edits_that_pass, strings


def edited(document: Snapshot, leaf: Leaf, new: str, choose: st.DataObject) -> list[Edit]:
    """Rewrite a text, and put something in somewhere in it; give what passes."""
    region = Region(span=leaf.span, kind=RegionKind.VALUE, protected=())
    results = [leaf_edit(document, region, new)]
    if leaf.span.end > leaf.span.start:
        at = choose.draw(st.integers(leaf.span.start, leaf.span.end))
        here = Span(start=at, end=at)
        insertion = Edit(uri=document.uri, version=1, span=here, new_text=new)
        results.append(check_structure(document, insertion))
    return [result for result in results if isinstance(result, Edit)]


@pytest.mark.parametrize("language_id", FORMATS)
def test_edits_of_written_documents_change_one_text(language_id: str) -> None:
    assert edits_that_pass(language_id, 40, strings, edited) > 30


@pytest.mark.slow
@pytest.mark.parametrize("language_id", FORMATS)
def test_thousands_of_edits_change_one_text_each(language_id: str) -> None:
    assert edits_that_pass(language_id, 400, strings, edited) > 900
