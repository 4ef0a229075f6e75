"""The document's share in a blend is the one that makes held-out tokens most likely."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.config import parse_model_config
from dgemma_engine.infill.settings import (
    InfillSettings,
    load_infill_settings,
    write_document_weights,
)
from dgemma_engine.train.blend import N_CONTEXT, best_share, fit_document_weights
from dgemma_engine.train.settings import load_model_values
from dgemma_engine.train.shards import TokenShard
from dgemma_engine.train.trainer import initial_model

probabilities = st.floats(1e-6, 1.0)


@given(st.lists(st.tuples(probabilities, probabilities), min_size=1, max_size=40))
def test_no_other_share_is_much_better(pairs: list[tuple[float, float]]) -> None:
    of_model, of_document = np.array(pairs).T

    def log_likelihood(share: float) -> float:
        return float(np.log((1 - share) * of_model + share * of_document).mean())

    best = max(log_likelihood(share) for share in np.linspace(0, 0.95, 39))
    assert log_likelihood(best_share(pairs)) >= best - 0.02


def test_without_any_token_the_model_stands_alone() -> None:
    assert best_share([]) == 0.0


def shard(*documents: list[int]) -> TokenShard:
    ids = np.array([token for document in documents for token in document], dtype=np.uint16)
    offsets = np.cumsum([0, *map(len, documents)])
    return TokenShard(ids=ids, offsets=offsets)


def test_of_an_untrained_model_and_a_document_that_repeats_itself_the_document_is_believed() -> (
    None
):
    config = parse_model_config(load_model_values(300), Path("recipe.toml"))
    model = initial_model(config, seed=0).eval()
    rng = np.random.default_rng(0)
    line = rng.integers(16, 300, 40).tolist()

    weights = fit_document_weights(model, shard(line * 5), context=64, n_places=4)

    assert len(weights) == N_CONTEXT + 1
    assert weights[-1] > 0.9  # eight tokens agree
    again = fit_document_weights(model, shard(line * 5), context=64, n_places=4)
    assert weights == again


def test_documents_that_are_too_short_are_refused() -> None:
    config = parse_model_config(load_model_values(300), Path("recipe.toml"))
    model = initial_model(config, seed=0)

    with pytest.raises(ValueError, match="96 tokens"):
        fit_document_weights(model, shard([5] * 90, [6] * 90), context=64, n_places=1)


def test_weights_are_written_beside_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "dgemma_infill.json").write_text('{"n_steps": 3}', encoding="utf-8")

    write_document_weights(tmp_path, (0.0, 0.25))

    expected = InfillSettings(n_steps=3, document_weights=(0.0, 0.25))
    assert load_infill_settings(tmp_path) == expected
