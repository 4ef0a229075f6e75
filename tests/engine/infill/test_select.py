"""The judge's scores equal those computed one candidate at a time with the reference encoder."""

import math
from collections.abc import Sequence

import pytest
import torch

from dgemma_engine.infill.select import judge
from tests.engine.conftest import Pair
from tests.engine.oracle import random_ids

CONTEXT = random_ids(20, seed=1)
RIGHT = random_ids(12, seed=3)
CANDIDATES = [(5,), (7, 8, 9), tuple(random_ids(15, seed=4)), (7, 8), (11,)]


def scores_of(
    pair: Pair,
    candidates: Sequence[Sequence[int]],
    right: Sequence[int] = RIGHT,
    context: Sequence[int] = CONTEXT,
) -> list[float]:
    kv = pair.engine.encode(context[:-1]).kv
    return judge(pair.engine.model, kv, context[-1], candidates, right)


def naive_score(
    pair: Pair, ids: Sequence[int], right: Sequence[int], context: Sequence[int] = CONTEXT
) -> float:
    """The candidate's log-probability over the root of its length, and that of what follows."""
    everything = [*context, *ids, *right[:8]]
    with torch.no_grad():
        hidden = pair.reference.model.encoder(
            input_ids=torch.tensor([everything])
        ).last_hidden_state
        raw = pair.reference.lm_head(hidden)[0]
    log_probs = (30 * torch.tanh(raw / 30)).log_softmax(-1)
    start, end = len(context), len(context) + len(ids)
    values = [log_probs[idx - 1, everything[idx]].item() for idx in range(start, len(everything))]
    return sum(values[: end - start]) / math.sqrt(len(ids)) + sum(values[end - start :])


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
