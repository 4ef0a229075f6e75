"""Reading a text as it stands: doubts of tokens, and which wording is likelier."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dgemma_engine import CancelToken, Place, RequestError, Span
from dgemma_engine.reading import _windows
from tests.engine.conftest import Pair
from tests.engine.oracle import TRAINING_TEXT


def test_every_token_is_read_once_and_together_they_cover_the_text(textual: Pair) -> None:
    text = TRAINING_TEXT * 3
    readings = textual.engine.read(text, window=16)
    assert len(readings) == len(textual.engine.tokenizer.encode(text))
    assert "".join(text[r.span.start : r.span.end] for r in readings) == text
    assert all(reading.surprisal >= 0 for reading in readings)


def test_characters_of_several_tokens_belong_to_each_of_them(textual: Pair) -> None:
    text = "aé😀b"
    spans = [(r.span.start, r.span.end) for r in textual.engine.read(text)]
    assert spans[0] == (0, 1)
    assert spans[-1] == (3, 4)
    assert all(0 <= start < end <= 4 for start, end in spans)
    assert {at for start, end in spans for at in range(start, end)} == {0, 1, 2, 3}


def test_a_margin_is_the_tokens_logit_less_the_best_others(textual: Pair) -> None:
    engine = textual.engine
    text = "def f(path):"
    ids = engine.tokenizer.encode(text)
    logits = engine.model.decode(torch.tensor([ids]), 0, None)[0]
    for at, reading in enumerate(engine.read(text)):
        others = torch.cat((logits[at, : ids[at]], logits[at, ids[at] + 1 :]))
        expected = float(logits[at, ids[at]] - others.max())
        assert reading.margin == pytest.approx(expected, abs=1e-3)


def test_surprisal_is_that_of_the_encoder_after_all_before(textual: Pair) -> None:
    engine = textual.engine
    text = "def f(path):"
    ids = engine.tokenizer.encode(text)
    before = torch.tensor([[engine.config.bos_token_id, *ids[:-1]]])
    hidden, _ = engine.model.encode(before, 0, None, want_output=True)
    assert hidden is not None
    log_probs = torch.log_softmax(engine.model.logits(hidden)[0], dim=-1)
    for at, reading in enumerate(engine.read(text)):
        assert reading.surprisal == pytest.approx(-float(log_probs[at, ids[at]]), abs=1e-3)


@given(st.integers(0, 400), st.integers(8, 64))
@settings(max_examples=100)
def test_what_windows_keep_meets_and_has_context_on_both_sides(n_tokens: int, size: int) -> None:
    overlap = size // 4
    windows = list(_windows(n_tokens, size, overlap))
    kept = [at for window in windows for at in range(window.first, window.last)]
    assert kept == list(range(n_tokens))
    for window in windows:
        assert 0 < window.end - window.start <= size
        assert window.start == max(0, window.first - overlap)
        assert window.last == window.end - overlap or window.end == window.last == n_tokens


def test_a_cancelled_reading_gives_nothing_more(textual: Pair) -> None:
    token = CancelToken()
    token.cancel()
    assert textual.engine.read("def f():", cancel=token) == []
    place = Place(span=Span(start=0, end=3), texts=("def", "for"))
    assert textual.engine.compare("def f():", [place], cancel=token) == []


def test_a_text_compared_with_itself_gains_nothing_and_order_does_not_matter(
    textual: Pair,
) -> None:
    text = TRAINING_TEXT
    span = Span(start=40, end=44)
    old = text[40:44]
    (scores,) = textual.engine.compare(text, [Place(span=span, texts=(old, "(x", old))])
    assert scores[0] == pytest.approx(scores[2], abs=1e-4)
    assert scores[0] != pytest.approx(scores[1], abs=1e-4)
    (again,) = textual.engine.compare(text, [Place(span=span, texts=("(x", old))])
    assert again == pytest.approx((scores[1], scores[0]), abs=1e-3)


def test_places_do_not_touch_the_prefixes_that_an_editor_waits_for(textual: Pair) -> None:
    engine = textual.engine
    engine.prefixes.clear()
    engine.compare(TRAINING_TEXT, [Place(span=Span(start=9, end=12), texts=("abc", "d"))])
    assert engine.prefixes.n_bytes == 0


def test_bad_places_and_windows_are_refused(textual: Pair) -> None:
    with pytest.raises(RequestError, match="bad place"):
        textual.engine.compare("ab", [Place(span=Span(start=1, end=5), texts=("x",))])
    with pytest.raises(RequestError, match="bad place"):
        textual.engine.compare("ab", [Place(span=Span(start=1, end=2), texts=())])
    with pytest.raises(RequestError, match="at least 8"):
        textual.engine.read("ab", window=3)


def test_places_compared_together_see_nothing_of_each_other(textual: Pair) -> None:
    engine, text = textual.engine, TRAINING_TEXT * 6
    places = [
        Place(span=Span(start=at, end=at + 4), texts=(text[at : at + 4], "(x", " return y"))
        for at in range(0, len(text) - 4, 37)
    ]
    together = engine.compare(text, places)
    for place, scores in zip(places, together, strict=True):
        assert engine.compare(text, [place]) == [pytest.approx(scores, abs=1e-3)]


def test_a_comparison_is_what_the_encoder_says_of_context_and_text(textual: Pair) -> None:
    engine, text, span = textual.engine, TRAINING_TEXT, Span(start=40, end=44)
    ((score,),) = engine.compare(text, [Place(span=span, texts=("(x",))])
    known = engine.tokenizer.encode(text[:40])
    follows = engine.tokenizer.decode(engine.tokenizer.encode(text[44:124])[:8])
    ids = [*known, *engine.tokenizer.encode("(x" + follows)]
    hidden, _ = engine.model.encode(torch.tensor([ids[:-1]]), 0, None, want_output=True)
    assert hidden is not None
    log_probs = torch.log_softmax(engine.model.logits(hidden)[0], dim=-1)
    expected = sum(float(log_probs[at - 1, ids[at]]) for at in range(len(known), len(ids)))
    assert score == pytest.approx(expected, abs=1e-2)


def test_a_comparison_stops_between_batches(textual: Pair) -> None:
    asked: list[bool] = []

    class Token(CancelToken):
        def stop_reason(self) -> str | None:  # type: ignore[override]
            asked.append(True)
            return "cancelled" if len(asked) > 1 else None

    text = TRAINING_TEXT * 40
    places = [
        Place(span=Span(start=at, end=at + 4), texts=("(x", "y")) for at in range(0, 4000, 50)
    ]
    scores = textual.engine.compare(text, places, cancel=Token())
    assert 0 < len(scores) < len(places)
