"""Typos are mended in structured files and none breaks; ``benchmarks/structured.py`` takes more."""

import pytest

from tests.ls.proofread.structured_corpus import run


def test_mending_written_documents_breaks_none() -> None:
    outcome = run(60, with_packages=False)

    assert outcome.regressions == []
    assert outcome.n_edits > 60
    assert outcome.n_leaves > 40


@pytest.mark.slow
def test_mending_files_of_packages_breaks_none() -> None:
    outcome = run(600, seed=2)

    assert outcome.regressions == []
    assert outcome.n_edits > 600
