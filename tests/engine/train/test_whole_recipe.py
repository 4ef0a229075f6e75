"""Every step of the recipe as a user runs it, on a corpus of a few kilobytes."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from dgemma_engine import load
from tests.engine.train.toy import RECIPE

CORPUS = """
[corpus]
seed = 1
code_suffixes = [".py"]
prose_suffixes = [".md"]
max_code_bytes_per_package = 60000
max_prose_bytes_per_package = 20000
min_file_bytes = 200
max_line_chars = 400
max_digit_share = 0.12
max_non_ascii_share = 0.05
tests_dropped_above_bytes = 2000000
drop_dirs = ["site-packages"]
test_dirs = ["test"]
window_lines = 8
window_min_chars = 80
never_train = ["unseen"]
packages = [{ name = "seen", version = "1.0", licence = "MIT" }]
documentation = []
selection = [{ name = "chosen", version = "1.0", licence = "MIT" }]
holdout = [{ name = "unseen", version = "1.0", licence = "MIT" }]
"""
CARD = "# Toy\n\n<!-- facts -->\n<!-- /facts -->\n\n<!-- results -->\n<!-- /results -->\n"
# The toys are so small that threads only wait for each other.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}

pytestmark = pytest.mark.slow


def write_wheel(folder: Path, name: str) -> None:
    draw = random.Random(name)
    words = ["".join(draw.choices("abcdefghijklmnop", k=7)) for _ in range(60)]
    code = "".join(f"def {word}(value):\n    return value.{word}()\n\n" for word in words)
    prose = "".join(f"Whoever calls this {word} will find its answer below.\n" for word in words)
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/core.py", code)
        wheel.writestr(f"{name}/README.md", prose)
        wheel.writestr(f"{name}-1.0.dist-info/METADATA", f"Name: {name}\nLicense: MIT\n")


def command(name: str, work: Path, *args: str) -> list[str]:
    recipe = ("--recipe", str(work / "recipe.toml"))
    return [sys.executable, "-m", "dgemma_engine.train", name, str(work), *args, *recipe]


def run(name: str, work: Path, *args: str) -> str:
    done = subprocess.run(
        command(name, work, *args), capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def stop_half_way(work: Path, *args: str) -> tuple[int, str]:
    """Start training, stop it as a system does when it shuts down; give exit code and errors."""
    process = subprocess.Popen(
        command("run", work, *args), stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    with process:
        deadline = time.monotonic() + 60
        while not (work / "run").exists():  # made when the first phase begins
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=30)
    return process.returncode, error


def test_from_wheels_to_a_model_with_a_card(tmp_path: Path) -> None:
    work, model = tmp_path / "work", tmp_path / "model"
    (work / "packages").mkdir(parents=True)
    for name in ("seen", "chosen", "unseen"):
        write_wheel(work / "packages", name)
    (work / "recipe.toml").write_text(CORPUS + RECIPE, encoding="utf-8")

    run("fetch", work)  # all is there
    assert "train: seen==1.0: 2 files" in run("corpus", work)
    run("tokenizer", work)
    assert "bytes per token" in run("shards", work)

    code, error = stop_half_way(work, "--minutes", "5", "--bfloat16")
    assert code == 130
    assert error.endswith("stopped; what was saved can be resumed\n")
    n_before = json.loads((work / "run" / "progress.json").read_text("utf-8"))["tokens"]
    assert n_before > 0
    args = ("--minutes", "0.05", "--phase", "spans", "--phase", "decay", "--bfloat16")
    assert f"resuming after {n_before} tokens" in run("run", work, *args)

    assert "release" in run("export", work, str(model))
    (model / "MODEL_CARD.md").write_text(CARD, encoding="utf-8")
    (work / "table.md").write_text("| figures |", encoding="utf-8")
    run("card", work, str(model), "--table", str(work / "table.md"))
    card = (model / "MODEL_CARD.md").read_text("utf-8")
    assert "| parameters | " in card
    assert "| decay | " in card
    assert "seen 1.0" in card
    assert "| figures |" in card

    assert "windows" in run("fingerprints", work, str(work / "sketch.bin"))
    manifest = json.loads((model / "corpus.json").read_text("utf-8"))
    sketched = json.loads((work / "sketch.json").read_text("utf-8"))
    assert sketched["train_sha256"] == manifest["splits"]["train"]["sha256"]

    assert load(model).infill("def f(value):\n    return ", "()\n").candidates is not None
    assert (model / "training_log.jsonl").exists()


def test_one_command_does_it_all_and_goes_on_where_it_was(tmp_path: Path) -> None:
    work, model = tmp_path / "work", tmp_path / "model"
    (work / "packages").mkdir(parents=True)
    for name in ("seen", "chosen", "unseen"):
        write_wheel(work / "packages", name)
    (work / "recipe.toml").write_text(CORPUS + RECIPE, encoding="utf-8")

    first = run("all", work, str(model), "--minutes", "0.05")
    assert "train: seen==1.0: 2 files" in first
    weights = load(model).infill_settings.document_weights
    assert max(weights) > 0

    again = run("all", work, str(model), "--minutes", "0.05")
    assert "resuming after" in again
    assert "corpus:" not in again  # it is there
