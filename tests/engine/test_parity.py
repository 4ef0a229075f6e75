"""The model is the reference's function: transformers judges logits and whole generations."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers import DiffusionGemmaForBlockDiffusion
from transformers.models.diffusion_gemma.generation_diffusion_gemma import (
    EntropyBoundSamplerConfig,
)

from dgemma_engine.config import load_model_config
from dgemma_engine.engine import Engine
from dgemma_engine.errors import RequestError
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.loading import load
from tests.engine.conftest import Pair
from tests.engine.oracle import (
    ENDING_TOKEN_IDS,
    MAX_LOGIT_DIFFERENCE,
    TinyShape,
    build_reference,
    random_canvas,
    random_ids,
    reference_generate,
    reference_logits,
    use_global_keys,
)

WINDOW = 8
PROMPT_LENGTHS = (1, 3, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, 3 * WINDOW, 33)


@pytest.fixture(params=["dense", "gathered"])
def pair(request: pytest.FixtureRequest) -> Pair:
    found: Pair = request.getfixturevalue(request.param)
    return found


def largest_difference(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype == torch.float32
    return (ours - theirs).abs().max().item()


@pytest.mark.parametrize("n_prompt", PROMPT_LENGTHS)
def test_logits_equal_the_reference_with_and_without_self_conditioning(
    pair: Pair, n_prompt: int
) -> None:
    ids, canvas = random_ids(n_prompt, seed=n_prompt), random_canvas(3, 16, seed=n_prompt + 100)
    cache = pair.engine.encode(ids)

    theirs = reference_logits(pair.reference, ids, canvas)
    ours = pair.engine.denoise(cache, canvas)
    assert largest_difference(ours, theirs) <= MAX_LOGIT_DIFFERENCE

    # What the reference feeds back: the step's logits divided by its temperature.
    before = theirs / 0.8
    renoised = random_canvas(3, 16, seed=n_prompt + 200)
    conditioned = reference_logits(pair.reference, ids, renoised, before)
    ours = pair.engine.denoise(cache, renoised, before)
    assert largest_difference(ours, conditioned) <= MAX_LOGIT_DIFFERENCE
    # Otherwise the second half would prove nothing.
    assert largest_difference(ours, pair.engine.denoise(cache, renoised)) > 0.1


def test_each_canvas_of_a_batch_is_predicted_as_if_alone(pair: Pair) -> None:
    ids, canvas = random_ids(11, seed=1), random_canvas(4, 16, seed=2)
    before = torch.randn(4, 16, 96, generator=torch.Generator().manual_seed(3)) * 3
    cache = pair.engine.encode(ids)

    together = pair.engine.denoise(cache, canvas, before)

    for row in range(4):
        alone = pair.engine.denoise(cache, canvas[row : row + 1], before[row : row + 1])
        assert largest_difference(together[row : row + 1], alone) <= MAX_LOGIT_DIFFERENCE
    assert largest_difference(together[:1], together[1:2]) > 0.1


def test_prompts_of_a_batch_are_encoded_as_in_the_reference(pair: Pair) -> None:
    prompts, canvas = random_canvas(2, 19, seed=5), random_canvas(2, 16, seed=6)
    model = pair.engine.model
    with torch.inference_mode():
        kv = KVCache.empty(model.config, dtype=torch.float32, device=torch.device("cpu"), n_batch=2)
        for chunk in prompts.split(7, dim=1):
            _, new = model.encode(chunk, kv.n_tokens, kv.visible())
            kv = kv.append(new)
        ours = model.decode(canvas, kv.n_tokens, kv.visible())
        theirs = pair.reference(input_ids=prompts, decoder_input_ids=canvas).logits

    assert largest_difference(ours, theirs) <= MAX_LOGIT_DIFFERENCE


@pytest.mark.parametrize("n_prompt", [1, 7, 20])
def test_a_second_canvas_continues_behind_the_first_one(pair: Pair, n_prompt: int) -> None:
    ids, first, second = (
        random_ids(n_prompt, seed=7),
        random_canvas(1, 16, seed=8),
        random_canvas(1, 16, seed=9),
    )
    with torch.no_grad():
        begun = pair.reference(input_ids=torch.tensor([ids]), decoder_input_ids=first)
        theirs = pair.reference(
            input_ids=first,
            past_key_values=begun.past_key_values,
            position_ids=torch.arange(n_prompt, n_prompt + 16)[None],
            decoder_input_ids=second,
        ).logits

    pair.engine.encode(ids)
    ours = pair.engine.denoise(pair.engine.encode([*ids, *first[0].tolist()]), second)

    assert largest_difference(ours, theirs) <= MAX_LOGIT_DIFFERENCE


def test_logits_of_chosen_rows_are_those_of_the_whole_canvas(pair: Pair) -> None:
    cache, canvas = pair.engine.encode(random_ids(9, seed=1)), random_canvas(2, 16, seed=2)
    rows = torch.rand(2, 16, generator=torch.Generator().manual_seed(3)) < 0.4
    whole = pair.engine.denoise(cache, canvas)

    with torch.inference_mode():
        chosen = pair.engine.model.decode(canvas, cache.kv.n_tokens, cache.kv.visible(), rows=rows)

    assert largest_difference(chosen, whole[rows]) <= MAX_LOGIT_DIFFERENCE


def test_the_encoder_output_is_the_reference_encoder_output(pair: Pair) -> None:
    """The judge of infilling reads next-token logits from it."""
    prompts = random_canvas(2, 21, seed=11)
    with torch.inference_mode():
        output, _ = pair.engine.model.encode(prompts, 0, None, want_output=True)
        assert output is not None
        ours = pair.engine.model.norm(output)
        theirs = pair.reference.model.encoder(input_ids=prompts).last_hidden_state

    assert largest_difference(ours, theirs) <= MAX_LOGIT_DIFFERENCE


def test_both_spellings_of_the_config_give_the_same_logits(dense: Pair, tmp_path: Path) -> None:
    folder = tmp_path / "global"
    shutil.copytree(dense.folder, folder)
    use_global_keys(folder)
    assert "per_layer_config" not in (folder / "config.json").read_text()
    ids, canvas = random_ids(9, seed=1), random_canvas(1, 16, seed=2)

    other = load(folder, device="cpu")

    theirs = reference_logits(dense.reference, ids, canvas)
    assert largest_difference(other.denoise(other.encode(ids), canvas), theirs) <= 2e-4


@st.composite
def shapes(draw: st.DrawFn) -> TinyShape:
    """Shapes that the reference can build; small, so that many fit into a second."""
    n_kv_heads, n_global_kv_heads = draw(st.sampled_from([1, 2])), draw(st.sampled_from([1, 2, 4]))
    n_experts = draw(st.sampled_from([2, 5, 8, 9, 12]))
    return TinyShape(
        vocab_size=draw(st.sampled_from([50, 96])),
        hidden_size=draw(st.sampled_from([16, 24, 40])),
        intermediate_size=draw(st.sampled_from([8, 20])),
        moe_intermediate_size=draw(st.sampled_from([4, 12])),
        n_layers=draw(st.sampled_from([6, 7, 12])),
        n_heads=4,
        n_kv_heads=n_kv_heads,
        n_global_kv_heads=n_global_kv_heads,
        head_dim=draw(st.sampled_from([4, 8])),
        global_head_dim=draw(st.sampled_from([12, 16])),
        rope_fraction=draw(st.sampled_from([0.25, 0.5, 1.0])),
        sliding_window=draw(st.sampled_from([2, 5, 8, 30])),
        n_experts=n_experts,
        top_k_experts=draw(st.integers(1, min(4, n_experts))),
        logit_softcap=draw(st.sampled_from([30.0, 7.0])),
        canvas_length=draw(st.sampled_from([4, 11])),
    )


@settings(
    max_examples=21,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # shrinking would build hundreds of models
    suppress_health_check=[HealthCheck.too_slow],
)
@given(shape=shapes(), n_prompt=st.integers(1, 24), n_batch=st.integers(1, 3))
def test_any_shape_gives_the_logits_of_the_reference(
    shape: TinyShape, n_prompt: int, n_batch: int
) -> None:
    reference = build_reference(shape, seed=n_prompt, weight_noise=0.1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reference.save_pretrained(folder)
        engine = load(folder, device="cpu")
        config = load_model_config(folder)
        if "per_layer_config" in (folder / "config.json").read_text():
            use_global_keys(folder)
            assert load_model_config(folder) == config
    ids = random_ids(n_prompt, seed=1, vocab_size=shape.vocab_size)
    canvas = random_canvas(n_batch, shape.canvas_length, seed=2, vocab_size=shape.vocab_size)
    cache = engine.encode(ids)

    theirs = reference_logits(reference, ids, canvas)
    assert largest_difference(engine.denoise(cache, canvas), theirs) <= MAX_LOGIT_DIFFERENCE
    before = theirs / 0.5
    theirs = reference_logits(reference, ids, canvas, before)
    ours = engine.denoise(cache, canvas, before)
    assert largest_difference(ours, theirs) <= MAX_LOGIT_DIFFERENCE


@pytest.mark.parametrize(
    "shape",
    [
        # From ten layers on transformers pads the keys of per_layer_config: "05", "11".
        TinyShape(n_layers=12),
        # Full layers like the sliding ones: transformers then writes an empty per_layer_config.
        TinyShape(head_dim=8, global_head_dim=8, n_kv_heads=2, n_global_kv_heads=2),
    ],
    ids=["twelve layers", "equal layers"],
)
def test_unusual_per_layer_configs_are_read_as_transformers_reads_them(
    shape: TinyShape, tmp_path: Path
) -> None:
    reference = build_reference(shape)
    reference.save_pretrained(tmp_path)
    ids, canvas = random_ids(9, seed=1), random_canvas(1, 16, seed=2)

    engine = load(tmp_path, device="cpu")

    theirs = reference_logits(reference, ids, canvas)
    ours = engine.denoise(engine.encode(ids), canvas)
    assert largest_difference(ours, theirs) <= MAX_LOGIT_DIFFERENCE


def drafts(engine: Engine, ids: Sequence[int], *, steps: int, seed: int) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    engine.generate(
        ids,
        max_new_tokens=32,
        steps=steps,
        seed=seed,
        on_step=lambda report: found.append(report.token_ids),
    )
    return found


class Drafts:
    """Collects what the reference believes after each step."""

    def __init__(self) -> None:
        self.found: list[tuple[int, ...]] = []

    def put(self, value: Tensor) -> None:
        pass

    def put_draft(self, value: Tensor) -> None:
        self.found.append(tuple(value[0].tolist()))

    def end(self) -> None:
        pass


def reference_drafts(
    model: DiffusionGemmaForBlockDiffusion, ids: Sequence[int], *, steps: int, seed: int
) -> list[tuple[int, ...]]:
    streamer = Drafts()
    reference_generate(model, ids, max_new_tokens=32, steps=steps, seed=seed, streamer=streamer)
    return streamer.found


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_generation_equals_the_reference_token_for_token(calm: Pair, seed: int, steps: int) -> None:
    for n_prompt in (1, WINDOW, 13):
        ids = random_ids(n_prompt, seed=seed % 1000)

        ours = calm.engine.generate(ids, max_new_tokens=32, steps=steps, seed=seed)

        assert ours == reference_generate(
            calm.reference, ids, max_new_tokens=32, steps=steps, seed=seed
        )
        assert len(ours) == 32  # two canvases, nothing ends them


@pytest.mark.parametrize("steps", [2, 4])
def test_every_step_of_two_canvases_equals_the_reference(calm: Pair, steps: int) -> None:
    ids = random_ids(9, seed=4)

    ours = drafts(calm.engine, ids, steps=steps, seed=5)

    assert ours == reference_drafts(calm.reference, ids, steps=steps, seed=5)
    assert len(ours) == 2 * steps


def test_an_end_of_text_token_ends_generation_as_in_the_reference(ending: Pair) -> None:
    ended, went_on = 0, 0
    for seed in range(8):
        ids = random_ids(6, seed=seed)
        ours = ending.engine.generate(ids, max_new_tokens=48, steps=2, seed=seed)
        assert ours == reference_generate(
            ending.reference, ids, max_new_tokens=48, steps=2, seed=seed
        )
        ends = [idx for idx, token in enumerate(ours) if token in ENDING_TOKEN_IDS]
        if ends:
            ended += 1
            assert set(ours[ends[0] + 1 :]) <= {0}
            assert len(ours) == (ends[0] // 16 + 1) * 16
        went_on += len(ours) > 16
    # Both ways through the loop were taken.
    assert ended >= 2
    assert went_on >= 2


def test_a_stable_and_confident_canvas_stops_early_as_in_the_reference(tmp_path: Path) -> None:
    reference = build_reference(seed=4, weight_noise=0.02, sharpness=30)
    with torch.no_grad():  # Two loud tokens: which of them stands where soon no longer changes.
        embedding = reference.model.decoder.embed_tokens.weight
        embedding[8] = -30 * embedding[7]
        embedding[7] *= 30
    changes = {
        "t_min": 0.01,
        "t_max": 0.02,
        "confidence_threshold": 0.5,
        "sampler_config": EntropyBoundSamplerConfig(entropy_bound=1000.0),
    }
    for key, value in changes.items():
        setattr(reference.generation_config, key, value)
    reference.save_pretrained(tmp_path)
    engine = load(tmp_path, device="cpu")
    ids = random_ids(9, seed=1)

    ours = drafts(engine, ids, steps=12, seed=3)

    assert ours == reference_drafts(reference, ids, steps=12, seed=3)
    assert 2 * 2 <= len(ours) < 2 * 12


def test_lengths_are_rounded_up_to_whole_canvases(calm: Pair) -> None:
    ids = random_ids(5, seed=1)
    for n_new, n_expected in ((1, 16), (16, 16), (17, 32)):
        assert len(calm.engine.generate(ids, max_new_tokens=n_new, steps=1)) == n_expected


def test_generation_reports_every_step(calm: Pair) -> None:
    reports = []
    new = calm.engine.generate([2], max_new_tokens=32, steps=3, on_step=reports.append)

    assert [(report.canvas_idx, report.step) for report in reports] == [
        (canvas_idx, step) for canvas_idx in (0, 1) for step in (1, 2, 3)
    ]
    assert [*reports[2].token_ids, *reports[5].token_ids] == new
    assert all(1 <= report.n_accepted <= 16 for report in reports)
    assert all(0 < report.mean_entropy < 5 for report in reports)


def test_generation_leaves_the_global_random_state_alone(calm: Pair) -> None:
    before = torch.get_rng_state()

    first = calm.engine.generate([2, 5], max_new_tokens=16, steps=2, seed=3)
    torch.rand(1)
    second = calm.engine.generate([2, 5], max_new_tokens=16, steps=2, seed=3)
    other = calm.engine.generate([2, 5], max_new_tokens=16, steps=2, seed=4)
    torch.set_rng_state(before)
    calm.engine.generate([2, 5], max_new_tokens=16, steps=2, seed=4)

    assert torch.equal(torch.get_rng_state(), before)
    assert first == second
    assert first != other


def test_an_error_in_on_step_ends_the_generation_and_leaves_the_engine_usable(calm: Pair) -> None:
    n_calls = 0

    def give_up(_report: object) -> None:
        nonlocal n_calls
        n_calls += 1
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        calm.engine.generate([2, 5], max_new_tokens=32, steps=4, on_step=give_up)

    assert n_calls == 1
    ids = random_ids(9, seed=4)
    assert drafts(calm.engine, ids, steps=1, seed=5) == reference_drafts(
        calm.reference, ids, steps=1, seed=5
    )


def test_impossible_arguments_are_refused(calm: Pair) -> None:
    engine, cache = calm.engine, calm.engine.encode([2])
    canvas = random_canvas(1, 16, seed=1)
    with pytest.raises(RequestError, match=r"0\.\.95"):
        engine.encode([2, 96])
    with pytest.raises(RequestError, match=r"0\.\.95"):
        engine.encode([-1])
    with pytest.raises(RequestError, match=r"0\.\.95"):
        engine.denoise(cache, canvas.masked_fill(canvas == canvas[0, 0], 96))
    with pytest.raises(RequestError, match="canvas"):
        engine.denoise(cache, canvas[0])
    with pytest.raises(RequestError, match="canvas"):
        engine.denoise(cache, canvas[:, :0])
    with pytest.raises(RequestError, match="canvas"):
        engine.denoise(cache, canvas.float())
    with pytest.raises(RequestError, match=r"self_conditioning must be \(1, 16, 96\)"):
        engine.denoise(cache, canvas, torch.zeros(1, 15, 96))
    with pytest.raises(RequestError, match="max_new_tokens=0"):
        engine.generate([2], max_new_tokens=0)
    with pytest.raises(RequestError, match="steps=0"):
        engine.generate([2], max_new_tokens=1, steps=0)
