"""Copies are found by their neighbours; letters stand for tokens here."""

from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.infill.copy import Copy, propose_copies

texts = st.lists(st.integers(0, 4), max_size=40)


def _copies(before: str, after: str, *, longest: int = 8, n_proposals: int = 3) -> list[str]:
    copies = propose_copies(
        [ord(char) for char in before],
        [ord(char) for char in after],
        lengths=range(1, longest + 1),
        n_proposals=n_proposals,
    )
    return ["".join(map(chr, copy.ids)) for copy in copies]


def test_what_stood_between_the_same_neighbours_is_proposed() -> None:
    assert _copies("for x in xs: f(x); for ", " in ys: g")[0] == "x"


def test_the_longer_match_comes_first() -> None:
    assert _copies("ab1yz .. b2y .. ab", "yz")[:2] == ["1", "2"]


def test_of_equal_matches_the_nearer_one_comes_first() -> None:
    assert _copies("a1b a2b a3b a", "b", n_proposals=2) == ["3", "2"]


def test_text_after_the_gap_counts_too() -> None:
    assert _copies("a", "b .. a7b")[0] == "7"


def test_one_neighbour_alone_is_no_match() -> None:
    assert _copies("a1c a", "b") == []


def test_nothing_comes_of_a_gap_at_the_edge_of_a_document() -> None:
    assert _copies("", "b a1b") == []
    assert _copies("a1b a", "") == []


def test_only_the_lengths_asked_for_are_proposed() -> None:
    assert _copies("a123b a1b a", "b", longest=2) == ["1"]


def _naive(before: list[int], after: list[int], longest: int) -> set[Copy]:
    """Every stretch of either text, compared token by token."""
    found = set()
    for text in (before, after):
        for start in range(len(text)):
            for end in range(start + 1, min(len(text), start + longest) + 1):
                n_left = 0
                while (
                    n_left < min(16, start, len(before))
                    and text[start - 1 - n_left] == before[-1 - n_left]
                ):
                    n_left += 1
                n_right = 0
                while (
                    n_right < min(8, len(text) - end, len(after))
                    and text[end + n_right] == after[n_right]
                ):
                    n_right += 1
                if n_left and n_right:
                    found.add(Copy(ids=tuple(text[start:end]), n_left=n_left, n_right=n_right))
    return found


@given(texts, texts, st.integers(1, 6))
def test_the_best_match_of_every_text_is_found(
    before: list[int], after: list[int], longest: int
) -> None:
    copies = propose_copies(before, after, lengths=range(1, longest + 1), n_proposals=1000)
    naive = _naive(before, after, longest)

    assert set(copies) <= naive
    assert {copy.ids for copy in copies} == {copy.ids for copy in naive}
    for copy in copies:
        rivals = [rival for rival in naive if rival.ids == copy.ids]
        assert copy.n_left + copy.n_right == max(rival.n_left + rival.n_right for rival in rivals)
    strengths = [copy.n_left + copy.n_right for copy in copies]
    assert strengths == sorted(strengths, reverse=True)
