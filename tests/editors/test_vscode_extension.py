"""The extension's own checks and tests, on the Node that is fetched; and what is in its package."""

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from . import fetch_vscode


def npm(*words: str) -> str:
    if (lack := fetch_vscode.missing()) is not None:
        pytest.skip(f"no VS Code: {lack}; python3 -m tests.editors.fetch_vscode")
    done = subprocess.run(
        ["npm", "run", "--silent", *words],
        cwd=fetch_vscode.EXTENSION,
        env=fetch_vscode.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_types_and_style_have_no_complaint() -> None:
    assert npm("check") == ""


def test_the_parts_that_know_no_editor_pass_their_tests() -> None:
    assert "fail 0" in npm("test")


def test_the_package_holds_the_bundle_and_nothing_of_its_making(tmp_path: Path) -> None:
    file = tmp_path / "dgemma-ls.vsix"
    npm("package", "--", "-o", str(file))
    with zipfile.ZipFile(file) as package:
        names = {name.removeprefix("extension/") for name in package.namelist()}
        manifest = json.loads(package.read("extension/package.json"))
    assert manifest["main"] == "./dist/extension.js"
    assert "dist/extension.js" in names
    assert not [name for name in names if "node_modules" in name or name.endswith((".ts", ".map"))]
    assert file.stat().st_size < 300_000
