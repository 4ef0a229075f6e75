"""A few seconds of real training on a toy text: it learns, saves, resumes and exports."""

import json
from pathlib import Path

import pytest
import torch

from dgemma_engine import load
from dgemma_engine.train.__main__ import main
from dgemma_engine.train.settings import load_training_settings

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
next_token_weight = 1.0
decay = false

[[training.phases]]
name = "spans"
share = 0.5
batch_windows = 4
canvas_share = 1.0
sampled_share = 0.5
span_share = 0.9
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
TEXT = "".join(f"def f{n}(a, b):\n    return a + b\n\n" for n in range(40))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after all steps: corpus by hand, the others by the program."""
    work = tmp_path_factory.mktemp("work")
    (work / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    (work / "corpus").mkdir()
    document = json.dumps({"package": "p", "path": "p/a.py", "text": TEXT}) + "\n"
    for split in ("train", "holdout"):
        (work / "corpus" / f"{split}.jsonl").write_text(document * 4, encoding="utf-8")
    for step in (["tokenizer"], ["shards"], ["run", "--minutes", "0.1"]):
        assert main([step[0], str(work), "--recipe", str(work / "recipe.toml"), *step[1:]]) == 0
    export = ["export", str(work), str(work / "model"), "--recipe", str(work / "recipe.toml")]
    assert main(export) == 0
    return work


def test_the_held_out_loss_falls_far_below_chance(work: Path) -> None:
    log = (work / "run" / "log.jsonl").read_text("utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    losses = [line["held_out_next_token"] for line in lines if "held_out_next_token" in line]

    assert losses[-1] < 3.0  # chance is ln 270 = 5.6


def test_the_exported_folder_is_a_checkpoint_like_any_other(work: Path) -> None:
    engine = load(work / "model")
    head = TEXT[: TEXT.index("a + b", 200)]

    result = engine.infill(head, TEXT[len(head) + 5 :])

    assert result.candidates
    assert engine.infill_settings.n_steps == 3


def test_training_goes_on_from_what_was_saved(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads((work / "run" / "progress.json").read_text("utf-8"))
    recipe = ["--recipe", str(work / "recipe.toml")]
    assert main(["run", str(work), "--minutes", "0.01", "--seed", "2", *recipe]) == 0

    after = json.loads((work / "run" / "progress.json").read_text("utf-8"))
    assert after["tokens"] > before["tokens"]
    assert f"resuming after {before['tokens']} tokens" in capsys.readouterr().out


def test_a_missing_step_is_named_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shards", str(tmp_path)]) == 2

    error = capsys.readouterr().err
    assert str(tmp_path) in error
    assert error.count("\n") == 1


def test_shares_of_the_phases_must_add_up(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.replace("share = 0.5\n", "share = 0.6\n", 1), encoding="utf-8")

    with pytest.raises(ValueError, match="must add up to 1"):
        load_training_settings(recipe)


def test_nothing_draws_from_the_global_generator_while_filling(work: Path) -> None:
    engine = load(work / "model")
    state = torch.random.get_rng_state()
    engine.infill(TEXT[:300], TEXT[310:])

    assert torch.equal(state, torch.random.get_rng_state())
