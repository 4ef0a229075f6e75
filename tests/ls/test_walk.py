"""Which files a command looks at."""

from pathlib import Path

import pytest

from dgemma_ls.files import FileError
from dgemma_ls.walk import files_below


def make(root: Path, *names: str, **texts: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text\n")


def names(root: Path, *paths: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in files_below(paths or [root])]


def test_folders_are_searched_in_order_without_hidden_and_foreign_files(tmp_path: Path) -> None:
    make(tmp_path, "b.md", "a/c.md", ".git/x.md", "a/.hidden.md", "node_modules/y.md")
    assert names(tmp_path) == ["a/c.md", "b.md"]


def test_what_git_ignores_is_left_out_but_taken_when_named(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "build/b.md", "sub/build/c.md", "sub/d.md", "sub/e.log")
    (tmp_path / ".gitignore").write_text("build/\n*.log\n")
    assert names(tmp_path) == ["a.md", "sub/d.md"]
    assert names(tmp_path, tmp_path / "build" / "b.md") == ["build/b.md"]


def test_a_nearer_ignore_file_overrules(tmp_path: Path) -> None:
    make(tmp_path, "sub/keep.log", "sub/drop.md", "other.log")
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "sub" / ".gitignore").write_text("!keep.log\ndrop.md\n")
    assert names(tmp_path) == ["sub/keep.log"]


def test_a_file_is_given_once_however_often_it_is_named(tmp_path: Path) -> None:
    make(tmp_path, "a.md")
    assert names(tmp_path, tmp_path / "a.md", tmp_path) == ["a.md"]


def test_what_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nowhere does not exist"):
        files_below([tmp_path / "nowhere"])
