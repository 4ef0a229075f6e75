"""Rewriting a span at a strength."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgemma_engine import CancelToken, RequestError, StopReason
from dgemma_engine.types import Span
from tests.engine.conftest import Pair
from tests.engine.infill.test_repair import ForbidsEverything
from tests.engine.oracle import TRAINING_TEXT

PREFIX, REST = TRAINING_TEXT.split("with open(", 1)
PREFIX += "with open("
TEXT, SUFFIX = REST[:24], REST[24:]


@settings(max_examples=20, deadline=None)
@given(
    strength=st.floats(0.05, 1.0),
    max_changed=st.none() | st.integers(1, 5),
    cut=st.integers(1, len(TEXT)),
    seed=st.integers(0, 99),
)
def test_candidates_differ_from_the_text_and_keep_the_budget(
    textual: Pair, strength: float, max_changed: int | None, cut: int, seed: int
) -> None:
    text = TEXT[:cut]
    result = textual.engine.rewrite(
        PREFIX,
        text,
        TEXT[cut:] + SUFFIX,
        strength=strength,
        max_changed=max_changed,
        seed=seed,
        n_candidates=9,
        steps=3,
    )
    for candidate in result.candidates:
        assert candidate.text != text
        assert ("\n" in candidate.text) <= ("\n" in text)
    again = textual.engine.rewrite(
        PREFIX,
        text,
        TEXT[cut:] + SUFFIX,
        strength=strength,
        max_changed=max_changed,
        seed=seed,
        n_candidates=9,
        steps=3,
    )
    assert again.candidates == result.candidates


def test_a_budget_of_one_changes_one_token(textual: Pair) -> None:
    """The text is natural, so a changed token is a changed token after encoding too, mostly."""
    prefix, text = "x = 1\n", "name, path, name"
    result = textual.engine.rewrite(
        prefix, text, "\ny = 2\n", strength=1.0, max_changed=1, n_candidates=9
    )
    assert result.candidates
    ids = textual.engine.tokenizer.encode(text)
    for candidate in result.candidates:
        assert candidate.n_tokens == len(ids)
        ends = [text.startswith(candidate.text[:n]) for n in range(len(candidate.text))]
        common = ends.count(True) - 1
        tail = max(
            n for n in range(len(text) + 1) if candidate.text.endswith(text[len(text) - n :])
        )
        longest = max(len(textual.engine.tokenizer.token_bytes[token]) for token in ids)
        assert common + tail >= len(text) - longest


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"strength": 0.0}, "strength=0.0 must be above 0"),
        ({"strength": 1.5}, "strength=1.5"),
        ({"max_changed": 0}, "max_changed=0"),
        ({"n_candidates": 0}, "n_candidates=0"),
        ({"seed": -1}, "seed=-1"),
        ({"text": ""}, "0 tokens of text"),
        ({"text": "name, " * 200}, "choose another"),
    ],
)
def test_arguments_out_of_range_are_named(
    textual: Pair, changes: dict[str, object], said: str
) -> None:
    arguments: dict[str, object] = {"prefix": "a", "text": "b", "suffix": "c", **changes}
    with pytest.raises(RequestError, match=said):
        textual.engine.rewrite(**arguments)  # type: ignore[arg-type]


def test_a_cancelled_rewrite_gives_nothing(textual: Pair) -> None:
    cancel = CancelToken()
    cancel.cancel()
    result = textual.engine.rewrite(PREFIX, TEXT, SUFFIX, cancel=cancel)
    assert (result.candidates, result.stop, result.forwards) == ((), StopReason.CANCELLED, 0)


def test_what_may_not_be_shown_is_not(textual: Pair) -> None:
    result = textual.engine.rewrite(PREFIX, TEXT, SUFFIX, check=ForbidsEverything())
    assert result.candidates == ()
    assert result.n_refused


def test_what_the_check_lets_pass_is_shown(textual: Pair) -> None:
    class Passes:
        def bad_spans(self, text: str) -> tuple[Span, ...]:
            return ()

    free = textual.engine.rewrite(PREFIX, TEXT, SUFFIX, strength=0.9)
    assert free.candidates
    assert textual.engine.rewrite(
        PREFIX, TEXT, SUFFIX, strength=0.9, check=Passes()
    ).candidates == (free.candidates)
