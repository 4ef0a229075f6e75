"""A few seconds of real training on a toy text: it learns, saves, resumes and exports."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from dgemma_engine import load
from dgemma_engine.checkpoint import checkpoint_name
from dgemma_engine.train import trainer
from dgemma_engine.train.__main__ import main
from dgemma_engine.train.settings import load_training_settings
from tests.engine.train.toy import RECIPE, TEXT, steady_clock, step, write_corpus


@pytest.fixture(scope="module", autouse=True)
def clock() -> Iterator[None]:
    with steady_clock():
        yield


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after all steps: corpus by hand, the others by the program."""
    work = tmp_path_factory.mktemp("work")
    write_corpus(work)
    assert step("tokenizer", work) == 0
    assert step("shards", work) == 0
    assert step("run", work, "--minutes", "0.1") == 0
    assert step("export", work, str(work / "model")) == 0
    return work


@pytest.fixture
def fresh(work: Path, tmp_path: Path) -> Path:
    """A folder with recipe, tokenizer and shards, and nothing trained."""
    for name in ("recipe.toml", "tokenizer.json"):
        shutil.copyfile(work / name, tmp_path / name)
    shutil.copytree(work / "shards", tmp_path / "shards")
    return tmp_path


def read_log(work: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in (work / "run" / "log.jsonl").read_text("utf-8").splitlines()
    ]


def tokens(folder: Path) -> int:
    return int(json.loads((folder / "progress.json").read_text("utf-8"))["tokens"])


def as_exported(weights: Path) -> dict[str, Tensor]:
    trained = load_file(weights / "weights.safetensors")
    return {checkpoint_name(name): value.bfloat16() for name, value in trained.items()}


def same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


def test_the_held_out_loss_falls_far_below_chance(work: Path) -> None:
    measured = [line for line in read_log(work) if "held_out_next_token" in line]

    assert [line["phase"] for line in measured[:3]] == ["next-token", "spans", "decay"]
    assert measured[2]["held_out_next_token"] < 3.0  # chance is ln 270 = 5.6
    assert measured[2]["held_out_canvas"] < 4.0


def test_the_exported_folder_is_a_checkpoint_like_any_other(work: Path) -> None:
    engine = load(work / "model")
    head = TEXT[: TEXT.index("a + b", 200)]

    result = engine.infill(head, TEXT[len(head) + 5 :])

    assert result.candidates
    assert engine.infill_settings.n_steps == 3


def test_the_decay_works_on_a_copy_and_that_is_what_gets_exported(work: Path) -> None:
    assert tokens(work / "run" / "release") > tokens(work / "run")
    exported = load_file(work / "model" / "model.safetensors")
    assert same(exported, as_exported(work / "run" / "release"))
    assert not same(exported, as_exported(work / "run"))


def test_without_a_decay_the_weights_of_the_run_are_exported(fresh: Path) -> None:
    assert step("run", fresh, "--minutes", "0", "--phase", "next-token") == 0
    assert step("export", fresh, str(fresh / "model")) == 0

    assert same(load_file(fresh / "model" / "model.safetensors"), as_exported(fresh / "run"))
    # There was no corpus, so nothing is told of one.
    assert not (fresh / "model" / "corpus.json").exists()


def test_log_and_manifest_go_with_the_weights(work: Path, tmp_path: Path) -> None:
    (work / "corpus" / "manifest.json").write_text("{}\n", encoding="utf-8")
    assert step("export", work, str(tmp_path)) == 0

    log = (work / "run" / "log.jsonl").read_bytes()
    assert (tmp_path / "training_log.jsonl").read_bytes() == log
    assert (tmp_path / "corpus.json").read_text("utf-8") == "{}\n"


def test_training_goes_on_from_what_was_there_before_the_decay(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, released = tokens(work / "run"), tokens(work / "run" / "release")
    args = ("--minutes", "0.01", "--seed", "2", "--phase", "spans")
    assert step("run", work, *args) == 0

    assert tokens(work / "run") > before
    assert tokens(work / "run" / "release") == released
    assert f"resuming after {before} tokens" in capsys.readouterr().out
    assert read_log(work)[-1]["phase"] == "spans"


def test_a_line_now_and_then_says_how_long_it_still_takes(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trainer, "_REPORT_SECONDS", 0.5)
    monkeypatch.setattr(trainer.Trainer, "validate", lambda self: {})
    args = ("--minutes", "0.02", "--phase", "next-token", "--phase", "spans")
    assert step("run", fresh, *args) == 0

    first, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("next-token: tokens ")
    assert first.endswith("(1 min left in this phase, 1 in all)")
    logged = read_log(fresh)[0]
    assert {"phase", "tokens", "tokens_per_second", "next_token"} == logged.keys()


def test_rounded_products_train_too(fresh: Path) -> None:
    args = ("--minutes", "0.01", "--phase", "spans", "--bfloat16")
    assert step("run", fresh, *args) == 0

    weights = load_file(fresh / "run" / "weights.safetensors").values()
    assert all(value.dtype == torch.float32 and value.isfinite().all() for value in weights)


def test_a_run_can_begin_with_a_released_checkpoint(work: Path, fresh: Path) -> None:
    args = ("--minutes", "0", "--phase", "spans", "--from", str(work / "model"))
    assert step("run", fresh, *args) == 0

    assert same(as_exported(fresh / "run"), load_file(work / "model" / "model.safetensors"))
    assert tokens(fresh / "run") == 0


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("hidden_size = 16", "hidden_size = 32"), "hidden_size .* (16, not 32)"),
        (('layer_kinds = "SF"', 'layer_kinds = "SSF"'), "layers .* differs"),
    ],
)
def test_a_checkpoint_of_another_shape_is_refused_in_one_sentence(
    work: Path,
    fresh: Path,
    change: tuple[str, str],
    complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (fresh / "recipe.toml").write_text(RECIPE.replace(*change), encoding="utf-8")
    assert step("run", fresh, "--minutes", "0", "--from", str(work / "model")) == 2
    _one_sentence(capsys, *complaint.split(" .* "))
    assert not (fresh / "run").exists()


def test_a_checkpoint_with_another_vocabulary_is_refused_in_one_sentence(
    work: Path, fresh: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = (fresh / "tokenizer.json").read_text("utf-8")
    # Two bytes change places: as many entries, other words.
    swapped = tokenizer.replace('"a":', '"?":').replace('"b":', '"a":').replace('"?":', '"b":')
    assert swapped != tokenizer
    (fresh / "tokenizer.json").write_text(swapped, encoding="utf-8")
    assert step("run", fresh, "--minutes", "0", "--from", str(work / "model")) == 2
    _one_sentence(capsys, "tokenizer")


def test_a_folder_that_is_no_checkpoint_is_refused_in_one_sentence(
    work: Path, fresh: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (fresh / "model").mkdir()
    shutil.copyfile(work / "tokenizer.json", fresh / "model" / "tokenizer.json")
    assert step("run", fresh, "--minutes", "0", "--from", str(fresh / "model")) == 2
    _one_sentence(capsys, str(fresh / "model" / "config.json"))


def test_a_run_that_has_begun_takes_no_other_beginning(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert step("run", work, "--minutes", "0", "--from", str(work / "model")) == 2
    _one_sentence(capsys, "has weights already")


def test_a_phase_that_the_recipe_does_not_have_is_named(
    fresh: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert step("run", fresh, "--phase", "spams") == 2
    _one_sentence(capsys, "no phase 'spams'; it has next-token, spans, decay")


def test_nothing_goes_on_from_a_decayed_copy(
    fresh: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert step("run", fresh, "--phase", "decay", "--phase", "spans") == 2
    _one_sentence(capsys, "must be the last of a stint")


def test_a_missing_step_is_named_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shards", str(tmp_path)]) == 2
    _one_sentence(capsys, str(tmp_path))


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


def _one_sentence(capsys: pytest.CaptureFixture[str], *parts: str) -> None:
    error = capsys.readouterr().err
    assert error.startswith("dgemma_engine.train: error: ")
    assert error.count("\n") == 1
    for part in parts:
        assert part in error
