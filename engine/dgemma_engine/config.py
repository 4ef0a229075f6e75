"""``config.json`` and ``generation_config.json`` as frozen values.

Both spellings of the full-attention layers are understood: the released checkpoint's
``global_head_dim`` / ``num_global_key_value_heads`` and the ``per_layer_config`` that newer
transformers write instead. A key that is missing takes the value of the released 26B-A4B
checkpoint; a key that we do not know and that is switched on is refused, because ignoring it
could change what the model computes.

Source: transformers ``models/diffusion_gemma/configuration_diffusion_gemma.py``; the defaults are
the values of google/diffusiongemma-26B-A4B-it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dgemma_engine.errors import ConfigError

LayerKind = Literal["sliding_attention", "full_attention"]

CONFIG_NAME = "config.json"
GENERATION_CONFIG_NAME = "generation_config.json"

MODEL_TYPES = ("diffusion_gemma", "diffusion_gemma_text")
_MAX_CANVAS_LENGTH = 4096

# Keys that cannot change the text model's function: names, training-only values, other modalities.
_IGNORED_TOP_KEYS = frozenset(
    {
        "_name_or_path",
        "architectures",
        "boi_token_id",
        "bos_token_id",
        "canvas_length",
        "dtype",
        "eoi_token_id",
        "eos_token_id",
        "image_token_id",
        "initializer_range",
        "model_type",
        "pad_token_id",
        "text_config",
        "tie_word_embeddings",
        "torch_dtype",
        "transformers_version",
        "use_cache",
        "video_token_id",
        "vision_config",
        "vision_soft_tokens_per_image",
    }
)
_IGNORED_TEXT_KEYS = frozenset(
    {
        "_name_or_path",
        "architectures",
        "attention_dropout",
        "dtype",
        "initializer_range",
        "max_position_embeddings",
        "model_type",
        "output_attentions",
        "output_hidden_states",
        "return_dict",
        "torch_dtype",
        "transformers_version",
        "use_bidirectional_attention",
        "use_cache",
    }
)


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


class _Section:
    """One JSON object being read: typed look-ups whose errors name the file and the key."""

    def __init__(self, path: Path, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        self.path = path
        self.values = values
        self.defaults = defaults
        self.used: set[str] = set()

    def get(self, key: str) -> Any:
        """Give the file's value, else the default."""
        self.used.add(key)
        value = self.values.get(key)
        return self.defaults.get(key) if value is None else value

    def positive_int(self, key: str) -> int:
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self.error(key, value, "must be a positive whole number")
        return value

    def positive_float(self, key: str) -> float:
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e30:
            raise self.error(key, value, "must be a number above 0")
        return float(value)

    def token_ids(self, key: str) -> tuple[int, ...]:
        value = self.get(key)
        ids = value if isinstance(value, list) else [] if value is None else [value]
        if any(isinstance(i, bool) or not isinstance(i, int) or i < 0 for i in ids):
            raise self.error(key, value, "must be a token id or a list of token ids")
        return tuple(ids)

    def some_token_ids(self, key: str) -> tuple[int, ...]:
        if not (ids := self.token_ids(key)):
            raise self.error(key, self.get(key), "must name at least one token id")
        return ids

    def token_id(self, key: str) -> int:
        ids = self.token_ids(key)
        if len(ids) != 1:
            raise self.error(key, self.get(key), "must be one token id")
        return ids[0]

    def must_be(self, key: str, expected: object) -> None:
        """Refuse a variant of the architecture that we do not compute."""
        value = self.get(key)
        if value != expected:
            raise self.error(key, value, f"must be {json.dumps(expected)}; nothing else is built")

    def refuse_unknown(self, ignored: frozenset[str]) -> None:
        """Refuse keys outside of what was read, unless they are switched off."""
        for key in sorted(set(self.values) - self.used - ignored):
            if self.values[key] is not None and self.values[key] is not False:
                raise ConfigError(
                    f"{self.path}: unknown key {key!r} ({json.dumps(self.values[key])[:80]}) could"
                    " change the result; use a checkpoint of DiffusionGemma, or remove the key"
                )

    def error(self, key: str, value: object, rule: str) -> ConfigError:
        shown = json.dumps(value, default=str)[:80]
        return ConfigError(
            f"{self.path}: {key} is {shown}, {rule}; use the file of the original checkpoint"
        )


def load_model_config(folder: Path) -> ModelConfig:
    """Read ``config.json`` of a checkpoint folder.

    Raises:
        ConfigError: the file is missing, is not JSON, has a value out of range, describes another
            architecture, or sets a key that we do not know.
    """
    path = folder / CONFIG_NAME
    return parse_model_config(_read_json(path), path)


def load_generation_config(folder: Path, model: ModelConfig) -> GenerationConfig:
    """Read ``generation_config.json``; without the file, the defaults and the model's special ids.

    A key that is missing or null takes the reference's default. Without ``eos_token_id`` nothing
    ends a generation early, as in the reference.

    Raises:
        ConfigError: the file is malformed, a value is out of range, or the sampler is unknown.
    """
    path = folder / GENERATION_CONFIG_NAME
    if not path.exists():
        return GenerationConfig(eos_token_ids=model.eos_token_ids, pad_token_id=model.pad_token_id)
    return parse_generation_config(_read_json(path), path)


_REAL_TEXT_DEFAULTS: Mapping[str, Any] = {
    "vocab_size": 262144,
    "hidden_size": 2816,
    "intermediate_size": 2112,
    "moe_intermediate_size": 704,
    "num_hidden_layers": 30,
    "num_experts": 128,
    "top_k_experts": 8,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "num_global_key_value_heads": 2,
    "head_dim": 256,
    "global_head_dim": 512,
    "sliding_window": 1024,
    "rms_norm_eps": 1e-6,
    "final_logit_softcapping": 30.0,
    "hidden_activation": "gelu_pytorch_tanh",
    "attention_bias": False,
    "attention_k_eq_v": True,
    "tie_word_embeddings": True,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "bos_token_id": 2,
    "rope_parameters": {
        "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
        "full_attention": {
            "rope_type": "proportional",
            "partial_rotary_factor": 0.25,
            "rope_theta": 1_000_000.0,
        },
    },
}


def parse_model_config(values: Mapping[str, Any], path: Path = Path(CONFIG_NAME)) -> ModelConfig:
    """Turn the JSON object of a ``config.json`` into a :class:`ModelConfig`.

    Args:
        values: either the whole file (with ``text_config``) or the text section alone.
        path: named in error messages.

    Raises:
        ConfigError: as for :func:`load_model_config`.
    """
    model_type = values.get("model_type")
    if model_type not in MODEL_TYPES:
        raise ConfigError(
            f"{path}: model_type is {json.dumps(model_type)}, must be one of"
            f" {', '.join(MODEL_TYPES)}; point to a DiffusionGemma checkpoint"
        )
    top = _Section(path, values, {"canvas_length": 256, "tie_word_embeddings": True})
    top.must_be("tie_word_embeddings", True)
    canvas_length = top.positive_int("canvas_length")
    if canvas_length > _MAX_CANVAS_LENGTH:
        raise top.error("canvas_length", canvas_length, f"must be 1..{_MAX_CANVAS_LENGTH}")
    if model_type == "diffusion_gemma":
        top.refuse_unknown(_IGNORED_TOP_KEYS)
        text_values = values.get("text_config", {})
        if not isinstance(text_values, Mapping):
            raise top.error("text_config", text_values, "must be an object")
    else:
        text_values = {k: v for k, v in values.items() if k != "canvas_length"}
    return _parse_text_config(_Section(path, text_values, _REAL_TEXT_DEFAULTS), canvas_length)


def _parse_text_config(text: _Section, canvas_length: int) -> ModelConfig:
    text.must_be("hidden_activation", "gelu_pytorch_tanh")
    text.must_be("attention_bias", False)
    text.must_be("attention_k_eq_v", True)
    text.must_be("tie_word_embeddings", True)
    if (attention := text.values.get("use_bidirectional_attention")) not in (None, "vision"):
        raise text.error("use_bidirectional_attention", attention, 'must be "vision" or null')
    n_heads = text.positive_int("num_attention_heads")
    layers = _parse_layers(text, n_heads)
    top_k, n_experts = text.positive_int("top_k_experts"), text.positive_int("num_experts")
    if top_k > n_experts:
        raise text.error("top_k_experts", top_k, f"must be at most num_experts ({n_experts})")
    config = ModelConfig(
        vocab_size=text.positive_int("vocab_size"),
        hidden_size=text.positive_int("hidden_size"),
        intermediate_size=text.positive_int("intermediate_size"),
        moe_intermediate_size=text.positive_int("moe_intermediate_size"),
        n_experts=n_experts,
        top_k_experts=top_k,
        n_heads=n_heads,
        sliding_window=text.positive_int("sliding_window"),
        rms_norm_eps=text.positive_float("rms_norm_eps"),
        logit_softcap=text.positive_float("final_logit_softcapping"),
        canvas_length=canvas_length,
        layers=layers,
        eos_token_ids=text.some_token_ids("eos_token_id"),
        pad_token_id=text.token_id("pad_token_id"),
        bos_token_id=text.token_id("bos_token_id"),
    )
    text.refuse_unknown(_IGNORED_TEXT_KEYS)
    return config


def _parse_layers(text: _Section, n_heads: int) -> tuple[LayerConfig, ...]:
    kinds = _parse_layer_types(text)
    ropes = {kind: _parse_rope(text, kind) for kind in set(kinds)}
    layers = []
    for kind, (head_dim, n_kv_heads) in zip(kinds, _parse_shapes(text, kinds), strict=True):
        if n_heads % n_kv_heads:
            raise text.error(
                "num_key_value_heads", n_kv_heads, f"must divide num_attention_heads ({n_heads})"
            )
        if head_dim % 2:
            raise text.error("head_dim", head_dim, "must be even")
        theta, fraction = ropes[kind]
        layers.append(
            LayerConfig(
                kind=kind,
                head_dim=head_dim,
                n_kv_heads=n_kv_heads,
                rope_theta=theta,
                rope_fraction=fraction,
            )
        )
    return tuple(layers)


def _parse_shapes(text: _Section, kinds: list[LayerKind]) -> list[tuple[int, int]]:
    """Give (head_dim, key/value heads) of every layer, from either spelling."""
    usual = (text.positive_int("head_dim"), text.positive_int("num_key_value_heads"))
    # Read even where unused, so that the keys count as known.
    full = (text.positive_int("global_head_dim"), text.positive_int("num_global_key_value_heads"))
    if text.values.get("num_global_key_value_heads", 0) is None:  # written out: as in the others
        full = (full[0], usual[1])
    overrides = text.get("per_layer_config")
    if overrides is None:
        return [full if kind == "full_attention" else usual for kind in kinds]
    # Keys are layer numbers, padded with zeros when there are ten layers or more ("05").
    by_layer: dict[int, Mapping[str, Any]] = {}
    if not isinstance(overrides, Mapping):
        raise text.error("per_layer_config", overrides, "must be an object")
    for key, values in overrides.items():
        is_number = str(key).isdecimal() and int(key) < len(kinds)
        known = isinstance(values, Mapping) and set(values) <= {"head_dim", "num_key_value_heads"}
        if not is_number or not known:
            rule = "must give head_dim and num_key_value_heads of a layer by its number"
            raise text.error(f"per_layer_config.{key}", values, rule)
        by_layer[int(key)] = values
    shapes = []
    for idx in range(len(kinds)):
        defaults = {"head_dim": usual[0], "num_key_value_heads": usual[1]}
        layer = _Section(text.path, by_layer.get(idx, {}), defaults)
        shapes.append((layer.positive_int("head_dim"), layer.positive_int("num_key_value_heads")))
    return shapes


def _parse_layer_types(text: _Section) -> list[LayerKind]:
    """Read the layer kinds: five sliding, one full by default; the last is always full."""
    n_layers = text.positive_int("num_hidden_layers")
    kinds: list[LayerKind] | None = text.get("layer_types")
    if kinds is None:
        kinds = [
            "full_attention" if (idx + 1) % 6 == 0 else "sliding_attention"
            for idx in range(n_layers)
        ]
    known = ("sliding_attention", "full_attention")
    if not isinstance(kinds, list) or len(kinds) != n_layers or any(k not in known for k in kinds):
        raise text.error("layer_types", kinds, f"must name {n_layers} layers, each {known}")
    return [*kinds[:-1], "full_attention"]


def _parse_rope(text: _Section, kind: LayerKind) -> tuple[float, float]:
    """Give (theta, rotating fraction) of one layer kind."""
    all_ropes = text.get("rope_parameters")
    values = all_ropes.get(kind) if isinstance(all_ropes, Mapping) else None
    if not isinstance(values, Mapping):
        raise text.error(f"rope_parameters.{kind}", values, "must be an object")
    defaults = _REAL_TEXT_DEFAULTS["rope_parameters"][kind]
    rope = _Section(text.path, values, {"partial_rotary_factor": 1.0} | defaults)
    rope.must_be("rope_type", defaults["rope_type"])
    theta = rope.positive_float("rope_theta")
    fraction = rope.positive_float("partial_rotary_factor")
    if fraction > 1 or (kind == "sliding_attention" and fraction != 1):
        raise rope.error("partial_rotary_factor", fraction, "must be 1 in sliding layers, else ≤ 1")
    if values.get("factor", 1.0) != 1.0:
        raise rope.error("factor", values["factor"], "must be 1")
    rope.refuse_unknown(frozenset({"factor"}))
    return theta, fraction


_GENERATION_DEFAULTS: Mapping[str, Any] = {
    "max_denoising_steps": 48,
    "t_min": 0.4,
    "t_max": 0.8,
    "stability_threshold": 1,
    "confidence_threshold": 0.005,
    "max_new_tokens": 256,
    "sampler_config": {"_cls_name": "EntropyBoundSamplerConfig", "entropy_bound": 0.1},
}
_IGNORED_GENERATION_KEYS = frozenset(
    {
        "_commit_hash",
        "_from_model_config",
        "bos_token_id",
        "cache_config",
        "cache_implementation",
        "disable_compile",
        "do_sample",
        "max_length",
        "return_dict_in_generate",
        "transformers_version",
    }
)


def parse_generation_config(
    values: Mapping[str, Any], path: Path = Path(GENERATION_CONFIG_NAME)
) -> GenerationConfig:
    """Turn the JSON object of a ``generation_config.json`` into a :class:`GenerationConfig`.

    Raises:
        ConfigError: as for :func:`load_generation_config`.
    """
    section = _Section(path, values, _GENERATION_DEFAULTS)
    sampler_values = section.get("sampler_config")
    if not isinstance(sampler_values, Mapping):
        raise section.error("sampler_config", sampler_values, "must be an object")
    sampler = _Section(path, sampler_values, {})
    sampler.must_be("_cls_name", "EntropyBoundSamplerConfig")
    entropy_bound = sampler.positive_float("entropy_bound")
    sampler.refuse_unknown(frozenset())
    t_min, t_max = section.get("t_min"), section.positive_float("t_max")
    if isinstance(t_min, bool) or not isinstance(t_min, int | float) or not 0 <= t_min < t_max:
        raise section.error("t_min", t_min, f"must be at least 0 and below t_max ({t_max})")
    stability = section.get("stability_threshold")
    if isinstance(stability, bool) or not isinstance(stability, int) or stability < 0:
        raise section.error("stability_threshold", stability, "must be a whole number, 0 or more")
    pad = section.token_ids("pad_token_id")
    config = GenerationConfig(
        max_denoising_steps=section.positive_int("max_denoising_steps"),
        entropy_bound=entropy_bound,
        t_min=float(t_min),
        t_max=t_max,
        stability_threshold=stability,
        confidence_threshold=section.positive_float("confidence_threshold"),
        max_new_tokens=section.positive_int("max_new_tokens"),
        eos_token_ids=section.token_ids("eos_token_id"),
        pad_token_id=pad[0] if pad else None,
    )
    section.refuse_unknown(_IGNORED_GENERATION_KEYS)
    return config


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; a model folder needs {CONFIG_NAME} beside its weights"
        ) from None
    except OSError as err:
        raise ConfigError(f"{path}: cannot be read ({err.strerror})") from err
    except ValueError as err:
        raise ConfigError(
            f"{path}: not valid JSON ({err}); fetch the file of the original checkpoint again"
        ) from err
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path}: must hold a JSON object, holds {type(values).__name__}")
    return values
