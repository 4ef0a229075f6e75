"""One denoising step: temperature, entropy bound, clamp, re-noise, stop rule.

The rules are those of transformers' ``EntropyBoundSampler``,
``LinearTemperatureScheduleLogitsProcessor`` and ``StableAndConfidentStoppingCriteria`` (the bound
itself: arXiv 2505.24857). Clamping is ours: clamped positions keep their token, take no part in
the ranking, in the mean entropy or in the stop test. With nothing clamped a step is the
reference's, draw for draw.

Free positions are all that is not clamped; R is their number over the whole batch, in row-major
order. No text and no model here: logits in, canvas out.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dgemma_engine.config import GenerationConfig


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepOutcome:
    """What one denoising step leaves behind.

    Attributes:
        canvas: (B, C), accepted draws, fresh random ids elsewhere, clamped ids unchanged.
        argmax: (B, C), most probable ids at free positions, clamped ids elsewhere.
        scaled_logits: (R, V) float32, divided by the temperature: the self-conditioning input.
        accepted: bool (B, C), free positions whose draw was kept.
        entropy: (B, C) nats, zero at clamped positions.
    """

    canvas: Tensor
    argmax: Tensor
    scaled_logits: Tensor
    accepted: Tensor
    entropy: Tensor


def temperature(step: int, n_steps: int, config: GenerationConfig) -> float:
    """Temperature of a step; ``step`` counts down from ``n_steps`` to 1."""
    return config.t_min + (config.t_max - config.t_min) * (step / n_steps)


def token_entropy(logits: Tensor) -> Tensor:
    """Entropy in nats of each row of (..., V); disallowed tokens may be ``-inf``."""
    log_probs = logits - logits.logsumexp(dim=-1, keepdim=True)
    log_probs = log_probs.clamp(min=torch.finfo(log_probs.dtype).min)  # 0 * -inf is not a number
    return -(log_probs * log_probs.exp()).sum(dim=-1)


def accept_by_entropy(entropy: Tensor, free: Tensor, entropy_bound: float) -> Tensor:
    """Accept the most certain free positions of each canvas.

    Position k of the ascending order is accepted iff the entropies strictly before it sum to at
    most the bound, so the most certain one always is.

    Args:
        entropy: (B, C) nats.
        free: bool (B, C).
        entropy_bound: nats.

    Returns:
        bool (B, C).
    """
    ranked = entropy.masked_fill(~free, torch.inf)  # clamped positions come last and never count
    in_order, order = ranked.sort(dim=-1)
    selected = in_order.cumsum(dim=-1) - in_order <= entropy_bound
    return torch.zeros_like(free).scatter(-1, order, selected) & free


def denoise_step(
    canvas: Tensor,
    logits: Tensor,
    free: Tensor,
    *,
    temperature: float,
    entropy_bound: float,
    generator: torch.Generator,
) -> StepOutcome:
    """Draw every free position, keep the most certain draws, re-noise the rest.

    Acceptance starts from scratch each step: what was accepted before may be noised again.

    Args:
        canvas: (B, C) ids.
        logits: (R, V) float32 of the free positions; ``-inf`` forbids a token.
        free: bool (B, C), the positions that are not clamped.
        temperature: divides the logits.
        entropy_bound: nats, see :func:`accept_by_entropy`.
        generator: the request's own source of randomness, on the canvas' device.

    Returns:
        The outcome; ``canvas`` itself is untouched.
    """
    scaled = logits / temperature
    probabilities = torch.softmax(scaled, dim=-1, dtype=torch.float32)
    # The order of the two draws is the reference's; one seed must give one text.
    drawn = torch.multinomial(probabilities, num_samples=1, generator=generator).squeeze(-1)
    noise = torch.randint(logits.shape[-1], canvas.shape, generator=generator, device=canvas.device)
    entropy = torch.zeros(canvas.shape, dtype=torch.float32, device=canvas.device)
    entropy[free] = token_entropy(scaled)
    accepted = accept_by_entropy(entropy, free, entropy_bound)
    sampled, argmax = canvas.clone(), canvas.clone()
    sampled[free] = drawn
    argmax[free] = scaled.argmax(dim=-1)
    renoised = torch.where(free & ~accepted, noise, sampled)
    return StepOutcome(
        canvas=renoised, argmax=argmax, scaled_logits=scaled, accepted=accepted, entropy=entropy
    )


def posterior(predicted: Tensor, current: Tensor, *, alpha: float, alpha_next: float) -> Tensor:
    """Distribution of the next, less noisy token of uniform-state diffusion.

    A token of noise level alpha is the clean one with probability alpha, else uniformly random. Its
    posterior at a lower level keeps what stands there, takes the clean token, or draws at random;
    unlike :func:`denoise_step`, which noises again whatever it does not accept, it lets tokens
    stay.

    Args:
        predicted: (R, V), the predicted distribution of the clean tokens.
        current: int64 (R,), the tokens as they are.
        alpha: share of clean tokens now, below 1.
        alpha_next: share of clean tokens then, from ``alpha`` to 1.

    Returns:
        (R, V) probabilities.

    Source:
        D3PM (arXiv 2107.03006), equation 3, for uniform transitions; summed over the clean token.
    """
    vocab_size = predicted.shape[-1]
    stays = alpha / alpha_next
    noise_now, noise_between, noise_then = (
        (1 - share) / vocab_size for share in (alpha, stays, alpha_next)
    )
    is_current = torch.zeros_like(predicted).scatter_(1, current[:, None], 1.0)
    # p(clean) / q(current | clean): how much each clean token explains what stands there.
    explained = predicted / (noise_now + alpha * is_current)
    towards = alpha_next * explained + noise_then * explained.sum(dim=1, keepdim=True)
    return (noise_between + stays * is_current) * towards


class StopRule:
    """Stops a canvas whose prediction is stable and confident.

    Stable: the argmax canvas equals those of the last ``stability_threshold`` steps (hence never
    at the first step). Confident: the mean entropy of the free positions is below the threshold.
    """

    def __init__(self, config: GenerationConfig) -> None:
        self._config = config
        self._history: list[Tensor] = []

    def finished(self, argmax: Tensor, entropy: Tensor, free: Tensor) -> Tensor:
        """Take one step's prediction.

        Args:
            argmax: (B, C) ids, clamped ids where clamped.
            entropy: (B, C) nats, zero where clamped.
            free: bool (B, C).

        Returns:
            bool (B,), true for canvases that are done.
        """
        n_needed = self._config.stability_threshold
        stable = torch.full((len(argmax),), len(self._history) >= n_needed, device=argmax.device)
        for earlier in self._history:
            stable &= (earlier == argmax).all(dim=-1)
        self._history = [*self._history, argmax][-n_needed:] if n_needed else []
        mean_entropy = entropy.sum(dim=-1) / free.sum(dim=-1).clamp(min=1)
        return stable & (mean_entropy < self._config.confidence_threshold)
