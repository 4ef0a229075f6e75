"""The configurations of editors/README.md, so that what is tested is what people copy."""

import os
from collections.abc import Sequence
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "editors" / "README.md"


def snippet(heading: str, language: str) -> str:
    """Give the first block in a language under a heading."""
    section = README.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return section.split(f"```{language}\n")[1].split("```")[0]


def put_on_path(folder: Path, server: Sequence[str]) -> str:
    """Make a ``dgemma-ls`` that starts another server, and give a PATH that finds it first."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "dgemma-ls"
    words = " ".join(f"'{word}'" for word in server if word != "--stdio")
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n', "utf-8")
    program.chmod(0o755)
    return os.pathsep.join([str(folder), os.environ["PATH"]])
