"""The judge's scores equal those computed one candidate at a time with the reference encoder."""

import pytest
import torch

from dgemma_engine.infill.select import Exhibit, judge
from tests.engine.conftest import Pair
from tests.engine.oracle import random_ids

CONTEXT = random_ids(20, seed=1)


def naive_score(pair: Pair, context: list[int], exhibit: Exhibit) -> float:
    """Half the mean log-probability of the candidate, half that of what follows."""
    right = exhibit.right[:8]
    ids = [*context, *exhibit.left, *exhibit.ids, *right]
    with torch.no_grad():
        hidden = pair.reference.model.encoder(input_ids=torch.tensor([ids])).last_hidden_state
        raw = pair.reference.lm_head(hidden)[0]
    log_probs = (30 * torch.tanh(raw / 30)).log_softmax(-1)
    start = len(context) + len(exhibit.left)
    end = start + len(exhibit.ids)
    values = [log_probs[idx - 1, ids[idx]].item() for idx in range(start, len(ids))]
    inner, after = values[: end - start], values[end - start :]
    inner_mean = sum(inner) / len(inner)
    after_mean = sum(after) / len(after) if after else inner_mean
    return (inner_mean + after_mean) / 2


EXHIBITS = [
    Exhibit(left=tuple(random_ids(6, seed=2)), ids=ids, right=right)
    for ids, right in [
        ((5,), tuple(random_ids(12, seed=3))),
        ((7, 8, 9), tuple(random_ids(12, seed=3))),
        (tuple(random_ids(15, seed=4)), tuple(random_ids(3, seed=5))),
        ((7, 8), ()),
        ((11,), (12,)),
    ]
]


@pytest.mark.parametrize("name", ["dense", "gathered", "calm"])
def test_scores_equal_those_of_each_candidate_alone(
    name: str, request: pytest.FixtureRequest
) -> None:
    pair: Pair = request.getfixturevalue(name)
    kv = pair.engine.encode(CONTEXT).kv

    scores = judge(pair.engine.model, kv, EXHIBITS)

    for score, exhibit in zip(scores, EXHIBITS, strict=True):
        assert score == pytest.approx(naive_score(pair, CONTEXT, exhibit), abs=2e-4)
    assert max(scores) - min(scores) > 0.05
    assert max(scores) <= 0


def test_the_batch_does_not_matter(calm: Pair) -> None:
    kv = calm.engine.encode(CONTEXT).kv
    together = judge(calm.engine.model, kv, EXHIBITS)
    for score, exhibit in zip(together, EXHIBITS, strict=True):
        assert judge(calm.engine.model, kv, [exhibit])[0] == pytest.approx(score, abs=1e-4)
    backwards = judge(calm.engine.model, kv, EXHIBITS[::-1])
    assert backwards[::-1] == pytest.approx(together, abs=1e-4)


def test_what_follows_counts_as_much_as_the_candidate(calm: Pair) -> None:
    """The better of two suffixes wins, with the same candidate before it."""
    kv = calm.engine.encode(CONTEXT).kv
    exhibits = [Exhibit(left=(3, 4), ids=(5,), right=(token,)) for token in range(96)]
    scores = judge(calm.engine.model, kv, exhibits)
    naive = [naive_score(calm, CONTEXT, exhibit) for exhibit in exhibits[:5]]
    assert scores[:5] == pytest.approx(naive, abs=2e-4)
    assert max(scores) - min(scores) > 1


def test_more_than_eight_tokens_after_the_candidate_change_nothing(calm: Pair) -> None:
    kv = calm.engine.encode(CONTEXT).kv
    right = tuple(random_ids(9, seed=3))
    other = (*right[:8], (right[8] + 1) % 96)
    scores = judge(
        calm.engine.model,
        kv,
        [Exhibit(left=(3,), ids=(5,), right=r) for r in (right, other, right[:8])],
    )
    assert scores[1:] == pytest.approx([scores[0]] * 2, abs=1e-6)


def test_without_any_token_before_it_the_first_token_is_not_judged(calm: Pair) -> None:
    """An empty context and no left clamp: there is nothing to predict the first token from."""
    kv = calm.engine.encode([]).kv
    scores = judge(
        calm.engine.model, kv, [Exhibit(left=(), ids=(first, 6), right=()) for first in (5, 5)]
    )
    with torch.no_grad():
        hidden = calm.reference.model.encoder(input_ids=torch.tensor([[5, 6]])).last_hidden_state
        raw = calm.reference.lm_head(hidden)[0]
    expected = (30 * torch.tanh(raw / 30)).log_softmax(-1)[0, 6].item()
    assert scores == pytest.approx([expected] * 2, abs=2e-4)
