"""What a checkpoint is, as frozen values: the shape of its model, the settings of its sampler."""

from dataclasses import dataclass
from typing import Literal

LayerKind = Literal["sliding_attention", "full_attention"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerConfig:
    """What differs between sliding and full attention layers.

    Attributes:
        kind: ``sliding_attention`` or ``full_attention``.
        head_dim: width of one head, query and key alike.
        n_kv_heads: key/value heads; divides the number of query heads.
        rope_theta: base of the rotary frequencies.
        rope_fraction: share of the head's dimensions that rotate (``partial_rotary_factor``).
    """

    kind: LayerKind
    head_dim: int
    n_kv_heads: int
    rope_theta: float
    rope_fraction: float

    @property
    def is_sliding(self) -> bool:
        """Whether keys are limited to the sliding window."""
        return self.kind == "sliding_attention"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """The text model's shape.

    Attributes:
        vocab_size: V, token ids are ``0 <= id < V``.
        hidden_size: D, width of the residual stream.
        intermediate_size: width of the shared dense MLP and of the self-conditioning MLP.
        moe_intermediate_size: width of one expert.
        n_experts: routed experts per layer.
        top_k_experts: experts that each token uses.
        n_heads: query heads, the same in every layer.
        sliding_window: keys that a query of a sliding layer sees, itself included.
        rms_norm_eps: added to the mean square in every RMSNorm.
        logit_softcap: logits are ``c * tanh(l / c)``.
        canvas_length: tokens that one canvas holds, 256 in the released model.
        layers: one entry per layer, first to last; the last one is full attention.
        eos_token_ids: ids that end a text; ``pad_token_id`` fills what comes after.
        bos_token_id: id that begins a text.
    """

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    moe_intermediate_size: int
    n_experts: int
    top_k_experts: int
    n_heads: int
    sliding_window: int
    rms_norm_eps: float
    logit_softcap: float
    canvas_length: int
    layers: tuple[LayerConfig, ...]
    eos_token_ids: tuple[int, ...]
    pad_token_id: int
    bos_token_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationConfig:
    """The sampler's settings (``generation_config.json``).

    Attributes:
        max_denoising_steps: N, decoder forwards per canvas at most.
        entropy_bound: nats; how much summed entropy may be accepted in one step.
        t_min: temperature after the last step.
        t_max: temperature at the first step.
        stability_threshold: steps for which the argmax canvas must have stayed the same.
        confidence_threshold: nats; mean entropy below which a stable canvas is final.
        max_new_tokens: default length of plain generation.
        eos_token_ids: ids that end a generation; empty means none does.
        pad_token_id: replaces what follows the first end-of-text id; ``None`` leaves it alone.
    """

    max_denoising_steps: int = 48
    entropy_bound: float = 0.1
    t_min: float = 0.4
    t_max: float = 0.8
    stability_threshold: int = 1
    confidence_threshold: float = 0.005
    max_new_tokens: int = 256
    eos_token_ids: tuple[int, ...] = ()
    pad_token_id: int | None = None
