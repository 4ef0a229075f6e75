"""The version that the program says."""

import tomllib
from pathlib import Path

from dgemma_ls.version import VERSION

ROOT = Path(__file__).resolve().parents[2]


def test_the_program_says_the_version_that_is_packaged() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION
