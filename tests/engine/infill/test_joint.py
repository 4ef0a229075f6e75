"""Several gaps in one canvas."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgemma_engine import CancelToken, RequestError, Span, StopReason
from tests.engine.conftest import Pair
from tests.engine.oracle import TRAINING_TEXT

TEXT = TRAINING_TEXT[:160]


def filled(text: str, spans: list[Span], texts: tuple[str, ...]) -> str:
    for span, new in reversed(list(zip(spans, texts, strict=True))):
        text = text[: span.start] + new + text[span.end :]
    return text


@settings(max_examples=15, deadline=None)
@given(
    cuts=st.lists(st.integers(0, len(TEXT)), min_size=2, max_size=6, unique=True),
    seed=st.integers(0, 9),
)
def test_every_gap_gets_a_text_and_nothing_else_changes(
    textual: Pair, cuts: list[int], seed: int
) -> None:
    ordered = sorted(cuts)
    pairs = zip(ordered[::2], ordered[1::2], strict=False)
    spans = [Span(start=start, end=min(end, start + 6)) for start, end in pairs]
    result = textual.engine.infill_jointly(TEXT, spans, seed=seed, steps=2, n_candidates=20)

    for candidate in result.candidates:
        assert len(candidate.texts) == len(spans)
        assert all(candidate.texts)
        assert not any("\n" in text for text in candidate.texts)
        assert filled(TEXT, spans, candidate.texts).startswith(TEXT[: spans[0].start])
    scores = [candidate.score for candidate in result.candidates]
    assert scores == sorted(scores, reverse=True)
    again = textual.engine.infill_jointly(TEXT, spans, seed=seed, steps=2, n_candidates=20)
    assert again.candidates == result.candidates


def test_one_text_for_all_gaps_is_among_the_candidates(textual: Pair) -> None:
    spans = [Span(start=20, end=24), Span(start=60, end=64), Span(start=100, end=104)]
    result = textual.engine.infill_jointly(TEXT, spans, n_candidates=50)
    assert any(len(set(candidate.texts)) == 1 for candidate in result.candidates)


def test_only_what_is_accepted_is_given(textual: Pair) -> None:
    spans = [Span(start=20, end=24), Span(start=60, end=64)]

    def same(texts: tuple[str, ...]) -> bool:
        return len(set(texts)) == 1

    result = textual.engine.infill_jointly(TEXT, spans, accept=same, n_candidates=50)
    assert result.candidates
    assert all(same(candidate.texts) for candidate in result.candidates)


def test_cancelled_gives_nothing(textual: Pair) -> None:
    cancel = CancelToken()
    cancel.cancel()
    result = textual.engine.infill_jointly(TEXT, [Span(start=3, end=3)], cancel=cancel)
    assert (result.candidates, result.stop) == ((), StopReason.CANCELLED)


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([], "in order"),
        ([Span(start=9, end=12), Span(start=3, end=4)], "in order"),
        ([Span(start=3, end=9), Span(start=8, end=12)], "overlap"),
        ([Span(start=3, end=10_000)], "ends after the text"),
        ([Span(start=3, end=3), Span(start=5_000, end=5_000)], "fewer of them at once"),
    ],
)
def test_spans_that_cannot_be_filled_are_refused(
    textual: Pair, spans: list[Span], said: str
) -> None:
    text = TEXT if "canvas" in said or "text" in said or "order" in said else TEXT * 50
    with pytest.raises(RequestError, match=said):
        textual.engine.infill_jointly(text, spans)
