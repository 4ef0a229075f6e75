"""Fetches the packages of ``package.json`` when they are not there, or skips and says why."""

import shutil
import subprocess
from pathlib import Path

import pytest

ORACLES = Path(__file__).parent


def node_with(package: str) -> str:
    """Give the path of node, which finds ``package`` from this folder."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("needs node and npm")
    if not (ORACLES / "node_modules" / package).exists():
        command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        try:
            fetched = subprocess.run(command, cwd=ORACLES, capture_output=True, timeout=60)
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm ci did not fetch {package} within 60 s")
        if fetched.returncode != 0:
            pytest.skip(f"npm ci cannot fetch {package}")
    return node
