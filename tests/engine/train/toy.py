"""A recipe and a text so small that training takes seconds."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from dgemma_engine.train import trainer
from dgemma_engine.train.__main__ import main

RECIPE = """
[tokenizer]
vocab_size = 270
sample_bytes = 100000
pre_split = '\\n+ *| ?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]| +'
reserved = ["<pad>", "<eos>", "<bos>", "<unk>"]

[model]
hidden_size = 16
intermediate_size = 24
layer_kinds = "SF"
num_attention_heads = 2
num_key_value_heads = 1
head_dim = 8
global_head_dim = 16
num_global_key_value_heads = 1
sliding_window = 16
num_experts = 2
top_k_experts = 1
moe_intermediate_size = 8

[training]
seed = 1
window_tokens = 64
canvas_tokens = 32
muon_lr = 0.02
adam_lr = 0.01
warmup_steps = 2
checkpoint_minutes = 5.0

[[training.phases]]
name = "next-token"
share = 0.5
batch_windows = 4
canvas_share = 0.0
sampled_share = 0.0
span_share = 1.0
typo_share = 0.0
next_token_weight = 1.0
decay = false

[[training.phases]]
name = "spans"
share = 0.25
batch_windows = 4
canvas_share = 1.0
sampled_share = 0.5
span_share = 0.9
typo_share = 0.3
next_token_weight = 0.5
decay = false

[[training.phases]]
name = "decay"
share = 0.25
batch_windows = 4
canvas_share = 1.0
sampled_share = 0.5
span_share = 0.9
typo_share = 0.3
next_token_weight = 0.5
decay = true

[infill]
context_tokens = 32
canvas_tokens = 32
left_tokens = 8
right_tokens = 8
n_steps = 3
clamps_known_at_once = true
"""

_FUNCTIONS = "".join(f"def f{n}(a, b):\n    return a + b\n\n" for n in range(40))
_PROSE = "# Whoever reads these functions will find that they never change.\n" * 6
TEXT = _FUNCTIONS + _PROSE


def write_corpus(work: Path) -> None:
    """Write a recipe and every split of a corpus by hand."""
    (work / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    (work / "corpus").mkdir()
    document = json.dumps({"package": "p", "path": "p/a.py", "text": TEXT}) + "\n"
    for split in ("train", "selection", "holdout"):
        (work / "corpus" / f"{split}.jsonl").write_text(document * 4, encoding="utf-8")


def step(name: str, work: Path, *args: str) -> int:
    """Run one step of the program on a folder with a recipe; give the exit code."""
    return main([name, str(work), *args, "--recipe", str(work / "recipe.toml")])


@contextmanager
def steady_clock() -> Iterator[None]:
    """Let the trainer's time go by in equal steps, so that a busy machine trains no less.

    One thread, too: at these sizes more of them only wait for each other.
    """
    n_threads = torch.get_num_threads()
    ticks = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "time", SimpleNamespace(monotonic=lambda: next(ticks) * 0.01))
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(n_threads)
