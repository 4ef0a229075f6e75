"""One denoising step against a naive loop, and against transformers where nothing is clamped."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers.models.diffusion_gemma.generation_diffusion_gemma import (
    EntropyBoundSampler,
    EntropyBoundSamplerConfig,
    LinearTemperatureScheduleLogitsProcessor,
    StableAndConfidentStoppingCriteria,
)

from dgemma_engine.config import GenerationConfig
from dgemma_engine.sampler import (
    StepOutcome,
    StopRule,
    accept_by_entropy,
    denoise_step,
    posterior,
    temperature,
    token_entropy,
)

DEFAULTS = GenerationConfig()
VOCAB = 23


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_logits(*shape: int, seed: int, scale: float = 3.0) -> Tensor:
    return torch.randn(*shape, VOCAB, generator=seeded(seed)) * scale


def step(
    canvas: Tensor, logits: Tensor, free: Tensor, *, seed: int = 0, bound: float = 0.1
) -> StepOutcome:
    return denoise_step(
        canvas, logits, free, temperature=0.8, entropy_bound=bound, generator=seeded(seed)
    )


# 64ths are exact in float32, so sums do not depend on their order.
sixty_fourths = st.integers(0, 40).map(lambda n: n / 64)
rows = st.lists(st.tuples(sixty_fourths, st.booleans()), min_size=1, max_size=9)


def naively_accepted(entropies: list[float], bound: float) -> list[float]:
    """The entropies that are accepted, one after the other."""
    accepted: list[float] = []
    for entropy in sorted(entropies):
        if sum(accepted) > bound:
            break
        accepted.append(entropy)
    return accepted


@settings(max_examples=150, deadline=None, derandomize=True)
@given(batch=st.lists(rows, min_size=1, max_size=3), bound=st.integers(0, 64).map(lambda n: n / 64))
def test_acceptance_equals_the_naive_loop(
    batch: list[list[tuple[float, bool]]], bound: float
) -> None:
    length = min(len(row) for row in batch)
    entropy = torch.tensor([[value for value, _ in row[:length]] for row in batch])
    free = torch.tensor([[is_free for _, is_free in row[:length]] for row in batch])

    accepted = accept_by_entropy(entropy, free, bound)

    assert accepted.dtype == torch.bool
    assert not (accepted & ~free).any()
    for idx in range(len(batch)):
        ours = sorted(entropy[idx][accepted[idx]].tolist())
        assert ours == naively_accepted(entropy[idx][free[idx]].tolist(), bound)


def check_accepted(entropies: list[float], expected: list[bool], *, bound: float = 0.1) -> None:
    free = torch.ones(1, len(entropies), dtype=torch.bool)
    assert accept_by_entropy(torch.tensor([entropies]), free, bound)[0].tolist() == expected


def test_the_most_certain_position_is_always_accepted() -> None:
    check_accepted([6.0, 5.0, 7.0], [False, True, False])


def test_the_sum_before_a_position_counts_and_may_reach_the_bound() -> None:
    check_accepted([0.125, 0.125, 5.0], [True, True, False], bound=0.125)
    check_accepted([0.125, 0.25, 5.0], [True, True, False], bound=0.25)
    check_accepted([0.125, 0.125, 5.0], [True, True, True], bound=0.25)
    check_accepted([0.5, 0.02, 0.9, 0.01], [False, True, False, True], bound=0.02)


def test_of_equal_entropies_as_many_are_accepted_as_fit() -> None:
    entropy, free = torch.full((1, 8), 0.0625), torch.ones(1, 8, dtype=torch.bool)
    assert accept_by_entropy(entropy, free, 0.125).sum() == 3
    assert accept_by_entropy(torch.zeros(1, 8), free, 0.125).sum() == 8


def test_nothing_is_accepted_where_nothing_is_free() -> None:
    free = torch.tensor([[False, False], [True, False]])
    accepted = accept_by_entropy(torch.zeros(2, 2), free, 0.1)
    assert accepted.tolist() == [[False, False], [True, False]]


def test_clamped_positions_do_not_use_up_the_bound() -> None:
    entropy = torch.tensor([[0.0, 0.09, 0.09, 0.09, 3.0]])
    free = torch.tensor([[False, True, False, True, True]])
    assert accept_by_entropy(entropy, free, 0.1)[0].tolist() == [False, True, False, True, False]


def test_the_temperature_falls_from_the_first_step_to_the_last() -> None:
    sequence = [temperature(step, 48, DEFAULTS) for step in range(48, 0, -1)]
    assert sequence[0] == pytest.approx(0.8)
    assert sequence[-1] == pytest.approx(0.408333, abs=1e-6)
    assert all(
        later - earlier == pytest.approx(-0.4 / 48)
        for earlier, later in itertools.pairwise(sequence)
    )
    assert temperature(1, 1, DEFAULTS) == pytest.approx(0.8)


@pytest.mark.parametrize("n_steps", [1, 3, 12, 48])
def test_the_temperature_is_the_references(n_steps: int) -> None:
    schedule = LinearTemperatureScheduleLogitsProcessor(0.4, 0.8, n_steps)
    logits = random_logits(4, seed=1)
    for remaining in range(n_steps, 0, -1):
        theirs = schedule(torch.empty(0), logits, cur_step=torch.tensor(remaining))
        ours = logits / temperature(remaining, n_steps, DEFAULTS)
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=0)


def test_entropy_is_that_of_the_distribution_in_nats() -> None:
    logits = torch.tensor([[0.0] * 8, [100.0, *[0.0] * 7], [math.log(3), 0.0, *[-math.inf] * 6]])
    three_to_one = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    expected = torch.tensor([math.log(8), 0.0, three_to_one])
    torch.testing.assert_close(token_entropy(logits), expected)
    random = random_logits(5, 4, seed=1)
    theirs = torch.distributions.Categorical(logits=random).entropy()
    torch.testing.assert_close(token_entropy(random), theirs)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    n_batch=st.integers(1, 3),
    length=st.integers(1, 8),
    seed=st.integers(0, 2**62),
    scale=st.sampled_from([0.5, 3.0, 20.0]),
    bound=st.sampled_from([0.1, 1.0, 4.0]),
)
def test_with_nothing_clamped_a_step_is_the_references_draw_for_draw(
    n_batch: int, length: int, seed: int, scale: float, bound: float
) -> None:
    sampler = EntropyBoundSampler(EntropyBoundSamplerConfig(bound), length, VOCAB, 4)
    schedule = LinearTemperatureScheduleLogitsProcessor(0.4, 0.8, 4)
    ours_generator = seeded(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        theirs = sampler.initialize_canvas(n_batch, torch.device("cpu"))
        ours = torch.randint(VOCAB, (n_batch, length), generator=ours_generator)
        for remaining in range(4, 0, -1):
            assert torch.equal(ours, theirs)
            logits = random_logits(n_batch, length, seed=remaining, scale=scale)

            scaled = schedule(torch.empty(0), logits, cur_step=torch.tensor(remaining))
            drawn = torch.multinomial(torch.softmax(scaled, -1).view(-1, VOCAB), 1)
            accepted = sampler.accept_canvas(theirs, drawn.view(n_batch, length), scaled, remaining)
            theirs = sampler.renoise_canvas(accepted, remaining)

            outcome = denoise_step(
                ours,
                logits.flatten(0, 1),
                torch.ones(n_batch, length, dtype=torch.bool),
                temperature=temperature(remaining, 4, DEFAULTS),
                entropy_bound=bound,
                generator=ours_generator,
            )
            ours = outcome.canvas
            assert torch.equal(outcome.accepted, sampler.accepted_token_mask)
            assert torch.equal(outcome.argmax, scaled.argmax(-1))
            torch.testing.assert_close(outcome.scaled_logits.view_as(scaled), scaled)
        assert torch.equal(ours, theirs)


@st.composite
def free_masks(draw: st.DrawFn) -> Tensor:
    n_batch, length = draw(st.integers(1, 3)), draw(st.integers(2, 8))
    cells = draw(
        st.lists(st.booleans(), min_size=n_batch * length, max_size=n_batch * length).filter(any)
    )
    return torch.tensor(cells).view(n_batch, length)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(free=free_masks(), seed=st.integers(0, 1000))
def test_clamped_positions_never_change_and_count_nowhere(free: Tensor, seed: int) -> None:
    n_free = int(free.sum())
    canvas = torch.randint(VOCAB, free.shape, generator=seeded(seed))
    before = canvas.clone()

    outcome = step(canvas, random_logits(n_free, seed=seed), free, seed=seed, bound=1.0)

    assert torch.equal(canvas, before)  # the input is the caller's
    for after in (outcome.canvas, outcome.argmax):
        assert torch.equal(after[~free], before[~free])
        assert after.min() >= 0
        assert after.max() < VOCAB
    assert not outcome.accepted[~free].any()
    assert not outcome.entropy[~free].any()
    # Each canvas accepts exactly what a canvas of its free positions alone would.
    start = 0
    for idx in range(len(free)):
        n_here = int(free[idx].sum())
        if n_here:
            entropy = outcome.entropy[idx][free[idx]]
            torch.testing.assert_close(
                entropy, token_entropy(outcome.scaled_logits[start : start + n_here])
            )
            alone = accept_by_entropy(entropy[None], torch.ones(1, n_here, dtype=torch.bool), 1.0)
            assert torch.equal(outcome.accepted[idx][free[idx]], alone[0])
        start += n_here


def test_forbidden_tokens_are_never_drawn_nor_believed() -> None:
    free = torch.ones(1, 400, dtype=torch.bool)
    logits = random_logits(400, seed=1, scale=0.1)
    logits[:, 5:] = -torch.inf
    # Everything is accepted, so the canvas shows the draws.
    outcome = step(torch.zeros(1, 400, dtype=torch.long), logits, free, bound=1e9)
    assert set(outcome.canvas[0].tolist()) == {0, 1, 2, 3, 4}
    assert set(outcome.argmax[0].tolist()) == {0, 1, 2, 3, 4}
    assert outcome.entropy.isfinite().all()


def test_what_is_not_accepted_becomes_fresh_noise() -> None:
    n_tokens = 4000
    free = torch.ones(1, n_tokens, dtype=torch.bool)
    canvas = torch.full((1, n_tokens), 7)
    logits = torch.zeros(n_tokens, VOCAB)
    logits[:, 3] = 2.0

    outcome = step(canvas, logits, free)

    assert outcome.accepted.sum() == 1  # all are equally uncertain
    counts = torch.bincount(outcome.canvas[0], minlength=VOCAB).float() / n_tokens
    # Uniform over the vocabulary: neither the old canvas nor the model's favourite sticks out.
    assert (counts - 1 / VOCAB).abs().max() < 0.02


def test_acceptance_starts_from_scratch_at_each_step() -> None:
    """A position accepted before is noised again when it became uncertain."""
    free = torch.ones(1, 3, dtype=torch.bool)
    sure, unsure, middling = torch.zeros(VOCAB), torch.zeros(VOCAB), torch.zeros(VOCAB)
    sure[3], middling[4] = 100.0, 4.0
    first = step(
        torch.zeros(1, 3, dtype=torch.long), torch.stack([sure, middling, unsure]), free, bound=0.1
    )
    assert first.accepted.tolist() == [[True, True, False]]
    assert first.canvas[0, 0] == 3

    later = torch.stack([unsure, sure, middling])
    second = step(first.canvas, later, free, seed=1)

    assert second.accepted.tolist() == [[False, True, True]]
    assert second.canvas[0, 1] == 3
    noises = {int(step(first.canvas, later, free, seed=seed).canvas[0, 0]) for seed in range(40)}
    assert len(noises) > 5


def test_draws_come_from_the_given_generator_alone() -> None:
    free = torch.ones(1, 50, dtype=torch.bool)
    canvas, logits = torch.zeros(1, 50, dtype=torch.long), random_logits(50, seed=1)
    before = torch.get_rng_state()
    first = step(canvas, logits, free, seed=5).canvas
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert torch.equal(step(canvas, logits, free, seed=5).canvas, first)
    assert not torch.equal(step(canvas, logits, free, seed=6).canvas, first)


CERTAIN, UNCERTAIN = 0.001, 1.0


def finished(rule: StopRule, ids: list[int], entropy: float, n_clamped: int = 0) -> bool:
    argmax = torch.tensor([[*ids, *[9] * n_clamped]])
    free = torch.tensor([[*[True] * len(ids), *[False] * n_clamped]])
    entropies = torch.tensor([[*[entropy] * len(ids), *[0.0] * n_clamped]])
    return bool(rule.finished(argmax, entropies, free).item())


def test_a_canvas_is_never_done_at_its_first_step() -> None:
    assert not finished(StopRule(DEFAULTS), [1, 2], 0.0)


def test_a_canvas_is_done_when_its_prediction_is_stable_and_certain() -> None:
    rule = StopRule(DEFAULTS)
    assert [
        finished(rule, [1, 2], CERTAIN),
        finished(rule, [1, 3], CERTAIN),  # changed
        finished(rule, [1, 3], UNCERTAIN),  # stable only
        finished(rule, [1, 3], CERTAIN),
    ] == [False, False, False, True]


def test_the_mean_entropy_must_be_below_the_threshold_not_at_it() -> None:
    for entropy, expected in ((0.25, False), (0.2499, True)):
        rule = StopRule(GenerationConfig(confidence_threshold=0.25))
        finished(rule, [1], entropy)
        assert finished(rule, [1], entropy) is expected


def test_stability_may_be_asked_for_longer_or_not_at_all() -> None:
    rule = StopRule(GenerationConfig(stability_threshold=2))
    assert [finished(rule, [7], CERTAIN) for _ in range(3)] == [False, False, True]
    rule = StopRule(GenerationConfig(stability_threshold=0))
    assert [finished(rule, [idx], CERTAIN) for idx in range(2)] == [True, True]


def test_clamped_positions_do_not_lower_the_mean_entropy() -> None:
    """A hundred certain clamps would otherwise pass any span as certain."""
    rule = StopRule(DEFAULTS)
    finished(rule, [1, 2], 0.02, n_clamped=100)
    assert not finished(rule, [1, 2], 0.02, n_clamped=100)


def test_each_canvas_of_a_batch_is_judged_alone() -> None:
    rule = StopRule(DEFAULTS)
    free = torch.ones(3, 2, dtype=torch.bool)
    entropy = torch.tensor([[CERTAIN] * 2, [CERTAIN] * 2, [CERTAIN, UNCERTAIN]])
    rule.finished(torch.tensor([[1, 2], [1, 2], [1, 2]]), entropy, free)
    again = rule.finished(torch.tensor([[1, 2], [2, 2], [1, 2]]), entropy, free)
    assert again.tolist() == [True, False, False]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    steps=st.lists(st.tuples(st.integers(0, 1), st.booleans()), min_size=1, max_size=7),
    threshold=st.integers(0, 3),
)
def test_the_stop_rule_is_the_references_with_nothing_clamped(
    steps: list[tuple[int, bool]], threshold: int
) -> None:
    """Two canvases; one of two predictions each step, certain or not."""
    ours = StopRule(GenerationConfig(stability_threshold=threshold))
    theirs = StableAndConfidentStoppingCriteria(threshold, DEFAULTS.confidence_threshold)
    for which, certain in steps:
        logits = torch.zeros(2, 3, VOCAB)
        logits[0, :, which] = 50.0 if certain else 1.0
        logits[1, :, 4] = 50.0
        argmax = logits.argmax(-1)
        expected = theirs(argmax, logits)
        free = torch.ones(2, 3, dtype=torch.bool)
        assert torch.equal(ours.finished(argmax, token_entropy(logits), free), expected)


@pytest.mark.parametrize(("alpha", "alpha_next"), [(0.3, 0.6), (0.0, 0.25), (0.9, 1.0), (0.5, 0.5)])
def test_the_posterior_is_that_of_bayes_rule_over_all_pasts(
    alpha: float, alpha_next: float
) -> None:
    """Summed over clean tokens, each weighed by how well it explains the current token."""
    vocab_size = 5
    generator = torch.Generator().manual_seed(0)
    predicted = torch.rand(7, vocab_size, generator=generator).softmax(-1)
    current = torch.randint(vocab_size, (7,), generator=generator)

    def forward(share: float, source: int, target: int) -> float:
        return share * (source == target) + (1 - share) / vocab_size

    expected = torch.zeros(7, vocab_size)
    for row, now in enumerate(current.tolist()):
        for clean in range(vocab_size):
            joint = [
                forward(alpha_next, clean, then) * forward(alpha / alpha_next, then, now)
                for then in range(vocab_size)
            ]
            for then, p in enumerate(joint):
                expected[row, then] += predicted[row, clean] * p / sum(joint)

    found = posterior(predicted, current, alpha=alpha, alpha_next=alpha_next)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
