"""Peers that fix typos: what is asked of aspell, and what is made of its answer."""

import os
from pathlib import Path

import pytest

from dgemma_ls.evaluation.fix_scores import LineEdit, Passage
from dgemma_ls.evaluation.fixers import aspell, installed_peers, missing_peers

PROGRAM = """#!/bin/sh
cat > "$(dirname "$0")/asked"
echo '@(#) International Ispell Version 3.1.20 (but really Aspell 0.60.8)'
echo "& recieve 3 1: receive, relieve, recipe"
echo ''
echo '# qwxz 1'
"""


def passage(*lines: str, path: str = "a.md") -> Passage:
    return Passage(
        name="a",
        path=path,
        group="clean",
        repository="a/b",
        lines=lines,
        target=None,
        right_line="",
        right_word="",
        residual=(),
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "aspell").write_text(PROGRAM)
    (tmp_path / "aspell").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])
    return tmp_path


def test_the_first_suggestion_replaces_words_of_prose(folder: Path) -> None:
    edits = aspell([passage("We recieve it.", "And `recieve` too."), passage("qwxz it is")])
    assert edits == [[LineEdit(0, 3, 10, "receive")], []]


def test_code_names_and_what_is_no_prose_are_not_asked_about(folder: Path) -> None:
    aspell([passage("The Foo of `bar` is_it fine."), passage("all", path="a.unknown")])
    asked = (folder / "asked").read_text().split("\n")
    assert asked == ["!", "^The", "^fine", "^of", ""]


def test_what_is_not_on_the_path_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "aspell" in installed_peers()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert missing_peers() == ["codespell", "typos", "aspell"]
    assert installed_peers() == {}
