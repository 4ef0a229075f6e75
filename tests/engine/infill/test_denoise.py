"""The loop over canvases with free positions anywhere, some of them warm."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dgemma_engine.config import GenerationConfig
from dgemma_engine.infill.denoise import Canvases, Step, denoise
from dgemma_engine.types import CancelToken
from tests.engine.conftest import Pair

CONTEXT = (2, 17, 302, 294)
N_CANVAS = 12


def canvases_of(pair: Pair, free: list[list[bool]], *, warm: bool = False) -> Canvases:
    generator = torch.Generator().manual_seed(5)
    mask = torch.tensor(free)
    ids = torch.randint(20, 300, mask.shape, generator=generator)
    forbidden = torch.zeros((int(mask.sum()), pair.engine.config.vocab_size), dtype=torch.bool)
    forbidden[:, :16] = True
    noised = torch.zeros_like(mask) if warm else mask
    return Canvases(ids=ids, free=mask, noised=noised, forbidden=forbidden)


@settings(max_examples=15, deadline=None)
@given(
    free=st.lists(
        st.lists(st.booleans(), min_size=N_CANVAS, max_size=N_CANVAS).filter(any),
        min_size=1,
        max_size=3,
    ),
    warm=st.booleans(),
)
def test_only_free_positions_change_and_only_to_what_is_allowed(
    textual: Pair, free: list[list[bool]], warm: bool
) -> None:
    canvases = canvases_of(textual, free, warm=warm)
    steps: list[Step] = []
    denoised = denoise(
        textual.engine.model,
        textual.engine.encode(CONTEXT).kv,
        canvases,
        n_steps=3,
        seed=1,
        config=GenerationConfig(),
        known_at_once=True,
        cancel=CancelToken(),
        on_step=steps.append,
    )

    clamped = ~canvases.free
    of_all_rows = [step.argmax for step in steps if len(step.rows) == len(free)]
    for argmax in [denoised.argmax, *of_all_rows]:
        assert torch.equal(argmax[clamped], canvases.ids[clamped])
    assert (denoised.argmax[canvases.free] >= 16).all()
    assert [step.number for step in steps] == list(range(1, denoised.forwards + 1))


@pytest.mark.parametrize("known_at_once", [True, False])
def test_a_warm_start_is_conditioned_on_its_own_tokens(textual: Pair, known_at_once: bool) -> None:
    free = [[3 <= place < 6 for place in range(N_CANVAS)]]
    canvases = canvases_of(textual, free, warm=True)
    engine = textual.engine
    cache = engine.encode(CONTEXT)
    denoised = denoise(
        engine.model,
        cache.kv,
        canvases,
        n_steps=1,
        seed=1,
        config=GenerationConfig(),
        known_at_once=known_at_once,
        cancel=CancelToken(),
    )

    soft: Tensor = engine.model.embed(canvases.ids)
    if not known_at_once:
        soft = soft * canvases.free[:, :, None]
    logits = engine.model.decode(
        canvases.ids, cache.kv.n_tokens, cache.kv.visible(), soft_embeddings=soft
    )
    expected = logits[canvases.free].masked_fill(canvases.forbidden, -torch.inf)
    scaled = expected / (0.4 + 0.4)  # the temperature of a first step
    assert denoised.log_probs[0] is not None
    torch.testing.assert_close(denoised.log_probs[0], scaled.log_softmax(-1), atol=1e-4, rtol=1e-4)


def test_nothing_is_known_of_canvases_that_took_no_step(textual: Pair) -> None:
    cancel = CancelToken()
    cancel.cancel()
    denoised = denoise(
        textual.engine.model,
        textual.engine.encode(CONTEXT).kv,
        canvases_of(textual, [[True] * N_CANVAS]),
        n_steps=3,
        seed=1,
        config=GenerationConfig(),
        known_at_once=True,
        cancel=cancel,
    )
    assert denoised.log_probs == (None,)
    assert denoised.row_forwards == (0,)
    assert denoised.entropy.isinf().all()
