"""Thousands of edits in documents that libraries wrote, judged by parsers other than ours."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dgemma_ls.proofread.formats import read_structure
from dgemma_ls.proofread.structured import check_structure, leaf_edit
from dgemma_ls.proofread.types import Region, RegionKind
from dgemma_ls.types import Edit, Snapshot
from tests.ls.proofread.documents import FORMATS, judge, strings


def edit_documents(language_id: str, n_documents: int) -> int:
    """Rewrite and edit every leaf of many documents; give the number of edits that passed."""
    documents, read = FORMATS[language_id]
    n_edits = 0

    @settings(
        max_examples=n_documents,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(documents, strings, st.data())
    def run(text: str, new: str, choose: st.DataObject) -> None:
        nonlocal n_edits
        document = Snapshot(uri="file:///a", version=1, language_id=language_id, text=text)
        structure = read_structure(language_id, text)
        if structure is None:  # tomli-w and ElementTree write what their readers refuse, rarely
            return
        for leaf in structure.leaves:
            region = Region(span=leaf.span, kind=RegionKind.VALUE, protected=())
            results = [leaf_edit(document, region, new)]
            if leaf.span.end > leaf.span.start:
                at = choose.draw(st.integers(leaf.span.start, leaf.span.end))
                here = type(leaf.span)(start=at, end=at)
                insertion = Edit(uri=document.uri, version=1, span=here, new_text=new)
                results.append(check_structure(document, insertion))
            for result in results:
                if isinstance(result, Edit):
                    n_edits += 1
                    judge(language_id, read, document, result)

    run()
    return n_edits


@pytest.mark.parametrize("language_id", FORMATS)
def test_edits_of_written_documents_change_one_text(language_id: str) -> None:
    assert edit_documents(language_id, 40) > 30


@pytest.mark.slow
@pytest.mark.parametrize("language_id", FORMATS)
def test_thousands_of_edits_change_one_text_each(language_id: str) -> None:
    assert edit_documents(language_id, 400) > 900
