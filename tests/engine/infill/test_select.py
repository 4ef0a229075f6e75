"""The judge's scores equal those computed one candidate at a time with the reference encoder."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings

from dgemma_engine.infill.document import Blend, DocumentModel
from dgemma_engine.infill.select import Reading, judge, read_together
from dgemma_engine.tokenizer import Tokenizer
from tests.engine.conftest import Pair, branches_after
from tests.engine.oracle import random_ids
from tests.strategies import texts

CONTEXT = random_ids(20, seed=1)
RIGHT = random_ids(12, seed=3)
CANDIDATES = [(5,), (7, 8, 9), tuple(random_ids(15, seed=4)), (7, 8), (11,)]


def scores_of(
    pair: Pair,
    candidates: Sequence[Sequence[int]],
    right: Sequence[int] = RIGHT,
    context: Sequence[int] = CONTEXT,
) -> list[float]:
    branches = branches_after(pair, context[:-1])
    return judge(pair.engine.model, branches, context[-1], readings(candidates, right))


def readings(candidates: Sequence[Sequence[int]], right: Sequence[int] = RIGHT) -> list[Reading]:
    return [Reading(inner=tuple(ids), after=tuple(right[:8])) for ids in candidates]


def naive_score(
    pair: Pair, ids: Sequence[int], right: Sequence[int], context: Sequence[int] = CONTEXT
) -> float:
    """The log-probability of the candidate and of what follows."""
    everything = [*context, *ids, *right[:8]]
    with torch.no_grad():
        hidden = pair.reference.model.encoder(
            input_ids=torch.tensor([everything])
        ).last_hidden_state
        raw = pair.reference.lm_head(hidden)[0]
    log_probs = (30 * torch.tanh(raw / 30)).log_softmax(-1)
    places = range(len(context), len(everything))
    return sum(log_probs[idx - 1, everything[idx]].item() for idx in places)


@pytest.mark.parametrize("name", ["dense", "gathered", "calm"])
@pytest.mark.parametrize("n_right", [0, 1, 8, 12])
def test_scores_equal_those_of_each_candidate_alone(
    name: str, n_right: int, request: pytest.FixtureRequest
) -> None:
    pair: Pair = request.getfixturevalue(name)

    scores = scores_of(pair, CANDIDATES, RIGHT[:n_right])

    for score, ids in zip(scores, CANDIDATES, strict=True):
        # A sum over up to 23 tokens, each as exact as the logits.
        assert score == pytest.approx(naive_score(pair, ids, RIGHT[:n_right]), abs=2e-3)
    assert max(scores) - min(scores) > 0.5
    assert max(scores) <= 0


def test_the_other_candidates_do_not_matter(calm: Pair) -> None:
    together = scores_of(calm, CANDIDATES)
    for score, ids in zip(together, CANDIDATES, strict=True):
        assert scores_of(calm, [ids])[0] == pytest.approx(score, abs=1e-3)
    assert scores_of(calm, CANDIDATES[::-1])[::-1] == pytest.approx(together, abs=1e-3)


def test_a_single_token_of_context_is_enough(calm: Pair) -> None:
    scores = scores_of(calm, CANDIDATES, context=[2])
    for score, ids in zip(scores, CANDIDATES, strict=True):
        assert score == pytest.approx(naive_score(calm, ids, RIGHT, context=[2]), abs=2e-3)


def test_more_than_eight_tokens_after_the_candidate_change_nothing(calm: Pair) -> None:
    other = [*RIGHT[:8], (RIGHT[8] + 1) % 96]
    assert scores_of(calm, CANDIDATES, other) == scores_of(calm, CANDIDATES)
    seven = [*RIGHT[:7], (RIGHT[7] + 1) % 96]
    assert scores_of(calm, CANDIDATES, seven) != scores_of(calm, CANDIDATES)


def test_the_documents_statistics_are_blended_in(calm: Pair) -> None:
    document = DocumentModel(
        [[*CONTEXT, 5, *RIGHT]], vocab_size=calm.engine.config.vocab_size, n_context=2
    )
    blend = Blend(document=document, weights=(0.0, 0.4, 0.8))
    branches = branches_after(calm, CONTEXT[:-1])

    scores = judge(
        calm.engine.model, branches, CONTEXT[-1], readings([(5,), (7,)]), blend, CONTEXT[-3:]
    )
    without = scores_of(calm, [(5,), (7,)])

    # What the document holds word for word gains, by the logarithm of a blend.
    assert scores[0] > without[0] + 10
    assert scores[1] - without[1] < scores[0] - without[0]


def test_a_blend_of_nothing_changes_nothing(calm: Pair) -> None:
    document = DocumentModel([CONTEXT], vocab_size=calm.engine.config.vocab_size, n_context=2)
    blend = Blend(document=document, weights=(0.0,))
    branches = branches_after(calm, CONTEXT[:-1])

    scores = judge(
        calm.engine.model, branches, CONTEXT[-1], readings(CANDIDATES), blend, CONTEXT[-3:]
    )

    assert scores == pytest.approx(scores_of(calm, CANDIDATES), abs=1e-3)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(texts(), texts())
def test_a_candidate_is_read_in_the_tokens_of_the_whole_text(
    byte_level: Tokenizer, text: str, suffix: str
) -> None:
    right = byte_level.encode(suffix)
    reading = read_together(text, right, byte_level)
    together = byte_level.decode_bytes([*reading.inner, *reading.after])

    raw = text.encode("utf-8", "surrogatepass")
    follows = byte_level.decode_bytes(right[:8])
    assert together.startswith(raw)
    assert follows.startswith(together[len(raw) :])
    assert len(follows) - len(together[len(raw) :]) <= 3  # the rest of a cut character
    assert len(byte_level.decode_bytes(reading.inner)) >= len(raw)
    assert len(byte_level.decode_bytes(reading.inner[:-1])) < max(1, len(raw))


def test_tokens_that_merge_at_the_seam_are_read_merged(byte_level: Tokenizer) -> None:
    merged = next(raw.decode() for raw in byte_level.token_bytes if raw.isalpha() and len(raw) > 2)
    reading = read_together(merged[:2], byte_level.encode(merged[2:]), byte_level)
    assert reading.inner == tuple(byte_level.encode(merged))
    assert reading.after == ()
