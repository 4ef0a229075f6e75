"""Synthetic errors: one a passage, of the kind that was asked for, and the rest as it was."""

import random

import pytest

from dgemma_ls.evaluation.typo_noise import corrupt
from dgemma_ls.proofread.fixes import Knowledge, examine
from dgemma_ls.proofread.proposals import Kind
from tests.ls.proofread.support import snapshot

TEXT = (
    "The server reads the file that was given to it and returns a value to the client.\n"
    "It is used when an option of the program is set, and the value can be read by others.\n"
)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("seed", range(12))
def test_one_error_of_a_kind_and_all_else_stays(kind: Kind, seed: int) -> None:
    knowledge = Knowledge.load()
    document = examine(snapshot(TEXT), knowledge).document
    change = corrupt(document, kind, knowledge.lexicon, random.Random(seed))
    if change is None:
        return
    wrong, at, _ = change
    assert wrong != TEXT
    assert wrong[:at] == TEXT[:at]
    n_words = len(wrong.split()) - len(TEXT.split())
    assert n_words == {Kind.DOUBLED: 1, Kind.MISSING: -1}.get(kind, n_words)
    if kind is Kind.NONWORD:
        (word,) = set(wrong.split()) - set(TEXT.split())
        assert not knowledge.lexicon.knows(word.strip(".,"))
    if kind is Kind.REALWORD:
        assert n_words == 0
        for word in set(wrong.split()) - set(TEXT.split()):
            assert knowledge.lexicon.knows(word.strip(".,"))


def test_the_same_seed_gives_the_same_error() -> None:
    knowledge = Knowledge.load()
    document = examine(snapshot(TEXT), knowledge).document
    first, second = (
        corrupt(document, Kind.NONWORD, knowledge.lexicon, random.Random(3)) for _ in range(2)
    )
    assert first == second
