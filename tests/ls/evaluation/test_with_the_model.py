"""What looks into the engine, on the embedded model: causal reading, weights before training."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dgemma_ls.evaluation.reading import read, sum_of
from dgemma_ls.evaluation.systems import UNTRAINED
from dgemma_ls.evaluation.untrained import make_untrained, n_parameters, untrained_engine
from tests.ls.evaluation.fakes import case

if TYPE_CHECKING:
    from dgemma_engine import Engine

TEXT = "def add(first, second):\n    return first + second\n\n\ndef subtract(first, second):\n"


@pytest.fixture(scope="module")
def engine() -> Iterator["Engine"]:
    import torch

    from dgemma_engine import load

    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the model is so small that more would wait for each other
    yield load(device="cpu")
    torch.set_num_threads(n_threads)


def test_branches_read_as_one_causal_pass_over_the_whole_does(engine: "Engine") -> None:
    import torch

    ids = engine.tokenizer.encode(TEXT)
    before, branch = ids[:9], ids[9:]

    (whole,), other = (
        read(engine, before, [branch]),
        read(engine, before, [branch[:3], branch]),
    )
    with torch.inference_mode():
        output, _ = engine.model.encode(torch.tensor([ids]), 0, None, want_output=True)
        assert output is not None
        expected = torch.log_softmax(engine.model.logits(output[0, 8:-1]), dim=-1).numpy()

    assert whole.shape == (len(branch), engine.config.vocab_size)
    np.testing.assert_allclose(whole, expected, atol=2e-3)
    np.testing.assert_allclose(other[0], expected[:3], atol=2e-3)
    np.testing.assert_allclose(other[1], expected, atol=2e-3)
    total = sum(expected[idx, token] for idx, token in enumerate(branch))
    assert sum_of(whole, branch) == pytest.approx(total, abs=0.05)
    assert read(engine, before[:1], [branch])[0].shape == whole.shape


def test_an_untrained_model_begins_as_the_recipe_s_does(engine: "Engine") -> None:
    from dgemma_engine.train.trainer import initial_model

    ours = dict(untrained_engine(engine, seed=1).model.named_parameters())
    recipe = dict(initial_model(engine.config, 0).named_parameters())

    assert ours.keys() == recipe.keys()
    for name, theirs in recipe.items():
        mine = ours[name]
        assert mine.shape == theirs.shape
        assert mine.std(correction=0).item() == pytest.approx(
            theirs.std(correction=0).item(), rel=0.1, abs=1e-6
        ), name
        if theirs.ndim == 1:
            assert mine.mean().item() == pytest.approx(theirs.mean().item())


def test_a_seed_gives_the_untrained_model_again(engine: "Engine") -> None:
    first, again, other = (
        untrained_engine(engine, seed=seed).model.embed_tokens.weight for seed in (1, 1, 2)
    )
    assert first.equal(again)
    assert not first.equal(other)


def test_the_untrained_model_answers_without_spoiling_the_other(engine: "Engine") -> None:
    asked = case(TEXT + "    return ├first - second┤\n")
    before = engine.model.embed_tokens.weight.clone()
    system, prepare = make_untrained(engine, n_steps=1, seed=0)

    prepare(asked)
    assert (system.name, system.is_baseline) == (UNTRAINED, True)
    assert system.fill(asked) == system.fill(asked)
    assert system.fill(asked).text != asked.truth
    assert engine.model.embed_tokens.weight.equal(before)
    assert n_parameters(engine) > 1_000_000
