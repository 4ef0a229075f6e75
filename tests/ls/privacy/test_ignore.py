import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgemma_ls.privacy import IgnoreFiles, Reason, ReasonKind

_PARTS = ("a", "b", "src", "x.py", "y.txt", "build")
_PATTERNS = (
    *("*", "*.py", "a", "a/", "/a", "/a/", "b/*", "a/b", "/a/b/", "**/b", "a/**", "a/**/x.py"),
    *("!*", "!*.py", "!a", "!a/", "!/a", "!b/*", "!a/b", "!*/", "!x.py", "!/src/", "!a/**"),
    *("# comment", "", "\\!a", "[ab]", "?", "x.*", "src/*.py", "!src/x.py", " ", "*/b", "build/"),
    *("x.py ", "a/ ", "**", "**/", "/*/b", "[!a]", "a**", "/", "src/**/", "!/b/", "!build"),
)


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
    return folder


def check(folder: Path, path: str, expect: str | None) -> None:
    """``expect`` is the ignore file that must have excluded the path."""
    reason = IgnoreFiles().why_ignored(folder / path, folder)
    if expect is None:
        assert reason is None
    else:
        assert reason == Reason(
            kind=ReasonKind.IGNORED,
            sentence=f"{folder / path} is excluded by {folder / expect}.",
        )


def test_the_nearer_file_wins(tmp_path: Path) -> None:
    written(tmp_path, {".gitignore": "*.py\n", "src/.gitignore": "!x.py\n"})
    check(tmp_path, "x.py", ".gitignore")
    check(tmp_path, "src/x.py", None)
    check(tmp_path, "src/y.py", ".gitignore")


def test_nothing_inside_an_ignored_folder_can_be_taken_back(tmp_path: Path) -> None:
    written(tmp_path, {".gitignore": "build/\n!build/x.py\n", "build/.gitignore": "!x.py\n"})
    check(tmp_path, "build/x.py", ".gitignore")


def test_our_own_file_wins_over_git_wherever_it_lies(tmp_path: Path) -> None:
    written(tmp_path, {".dgemmaignore": "!x.py\ny.py\n", "src/.gitignore": "x.py\n!y.py\n"})
    check(tmp_path, "src/x.py", None)
    check(tmp_path, "src/y.py", ".dgemmaignore")


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_a_pattern(tmp_path: Path) -> None:
    written(tmp_path, {".gitignore": "\ufeffx.py\r\ny.py\r\n"})
    check(tmp_path, "x.py", ".gitignore")
    check(tmp_path, "y.py", ".gitignore")


def test_a_changed_file_counts_at_once(tmp_path: Path) -> None:
    ignore = IgnoreFiles()
    written(tmp_path, {".ignore": "x.py\n"})
    assert ignore.why_ignored(tmp_path / "x.py", tmp_path) is not None
    written(tmp_path, {".ignore": "!other.py\n"})
    assert ignore.why_ignored(tmp_path / "x.py", tmp_path) is None
    (tmp_path / ".ignore").unlink()
    written(tmp_path, {".gitignore": "x.py\n"})
    assert ignore.why_ignored(tmp_path / "x.py", tmp_path) is not None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"!\n", "has a pattern that is none"),
        (b"[z-a]\n", "has a pattern that is none"),
        (b"caf\xe9\n", "is not UTF-8"),
        (b"# a\n" * 300_000, "has more than 1,000,000 bytes"),
    ],
)
def test_a_broken_file_ignores_its_folder_and_is_named(
    tmp_path: Path, data: bytes, why: str
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / ".ignore").write_bytes(data)

    reason = IgnoreFiles().why_ignored(tmp_path / "src" / "deep" / "x.py", tmp_path)

    assert reason is not None
    assert reason.kind is ReasonKind.BROKEN_IGNORE_FILE
    assert reason.sentence.startswith(f"{tmp_path / 'src' / '.ignore'} {why}")
    assert IgnoreFiles().why_ignored(tmp_path / "x.py", tmp_path) is None


def test_a_folder_a_stray_link_and_a_link_out_of_the_workspace_are_broken(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    for name in ("a", "b", "c", "d"):
        (folder / name).mkdir(parents=True)
    (folder / "a" / ".gitignore").mkdir()
    (folder / "b" / ".gitignore").symlink_to("nowhere")
    (tmp_path / "rules").write_text("y.py\n")
    (folder / "c" / ".gitignore").symlink_to(tmp_path / "rules")

    (folder / "d" / ".gitignore").symlink_to(".gitignore")  # a loop

    for name in ("a", "b", "c", "d"):
        reason = IgnoreFiles().why_ignored(folder / name / "x.py", folder)
        assert reason is not None
        assert reason.kind is ReasonKind.BROKEN_IGNORE_FILE


def test_a_link_to_another_ignore_file_of_the_workspace_is_fine(tmp_path: Path) -> None:
    written(tmp_path, {".gitignore": "x.py\n"})
    (tmp_path / ".ignore").symlink_to(".gitignore")
    check(tmp_path, "x.py", ".ignore")
    check(tmp_path, "y.py", None)


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="root and Windows read everything"
)
def test_a_file_without_permission_is_broken(tmp_path: Path) -> None:
    written(tmp_path, {".gitignore": "x.py\n"})
    (tmp_path / ".gitignore").chmod(0)
    reason = IgnoreFiles().why_ignored(tmp_path / "y.py", tmp_path)
    assert reason is not None
    assert reason.kind is ReasonKind.BROKEN_IGNORE_FILE


def _git(folder: Path, *arguments: str, text: str = "") -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        input=text,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr  # 1: nothing is ignored
    return done.stdout


# git is asked about all paths in one call, as starting it takes most of the time.
_PATHS = [
    *(f"{a}/{b}/{c}" for a in _PARTS[:3] for b in _PARTS[:3] for c in _PARTS[3:]),
    *(f"{a}/{c}" for a in _PARTS[:3] for c in _PARTS[3:]),
    *_PARTS[3:],
]

_rules = st.lists(st.sampled_from(_PATTERNS), max_size=5).map(lambda lines: "\n".join(lines) + "\n")
_folders = st.lists(st.sampled_from(_PARTS[:3]), max_size=2).map("/".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work").resolve()
    try:
        _git(folder, "init", "--quiet")
    except FileNotFoundError:
        pytest.skip("git is not installed")
    return written(folder, dict.fromkeys(_PATHS, ""))


@settings(max_examples=60)
@given(files=st.dictionaries(_folders, _rules, max_size=3))
def test_git_itself_says_the_same(folder: Path, files: dict[str, str]) -> None:
    written(folder, {f"{name}/.gitignore".lstrip("/"): text for name, text in files.items()})
    ignore = IgnoreFiles()
    try:
        ours = {path for path in _PATHS if ignore.why_ignored(folder / path, folder)}
        gits = set(_git(folder, "check-ignore", "--stdin", text="\n".join(_PATHS)).splitlines())
    finally:
        for file in folder.rglob(".gitignore"):
            file.unlink()
    assert ours == gits
