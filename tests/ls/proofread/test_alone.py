"""Typos by the model alone: doubts of readings, candidates of a tokenizer, verdicts of scores."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from dgemma_engine.types import Place, Span, TokenReading
from dgemma_ls.proofread.alone import (
    Doubt,
    Linear,
    Verdict,
    candidates,
    decide,
    doubtful_words,
    doubts,
    load_alone,
    places_of,
    verdicts,
)
from dgemma_ls.types import Snapshot

TEXT = "We recieve the mesage and `recieve` it.\n"


def encode(text: str) -> list[int]:
    """Known words are one token, others one for each letter."""
    known = {" receive": 3000, " message": 3001}
    return [known[text]] if text in known else [ord(letter) for letter in text]


def snapshot(text: str = TEXT) -> Snapshot:
    return Snapshot(uri="a.md", version=0, language_id="markdown", text=text)


def readings(text: str = TEXT) -> list[TokenReading]:
    return [
        TokenReading(span=Span(start=at, end=at + 1), margin=-float(at), surprisal=1.0)
        for at in range(len(text))
    ]


def doubt(word: str = "recieve", start: int = 3) -> Doubt:
    return Doubt(span=Span(start=start, end=start + len(word)), text=word, features={"x": 1.0})


def test_words_of_prose_get_what_is_read_of_their_tokens_and_code_gets_nothing() -> None:
    found = {d.text: d for d in doubts(snapshot(), readings())}
    assert set(found) == {"recieve", "the", "mesage", "and"}
    assert found["recieve"].span == Span(start=3, end=10)
    assert found["recieve"].features["surprisal"] == 7.0
    assert found["mesage"].features["margin_min"] == -20.0


def test_words_that_were_not_read_are_not_doubted() -> None:
    assert [d.text for d in doubts(snapshot(), readings()[:10])] == ["recieve"]


def test_names_of_the_file_and_capitals_inside_a_sentence_are_not_doubted() -> None:
    code = Snapshot(
        uri="a.py",
        version=0,
        language_id="python",
        text="# The recieve and Mesage of it are doubtful\ndef recieve() -> None: ...\n",
    )
    assert "recieve" not in {d.text for d in doubts(code, readings(code.text))}
    assert "Mesage" not in {d.text for d in doubts(code, readings(code.text))}


def test_only_words_above_the_threshold_are_looked_at() -> None:
    model = Linear(bias=0.0, weights={"x": 2.0}, least=1.5)
    other = Doubt(span=Span(start=0, end=4), text="fine", features={"x": 0.5})
    assert doubtful_words([doubt(), other], model) == [doubt()]


def test_candidates_of_few_tokens_come_first() -> None:
    assert candidates("recieve", encode)[0] == "receive"
    assert candidates("Mesage", lambda text: encode(text.lower()))[0] == "Message"


@given(st.from_regex(r"[a-z]{3,10}", fullmatch=True))
def test_candidates_are_one_edit_away_and_distinct(word: str) -> None:
    found = candidates(word, encode)
    assert len(set(found)) == len(found)
    assert all(OSA.distance(word, other) == 1 for other in found)


def test_places_take_the_blank_before_a_word_along_and_begin_with_what_is_there() -> None:
    (place,) = places_of(TEXT, [doubt()], encode)
    assert place.span == Span(start=2, end=10)
    assert place.texts[:2] == (" recieve", " receive")


def test_the_likeliest_candidate_is_the_verdict() -> None:
    place = Place(span=Span(start=2, end=10), texts=(" recieve", " relieve", " receive"))
    (verdict,) = verdicts([doubt()], [place], [(-20.0, -15.0, -5.0)], encode)
    assert verdict.new == "receive"
    assert verdict.features["gain"] == 15.0
    assert verdict.features["rivals"] == pytest.approx(0.0, abs=1e-3)
    assert verdict.features["swapped"] == 1.0
    assert verdict.features["tokens_saved"] == 7.0


def test_only_sure_verdicts_become_fixes() -> None:
    model = Linear(bias=-1.0, weights={"gain": 1.0}, least=2.0)
    sure = Verdict(doubt=doubt(), new="receive", features={"gain": 4.0})
    unsure = Verdict(doubt=doubt(), new="relieve", features={"gain": 2.0})
    (fix,) = decide([sure, unsure], model)
    assert (fix.old, fix.new, fix.span) == ("recieve", "receive", Span(start=3, end=10))
    assert fix.probability == pytest.approx(0.9526, abs=1e-3)


def test_the_shipped_weights_are_there() -> None:
    assert set(load_alone()) == {"doubt", "decide"}
