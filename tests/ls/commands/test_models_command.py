import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dgemma_engine.errors import CheckpointError
from dgemma_ls.models import MANIFEST_NAME, model_files, read_manifest, write_manifest

from .fakes import FakeEngine, Program
from .hub import COMMIT, Hub, running

FILES = {
    "config.json": b"{}",
    "model.safetensors": b"weights" * 1000,
    "tokenizer.json": b"{}",
    "run_me.py": b"import os",
    "README.md": b"# tiny",
}
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "m"
    path.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (path / name).write_bytes(FILES[name])
    return path


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running(Hub(FILES)) as started:
        yield started


def test_the_embedded_model_is_listed_and_whole(program: Program) -> None:
    (row,) = json.loads(program("models", "list", "--json").out)
    assert row["name"] == "embedded"
    assert row["manifest"]

    ran = program("models", "verify", "--json")
    report = json.loads(ran.out)
    assert ran.code == 0, "after training: dgemma-ls models verify --write"
    assert set(report["files"].values()) == {"ok"}
    assert {path.name for path in model_files(Path(report["folder"]))} == set(report["files"])
    assert program.loaded == ["embedded"]


def test_a_manifest_is_what_sha256sum_writes_and_checks(folder: Path) -> None:
    write_manifest(folder)

    done = subprocess.run(
        ["sha256sum", "--strict", "-c", MANIFEST_NAME], cwd=folder, capture_output=True
    )
    assert done.returncode == 0
    assert set(read_manifest(folder)) == {"config.json", "model.safetensors", "tokenizer.json"}


def test_a_changed_and_a_missing_file_are_named(program: Program, folder: Path) -> None:
    write_manifest(folder)
    assert program("models", "verify", folder).code == 0
    weights = folder / "model.safetensors"
    weights.write_bytes(b"WEIGHTS" * 1000)
    (folder / "tokenizer.json").unlink()
    (folder / "generation_config.json").write_text("{}")

    ran = program("models", "verify", folder)

    assert ran.code == 1
    lines = {line.split()[-2]: line.split()[0] for line in ran.out.splitlines()[:4]}
    assert lines["model.safetensors"] == "differs"
    assert "missing     tokenizer.json" in ran.out
    assert "not listed  generation_config.json" in ran.out


def test_a_model_that_does_not_load_is_not_whole(
    program: Program, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(model: str) -> FakeEngine:
        raise CheckpointError("unknown tensor x")

    write_manifest(folder)
    monkeypatch.setattr(program, "load", load)
    ran = program("models", "verify", folder)

    assert ran.code == 1
    assert "cannot be loaded: unknown tensor x" in ran.out


def test_without_a_manifest_there_is_nothing_to_compare_with(
    program: Program, folder: Path
) -> None:
    ran = program("models", "verify", folder)
    assert ran.code == 1
    assert "--write makes one" in ran.out

    assert program("models", "verify", folder, "--write").code == 0


@pytest.mark.parametrize("line", ["x", f"{'0' * 64}  ../config.json", f"{'0' * 64}  .."])
def test_a_manifest_that_names_other_places_is_refused(
    program: Program, folder: Path, line: str
) -> None:
    (folder / MANIFEST_NAME).write_text(line)
    ran = program("models", "verify", folder)

    assert ran.code == 2
    assert "line 1: not 'SHA256 NAME'" in ran.err


def fetch(hub: Hub, *options: str, name: str = "owner/tiny") -> subprocess.CompletedProcess[str]:
    """Run in a process of its own: the hub's client reads its environment when imported."""
    home = Path(os.environ["XDG_DATA_HOME"]).parent / "hub-home"
    paths = os.pathsep.join((str(ROOT), str(ROOT / "engine")))
    action = ["models", "get", name, "--endpoint", hub.endpoint, *options]
    return subprocess.run(
        [sys.executable, "-m", "dgemma_ls", *action],
        env={**os.environ, "PYTHONPATH": paths, "HF_HOME": str(home)},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def test_a_model_is_fetched_listed_and_whole(program: Program, hub: Hub, data_folder: Path) -> None:
    done = fetch(hub)

    folder = data_folder / "dgemma-ls" / "models" / "owner" / "tiny"
    assert done.returncode == 0, done.stderr
    assert f"fetched owner/tiny at {COMMIT} to {folder}" in done.stdout
    assert (folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert not (folder / "run_me.py").exists()
    assert "owner/tiny" in program("models", "list").out
    assert program("models", "verify", "owner/tiny").code == 0
    assert program.loaded == [str(folder)]
    assert not any("telemetry" in path for path in hub.asked)


def test_weights_that_are_not_what_the_hub_lists_are_refused(hub: Hub, tmp_path: Path) -> None:
    hub.served["model.safetensors"] = b"WEIGHTS" * 1000
    done = fetch(hub, "--to", str(tmp_path / "here"))

    assert done.returncode == 2
    assert "model.safetensors is not what the hub has" in done.stderr
    assert not (tmp_path / "here" / MANIFEST_NAME).exists()


@pytest.mark.parametrize("name", ["owner/other", "tiny", "../..", "a/b/c"])
def test_what_cannot_be_fetched_is_said_in_a_sentence(hub: Hub, name: str) -> None:
    done = fetch(hub, name=name)

    assert done.returncode == 2
    assert done.stderr.startswith("dgemma-ls: error: ")
    assert name in done.stderr
    assert "Traceback" not in done.stderr
