"""What the training loss sees must be what the decoder sees at inference."""

from dataclasses import replace

import pytest
import torch

from dgemma_engine.config import GenerationConfig, ModelConfig, parse_model_config
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.train.muon import Muon, orthogonalize
from dgemma_engine.train.objective import CanvasBatch, Objective
from dgemma_engine.train.trainer import initial_model

WINDOW, CANVAS = 32, 8


@pytest.fixture(scope="module")
def config() -> ModelConfig:
    text = {
        "model_type": "diffusion_gemma_text",
        "vocab_size": 50,
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 4,
        "layer_types": ["sliding_attention", "full_attention"] * 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "num_global_key_value_heads": 1,
        "head_dim": 8,
        "global_head_dim": 16,
        "sliding_window": 6,
        "num_experts": 4,
        "top_k_experts": 2,
        "moe_intermediate_size": 8,
    }
    return parse_model_config(
        {"model_type": "diffusion_gemma", "canvas_length": CANVAS, "text_config": text}
    )


@pytest.fixture(scope="module")
def model(config: ModelConfig) -> Transformer:
    return initial_model(config, seed=0).requires_grad_(False)


def _random_batch(seed: int) -> tuple[torch.Tensor, CanvasBatch]:
    generator = torch.Generator().manual_seed(seed)
    clean = torch.randint(50, (2, WINDOW), generator=generator)
    free = torch.rand((2, WINDOW), generator=generator) < 0.4
    ids = torch.where(free, torch.randint(50, (2, WINDOW), generator=generator), clean)
    return clean, CanvasBatch(ids=ids, targets=clean, free=free, scored=free, clamped=~free)


def test_all_canvases_of_a_window_at_once_equal_one_decoder_pass_each(model: Transformer) -> None:
    clean, batch = _random_batch(0)
    objective = Objective(model, WINDOW, CANVAS)
    soft = objective.first_soft(batch)
    everywhere = torch.ones_like(batch.free)

    at_once = objective.canvas_logits(objective.encode(clean), batch, soft, everywhere)
    at_once = at_once.view(2, WINDOW, -1)

    for start in range(0, WINDOW, CANVAS):
        cache = KVCache.empty(
            model.config, dtype=torch.float32, device=torch.device("cpu"), n_batch=2
        )
        if start:
            _, new = model.encode(clean[:, :start], 0, cache.visible())
            cache = cache.append(new)
        here = slice(start, start + CANVAS)
        alone = model.decode(
            batch.ids[:, here], start, cache.visible(), soft_embeddings=soft[:, here]
        )
        torch.testing.assert_close(at_once[:, here], alone, atol=2e-5, rtol=0)


def test_clamped_rows_know_themselves_and_free_rows_know_nothing(model: Transformer) -> None:
    _, batch = _random_batch(1)
    soft = Objective(model, WINDOW, CANVAS).first_soft(batch)

    assert not soft[batch.free].any()
    torch.testing.assert_close(soft[batch.clamped], model.embed(batch.ids)[batch.clamped])


def test_the_samplers_states_keep_clean_tokens(model: Transformer) -> None:
    clean, batch = _random_batch(2)
    objective = Objective(model, WINDOW, CANVAS)
    state, soft = objective.sampled_state(
        objective.encode(clean),
        batch,
        n_steps=3,
        config=GenerationConfig(max_denoising_steps=8),
        generator=torch.Generator().manual_seed(0),
    )

    assert torch.equal(state.ids[~batch.free], clean[~batch.free])
    assert not torch.equal(state.ids[batch.free], batch.ids[batch.free])
    assert soft[batch.free].abs().sum(dim=-1).gt(0).all()


def test_the_canvas_loss_counts_scored_rows_against_their_targets(model: Transformer) -> None:
    clean, batch = _random_batch(4)
    objective = Objective(model, WINDOW, CANVAS)
    encoded, soft = objective.encode(clean), objective.first_soft(batch)
    scored = torch.zeros_like(batch.free)
    scored[:, ::3] = True
    targets = (clean + 1) % 50
    loss = objective.canvas_loss(encoded, replace(batch, targets=targets, scored=scored), soft)

    logits = objective.canvas_logits(encoded, batch, soft, torch.ones_like(scored))
    rows = logits.view(2, WINDOW, -1)[scored]
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(rows, targets[scored]))


def test_next_token_loss_is_that_of_the_encoder_pass(model: Transformer) -> None:
    clean, _ = _random_batch(3)
    objective = Objective(model, WINDOW, CANVAS)
    rows = torch.ones(2, WINDOW - 1, dtype=torch.bool)
    loss = objective.next_token_loss(objective.encode(clean), clean, rows)

    out, _ = model.encode(clean, 0, None, want_output=True)
    assert out is not None
    expected = torch.nn.functional.cross_entropy(
        model.logits(out)[:, :-1].flatten(0, 1), clean[:, 1:].flatten()
    )
    torch.testing.assert_close(loss, expected)


def test_orthogonalize_brings_singular_values_near_one() -> None:
    matrices = torch.randn(3, 24, 16, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalize(matrices, n_steps=6))

    assert values.min() > 0.4
    assert values.max() < 1.4


def test_muon_steps_stacked_matrices_like_single_ones() -> None:
    generator = torch.Generator().manual_seed(0)
    start, grad = torch.randn(2, 3, 8, 6, generator=generator)
    stacked = torch.nn.Parameter(start.clone())
    stacked.grad = grad.clone()
    singles = [torch.nn.Parameter(matrix.clone()) for matrix in start]
    for single, piece in zip(singles, grad, strict=True):
        single.grad = piece.clone()

    Muon([stacked]).step()
    Muon(singles).step()

    torch.testing.assert_close(stacked.data, torch.stack([s.data for s in singles]))
    assert not torch.equal(stacked.data, start)
