"""Tiny DiffusionGemma checkpoints written by transformers, which is the judge of our model.

Six layers, so that one is full attention; a window of 8, so that short prompts cross it; every
norm and scalar perturbed, so that none is the identity; encoder and decoder scalars unequal.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers import Tokenizer as HfTokenizer
from torch import Tensor
from transformers import (
    DiffusionGemmaConfig,
    DiffusionGemmaForBlockDiffusion,
    DiffusionGemmaTextConfig,
    Gemma4VisionConfig,
)
from transformers.utils import logging as hf_logging

from dgemma_engine.engine import Engine

hf_logging.disable_progress_bar()

MAX_LOGIT_DIFFERENCE = 2e-4
"""float32 sums in another order: 1e-4 was seen on logits of magnitude 30."""

ENDING_TOKEN_IDS = (1, 17, 40, 58)
"""What ends a text for the checkpoint ``ending``: enough ids that about every other canvas ends."""

SPECIAL_TOKENS = ("<pad>", "<eos>", "<bos>", "<unk>")


@dataclass(frozen=True, slots=True, kw_only=True)
class TinyShape:
    """What of the architecture the tests vary."""

    vocab_size: int = 96
    hidden_size: int = 32
    intermediate_size: int = 24
    moe_intermediate_size: int = 12
    n_layers: int = 6
    n_heads: int = 4
    n_kv_heads: int = 2
    n_global_kv_heads: int = 1
    head_dim: int = 8
    global_head_dim: int = 16
    rope_fraction: float = 0.25
    sliding_window: int = 8
    n_experts: int = 8
    top_k_experts: int = 2
    logit_softcap: float = 30.0
    canvas_length: int = 16


GATHERED_SHAPE = TinyShape(n_experts=16, top_k_experts=3)
"""More experts than the dense path takes."""


def build_reference(
    shape: TinyShape | None = None,
    *,
    seed: int = 0,
    weight_noise: float = 0.3,
    sharpness: float = 1.0,
    eos_token_id: Sequence[int] | None = None,
) -> DiffusionGemmaForBlockDiffusion:
    """Make a random reference model; nothing in it is trivial.

    Args:
        shape: of the architecture.
        seed: of the weights.
        weight_noise: standard deviation of the matrices. A random model amplifies rounding at
            every step that feeds on the step before: 0.3 amplifies by 70, 0.05 by about 1.
        sharpness: multiplies the last norm; 1 leaves all tokens about equally likely.
        eos_token_id: ids for ``generation_config.json``, with 0 as padding.
    """
    shape = shape or TinyShape()
    text = DiffusionGemmaTextConfig(
        vocab_size=shape.vocab_size,
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        moe_intermediate_size=shape.moe_intermediate_size,
        num_hidden_layers=shape.n_layers,
        num_attention_heads=shape.n_heads,
        num_key_value_heads=shape.n_kv_heads,
        num_global_key_value_heads=shape.n_global_kv_heads,
        head_dim=shape.head_dim,
        global_head_dim=shape.global_head_dim,
        rope_parameters={
            "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            "full_attention": {
                "rope_type": "proportional",
                "partial_rotary_factor": shape.rope_fraction,
                "rope_theta": 1_000_000.0,
            },
        },
        sliding_window=shape.sliding_window,
        num_experts=shape.n_experts,
        top_k_experts=shape.top_k_experts,
        final_logit_softcapping=shape.logit_softcap,
    )
    vision = Gemma4VisionConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        head_dim=8,
        position_embedding_size=16,
    )
    config = DiffusionGemmaConfig(
        text_config=text, vision_config=vision, canvas_length=shape.canvas_length
    )
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model = DiffusionGemmaForBlockDiffusion(config).eval()
        for name, parameter in model.named_parameters():
            if "vision" not in name:
                is_matrix = parameter.ndim > 1
                parameter.add_(torch.randn_like(parameter) * (weight_noise if is_matrix else 0.3))
        for name, buffer in model.named_buffers():
            if name.endswith("layer_scalar"):
                buffer.mul_(torch.rand(1) + 0.5)
        model.model.decoder.norm.weight.mul_(sharpness)
    if eos_token_id is not None:
        model.generation_config.eos_token_id = list(eos_token_id)
        model.generation_config.pad_token_id = 0
    return model


def use_global_keys(folder: Path) -> None:
    """Rewrite ``config.json`` into the released checkpoint's spelling."""
    path = folder / "config.json"
    values = read_json(path)
    text = values["text_config"]
    overrides = {int(key): value for key, value in text.pop("per_layer_config").items()}
    full = overrides[text["layer_types"].index("full_attention")]
    text["global_head_dim"] = full["head_dim"]
    text["num_global_key_value_heads"] = full.get(
        "num_key_value_heads", text["num_key_value_heads"]
    )
    write_json(path, values)


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, values: Any) -> None:
    path.write_text(json.dumps(values), encoding="utf-8")


def random_ids(n_tokens: int, seed: int, vocab_size: int = 96) -> list[int]:
    """Token ids that depend on the seed only."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(vocab_size, (n_tokens,), generator=generator).tolist()


def random_canvas(n_batch: int, length: int, seed: int, vocab_size: int = 96) -> Tensor:
    ids = random_ids(n_batch * length, seed, vocab_size)
    return torch.tensor(ids).view(n_batch, length)


@torch.no_grad()
def reference_logits(
    model: DiffusionGemmaForBlockDiffusion,
    token_ids: Sequence[int],
    canvas: Tensor,
    self_conditioning: Tensor | None = None,
) -> Tensor:
    """The judge's logits (B, C, V) for canvases that follow one prefix."""
    prompts = torch.tensor([list(token_ids)] * len(canvas))
    logits: Tensor = model(
        input_ids=prompts,
        decoder_input_ids=canvas,
        self_conditioning_logits=self_conditioning,
    ).logits
    return logits


def reference_generate(
    model: DiffusionGemmaForBlockDiffusion,
    token_ids: Sequence[int],
    *,
    max_new_tokens: int,
    steps: int,
    seed: int,
    streamer: Any = None,
) -> list[int]:
    """New tokens of the judge's own ``generate``, which draws from the global generator."""
    # The mark serves compiled CUDA graphs; it would import half of torch for nothing.
    with (
        torch.random.fork_rng(devices=[]),
        mock.patch("torch.compiler.cudagraph_mark_step_begin"),
    ):
        torch.manual_seed(seed)
        output = model.generate(
            torch.tensor([list(token_ids)]),
            max_new_tokens=max_new_tokens,
            max_denoising_steps=steps,
            streamer=streamer,
        )
    new: list[int] = output.sequences[0, len(token_ids) :].tolist()
    return new


TRAINING_TEXT = """\
def read(path, encoding='utf-8'):
    with open(path, encoding=encoding) as file:
        return file.read()


class Reader:
    def __init__(self, path):
        self.path = path
        self.lines = read(path).split('\\n')

    def __len__(self):
        return len(self.lines)
"""


def byte_level_tokenizer(text: str = TRAINING_TEXT, vocab_size: int = 400) -> HfTokenizer:
    """Train a byte-level BPE, the family of the embedded model."""
    tokenizer = HfTokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?_*\p{L}+|\d| ?[^\s\p{L}\d]+|\s+"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text] * 3, trainer)
    return tokenizer


def byte_fallback_tokenizer() -> HfTokenizer:
    """Make a small BPE built like Gemma's: ``▁`` for a space, bytes for what is not in it."""
    words = ["▁def", "▁self", "return", "▁▁▁▁", "path", "\n\n"]
    alphabet = sorted(
        set("".join(words)) | set("abcdefghijklmnopqrstuvwxyz()[]{}<>.:=_'0123456789é")
    )
    vocab: dict[str, int] = {}
    merges: list[tuple[str, str]] = []
    for token in (*SPECIAL_TOKENS, *[f"<0x{byte:02X}>" for byte in range(256)], *alphabet):
        vocab[token] = len(vocab)
    for word in words:
        for end in range(2, len(word) + 1):
            if word[:end] not in vocab:
                vocab[word[:end]] = len(vocab)
                merges.append((word[: end - 1], word[end - 1]))
    tokenizer = HfTokenizer(
        models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL_TOKENS])
    return tokenizer


def engine_with(engine: Engine, **generation_changes: Any) -> Engine:
    """The same weights under other generation settings."""
    return Engine(
        engine.model,
        replace(engine.generation_config, **generation_changes),
        tokenizer=engine._tokenizer,
        infill_settings=engine.infill_settings,
    )
