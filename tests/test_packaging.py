"""What users install: the wheel's content, and how little starts before it is needed."""

import email
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"dgemma_ls": ROOT / "dgemma_ls", "dgemma_engine": ROOT / "engine" / "dgemma_engine"}
MAX_WHEEL_BYTES = 25_000_000  # the embedded model has 20 of them


def run_python(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run this Python on the packages of the working tree, installed or not."""
    paths = [ROOT / "engine", ROOT, os.environ.get("PYTHONPATH", "")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(str(path) for path in paths if str(path))}
    done = subprocess.run(
        [sys.executable, *args], cwd=cwd, env=env, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run_python(
        "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder), cwd=ROOT
    )
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> frozenset[str]:
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


def test_wheel_has_the_two_packages_and_no_third(names: frozenset[str]) -> None:
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == set(PACKAGES)


def test_wheel_holds_every_file_of_the_packages(names: frozenset[str]) -> None:
    expected = {
        f"{package}/{path.relative_to(folder).as_posix()}"
        for package, folder in PACKAGES.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"dgemma_ls/py.typed", "dgemma_engine/py.typed"} <= expected
    assert "dgemma_engine/train/recipe.toml" in expected
    assert {name for name in names if ".dist-info/" not in name} == expected


def test_wheel_is_small_enough_for_a_package_index(wheel: Path) -> None:
    assert wheel.stat().st_size < MAX_WHEEL_BYTES


def test_wheel_declares_program_license_and_light_dependencies(
    wheel: Path, names: frozenset[str]
) -> None:
    (info,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
    with zipfile.ZipFile(wheel) as archive:
        programs = archive.read(f"{info}/entry_points.txt").decode()
        metadata = email.message_from_bytes(archive.read(f"{info}/METADATA"))
    assert "dgemma-ls = dgemma_ls.cli:main" in programs
    assert metadata["License-Expression"] == "Apache-2.0"
    assert f"{info}/licenses/LICENSE" in names
    needed = {
        re.split(r"[^\w-]", requirement)[0]
        for requirement in metadata.get_all("Requires-Dist", [])
        if "extra ==" not in requirement
    }
    # transformers is the tests' oracle; the language pack would fetch parsers at run time.
    assert needed & {"torch", "pygls", "tree-sitter"} == {"torch", "pygls", "tree-sitter"}
    assert not needed & {"transformers", "tree-sitter-language-pack", "pytest"}


def test_version_is_told_without_loading_torch_or_the_protocol(tmp_path: Path) -> None:
    done = run_python("-X", "importtime", "-m", "dgemma_ls", "--version", cwd=tmp_path)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.stdout.startswith("dgemma-ls ")
    assert "dgemma_ls.cli" in imported
    heavy = {"torch", "numpy", "tokenizers", "safetensors", "pygls", "lsprotocol", "transformers"}
    assert not heavy & imported


@pytest.mark.parametrize(
    "module",
    [
        "dgemma_engine",
        "dgemma_engine.config",
        "dgemma_engine.infill.planner",
        "dgemma_engine.tokenizer",
        "dgemma_ls.server",
        "dgemma_ls.session",
    ],
)
def test_a_light_module_stays_light_whatever_its_package_imports(
    module: str, tmp_path: Path
) -> None:
    # Import-linter follows import statements; that a package's __init__ runs too, it does not see.
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    run_python("-c", code, cwd=tmp_path)
