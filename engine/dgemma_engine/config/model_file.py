"""``config.json``: the shape of the model.

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
from pathlib import Path
from typing import Any

from dgemma_engine.config.section import Section, read_json
from dgemma_engine.config.values import LayerConfig, LayerKind, ModelConfig
from dgemma_engine.errors import ConfigError

CONFIG_NAME = "config.json"

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


def load_model_config(folder: Path) -> ModelConfig:
    """Read ``config.json`` of a checkpoint folder.

    Raises:
        ConfigError: the file is missing, is not JSON, has a value out of range, describes another
            architecture, or sets a key that we do not know.
    """
    path = folder / CONFIG_NAME
    return parse_model_config(read_json(path), path)


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
    top = Section(path, values, {"canvas_length": 256, "tie_word_embeddings": True})
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
    return _parse_text_config(Section(path, text_values, _REAL_TEXT_DEFAULTS), canvas_length)


def _parse_text_config(text: Section, canvas_length: int) -> ModelConfig:
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


def _parse_layers(text: Section, n_heads: int) -> tuple[LayerConfig, ...]:
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


def _parse_shapes(text: Section, kinds: list[LayerKind]) -> list[tuple[int, int]]:
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
        layer = Section(text.path, by_layer.get(idx, {}), defaults)
        shapes.append((layer.positive_int("head_dim"), layer.positive_int("num_key_value_heads")))
    return shapes


def _parse_layer_types(text: Section) -> list[LayerKind]:
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


def _parse_rope(text: Section, kind: LayerKind) -> tuple[float, float]:
    """Give (theta, rotating fraction) of one layer kind."""
    all_ropes = text.get("rope_parameters")
    values = all_ropes.get(kind) if isinstance(all_ropes, Mapping) else None
    if not isinstance(values, Mapping):
        raise text.error(f"rope_parameters.{kind}", values, "must be an object")
    defaults = _REAL_TEXT_DEFAULTS["rope_parameters"][kind]
    rope = Section(text.path, values, {"partial_rotary_factor": 1.0} | defaults)
    rope.must_be("rope_type", defaults["rope_type"])
    theta = rope.positive_float("rope_theta")
    fraction = rope.positive_float("partial_rotary_factor")
    if fraction > 1 or (kind == "sliding_attention" and fraction != 1):
        raise rope.error("partial_rotary_factor", fraction, "must be 1 in sliding layers, else ≤ 1")
    if values.get("factor", 1.0) != 1.0:
        raise rope.error("factor", values["factor"], "must be 1")
    rope.refuse_unknown(frozenset({"factor"}))
    return theta, fraction
