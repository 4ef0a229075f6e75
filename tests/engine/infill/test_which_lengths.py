"""Which lengths are denoised as well."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.infill.causal import Continuation
from dgemma_engine.infill.fill import FilledRow
from dgemma_engine.infill.planner import CanvasRow
from dgemma_engine.infill.proposals import Scored
from dgemma_engine.infill.which_lengths import lengths_to_refine
from dgemma_engine.types import Draft, Origin
from tests.engine.conftest import Pair
from tests.engine.infill.test_repair import PREFIX, SUFFIX


def denoised(n_tokens: int, score: float) -> Scored:
    row = CanvasRow(ids=(0,) * 16, start=4, n_tokens=n_tokens, n_right=4, must_start=b"")
    filled = FilledRow(row=row, ids=(1,) * n_tokens, confidence=0.0, forwards=1)
    return Scored(proposal=filled, text="x" * n_tokens, score=score)


def draft(n_tokens: int, score: float) -> Scored:
    path = Continuation(ids=(1,) * n_tokens, log_prob=score, log_follow=0.0)
    return Scored(proposal=path, text="x" * n_tokens, score=score)


def check(scored: Sequence[Scored], expected: tuple[int, ...], *, radius: int = 2) -> None:
    tried = {len(one.proposal.ids) for one in scored if isinstance(one.proposal, FilledRow)}
    assert lengths_to_refine(scored, tried, radius=radius, longest=12) == expected


def test_neighbours_of_a_best_length_that_is_close_to_another() -> None:
    close = [denoised(4, -5.0), denoised(8, -6.0)]
    check(close, (3, 5, 2, 6))
    check(close, (3, 5), radius=1)
    check(close, (), radius=0)
    check([denoised(4, -5.0), denoised(5, -6.0)], (3, 2, 6))  # 5 was tried
    check([denoised(1, -5.0), denoised(8, -6.0)], (2, 3))


def test_neighbours_of_the_longest_length_which_may_be_too_short() -> None:
    check([denoised(4, -50.0), denoised(8, -5.0)], (7, 9, 6, 10))
    check([denoised(12, -5.0)], (11, 10))


def test_none_where_the_best_length_is_in_no_doubt() -> None:
    check([denoised(4, -5.0), denoised(8, -50.0)], ())


def test_none_where_a_draft_is_far_better() -> None:
    check([denoised(4, -50.0), denoised(8, -51.0), draft(3, -5.0)], ())
    check([denoised(4, -6.0), denoised(8, -7.0), draft(3, -5.0)], (3, 5, 2, 6))
    check([draft(3, -5.0)], ())


scores = st.floats(-40, 0)


@given(
    rows=st.lists(st.tuples(st.integers(1, 12), scores), max_size=5),
    drafts=st.lists(st.tuples(st.integers(1, 12), scores), max_size=3),
    radius=st.integers(0, 3),
)
def test_only_lengths_that_fit_and_were_not_tried_none_twice(
    rows: list[tuple[int, float]], drafts: list[tuple[int, float]], radius: int
) -> None:
    scored = [denoised(*row) for row in rows] + [draft(*one) for one in drafts]
    tried = {n for n, _ in rows}
    more = lengths_to_refine(scored, tried, radius=radius, longest=12)

    assert len(set(more)) == len(more) <= 2 * radius
    assert all(1 <= n <= 12 and n not in tried for n in more)
    if more:
        best = max(rows, key=lambda row: row[1])
        assert any(abs(n - best[0]) <= radius for n in more)


def test_neighbours_are_denoised_and_judged_among_the_others(textual: Pair) -> None:
    def lengths(radius: int) -> tuple[set[int], int]:
        engine = textual.engine.with_infill_settings(refine_radius=radius, n_lengths=1)
        found = engine.infill(PREFIX + "\n", SUFFIX, n_candidates=99, proposers={Origin.DENOISED})
        return {candidate.n_tokens for candidate in found.candidates}, found.token_forwards

    (one, less), (several, more) = lengths(0), lengths(2)
    (only,) = one
    assert one < several <= set(range(only - 2, only + 3))
    assert less < more


@pytest.mark.parametrize("told", [True, False])
def test_a_length_that_is_told_has_no_neighbours(textual: Pair, told: bool) -> None:
    engine = textual.engine.with_infill_settings(refine_radius=2, n_lengths=1)
    steps: list[Draft] = []
    engine.infill(
        PREFIX + "\n", SUFFIX, lengths=(3,) if told else None, steps=1, on_step=steps.append
    )
    assert len(steps) == (1 if told else 2)
