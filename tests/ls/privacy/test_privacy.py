import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.privacy import (
    MAX_CONTEXT_BYTES,
    IgnoreFiles,
    Reason,
    ReasonKind,
    path_of,
    read_shared,
    why_inactive,
    why_not_shared,
)
from dgemma_ls.privacy.secrets import is_secret


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "src").mkdir(parents=True)
    return folder


def inactive(uri: str | Path, folder: Path | None = None, text: str = "x") -> ReasonKind | None:
    uri = uri.as_uri() if isinstance(uri, Path) else uri
    folders = [folder] if folder else []
    reason = why_inactive(uri, text, workspace_folders=folders, ignore=IgnoreFiles())
    return None if reason is None else reason.kind


def unshared(uri: str | Path, folder: Path | None) -> ReasonKind | None:
    uri = uri.as_uri() if isinstance(uri, Path) else uri
    folders = [folder] if folder else []
    reason = why_not_shared(uri, "x", workspace_folders=folders, ignore=IgnoreFiles())
    return None if reason is None else reason.kind


def read(path: Path, folder: Path) -> str | ReasonKind:
    result = read_shared(path, workspace_folders=[folder], ignore=IgnoreFiles())
    return result.kind if isinstance(result, Reason) else result


@pytest.mark.parametrize(
    "uri",
    ["untitled:Untitled-1", "vscode-notebook-cell:/a/b.ipynb#W0", "file:///a/b.py", "a.py", "/a"],
)
def test_what_somebody_writes_in_is_active(uri: str) -> None:
    assert inactive(uri) is None


@pytest.mark.parametrize(
    "uri",
    ["output:tasks", "git:/a/b.py?ref", "vscode-scm:git/scm0/input", "term://a", "oil:///a/"],
)
def test_an_editors_other_buffers_are_not(uri: str) -> None:
    assert inactive(uri) is ReasonKind.SCHEME


@pytest.mark.parametrize(
    "path",
    [
        *("/w/.env", "/w/.env.local", "/w/prod.env", "/w/.ENV", "/w/.envrc", "/w/tls/server.key"),
        *("/w/a.PEM", "/w/cert.p12", "/w/ca.crt", "/h/.ssh/config", "/w/id_rsa", "/w/id_rsa.pub"),
        *("/w/credentials", "/w/aws_credentials.json", "/h/.aws/config", "/w/secrets/a.py"),
        *("/w/secrets.yaml", "/h/.netrc", "/h/.npmrc", "/w/terraform.tfstate.backup"),
        *("/h/.config/gcloud/a.json", "/w/client_secret_1.json", "/h/.kube/config"),
    ],
)
def test_secrets_are_known_by_their_names(path: str) -> None:
    assert is_secret(Path(path))
    assert inactive(f"file://{path}") is ReasonKind.SECRET


@pytest.mark.parametrize(
    "path",
    [
        *("/w/a.py", "/w/.env.example", "/w/environment.ts", "/w/credentials.py", "/w/config.json"),
        *("/w/keys.py", "/w/env/a.py", "/w/tokenizer.py", "/w/secrets_manager.py", "/w/key"),
    ],
)
def test_ordinary_names_are_no_secrets(path: str) -> None:
    assert not is_secret(Path(path))


def test_a_link_does_not_make_a_secret_harmless(folder: Path) -> None:
    (folder / ".env").write_text("KEY=1")
    (folder / "notes.txt").symlink_to(".env")
    (folder / "plain.txt").write_text("x")
    (folder / "id_rsa").symlink_to("plain.txt")
    for name in ("notes.txt", "id_rsa"):
        assert inactive(folder / name, folder) is ReasonKind.SECRET
        assert read(folder / name, folder) is ReasonKind.SECRET


def test_a_gitignored_document_is_completed_but_no_context(folder: Path) -> None:
    (folder / ".gitignore").write_text("local.py\n")
    (folder / "local.py").write_text("x = 1\n")
    assert inactive(folder / "local.py", folder) is None
    assert unshared(folder / "local.py", folder) is ReasonKind.IGNORED
    assert read(folder / "local.py", folder) is ReasonKind.IGNORED


def test_dgemmaignore_stops_completion_as_well(folder: Path) -> None:
    (folder / ".dgemmaignore").write_text("src/\n")
    assert inactive(folder / "src" / "a.py", folder) is ReasonKind.IGNORED
    assert inactive(folder / "a.py", folder) is None


def test_a_broken_file_stops_what_it_could_have_stopped(folder: Path) -> None:
    (folder / ".gitignore").write_bytes(b"\xff")
    assert inactive(folder / "a.py", folder) is None
    assert unshared(folder / "a.py", folder) is ReasonKind.BROKEN_IGNORE_FILE
    (folder / ".dgemmaignore").write_bytes(b"\xff")
    assert inactive(folder / "a.py", folder) is ReasonKind.BROKEN_IGNORE_FILE


def test_a_workspace_cannot_allow_its_secrets(folder: Path) -> None:
    (folder / ".dgemmaignore").write_text("!.env\n")
    assert inactive(folder / ".env", folder) is ReasonKind.SECRET


def test_what_lies_outside_is_completed_but_no_context(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text("x = 1\n")
    assert inactive(other, folder) is None
    assert unshared(other, folder) is ReasonKind.OUTSIDE_WORKSPACE
    assert unshared(other, None) is ReasonKind.OUTSIDE_WORKSPACE
    assert unshared("untitled:a", folder) is ReasonKind.OUTSIDE_WORKSPACE
    assert read(other, folder) is ReasonKind.OUTSIDE_WORKSPACE
    assert read(folder / ".." / "other.py", folder) is ReasonKind.OUTSIDE_WORKSPACE


def test_no_link_leads_out_of_the_workspace(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.py").write_text("x = 1\n")
    (folder / "a.py").symlink_to(tmp_path / "other" / "a.py")
    (folder / "there").symlink_to(tmp_path / "other")
    for path in (folder / "a.py", folder / "there" / "a.py"):
        assert read(path, folder) is ReasonKind.OUTSIDE_WORKSPACE
        assert unshared(path, folder) is ReasonKind.OUTSIDE_WORKSPACE


def test_a_workspace_folder_may_itself_be_a_link(folder: Path, tmp_path: Path) -> None:
    (folder / "a.py").write_text("x = 1\n")
    (tmp_path / "link").symlink_to(folder)
    assert read(tmp_path / "link" / "a.py", tmp_path / "link") == "x = 1\n"
    assert read(folder / "a.py", tmp_path / "link") == "x = 1\n"


def test_the_outermost_folders_ignore_files_bind_an_inner_folder(folder: Path) -> None:
    (folder / ".gitignore").write_text("/src/a.py\n")
    folders = [folder / "src", folder]
    reason = why_not_shared(
        (folder / "src" / "a.py").as_uri(), "", workspace_folders=folders, ignore=IgnoreFiles()
    )
    assert reason is not None


def test_gits_own_files_are_no_context(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "COMMIT_EDITMSG").write_text("fix\n")
    assert inactive(folder / ".git" / "COMMIT_EDITMSG", folder) is None
    assert read(folder / ".git" / "COMMIT_EDITMSG", folder) is ReasonKind.IGNORED


def test_only_text_of_a_modest_size_is_read(folder: Path) -> None:
    (folder / "a.py").write_bytes(b"\xef\xbb\xbfx = '\xc3\xa9'\r\n")
    (folder / "latin.py").write_bytes(b"# \xe9\n")
    (folder / "zero.py").write_bytes(b"a\0b")
    (folder / "big.py").write_text("é" * MAX_CONTEXT_BYTES, encoding="utf-8")
    (folder / "full.py").write_text("a = 1\n" * (MAX_CONTEXT_BYTES // 6))
    assert read(folder / "a.py", folder) == "x = 'é'\r\n"
    assert read(folder / "latin.py", folder) is ReasonKind.UNREADABLE
    assert read(folder / "zero.py", folder) is ReasonKind.BINARY
    assert read(folder / "big.py", folder) is ReasonKind.TOO_LARGE
    assert len(read(folder / "full.py", folder)) > MAX_CONTEXT_BYTES - 6
    assert read(folder / "none.py", folder) is ReasonKind.UNREADABLE
    assert read(folder / "src", folder) is ReasonKind.UNREADABLE
    assert read(folder / "a\0b", folder) is ReasonKind.UNREADABLE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.py")
    assert read(folder / "pipe.py", folder) is ReasonKind.UNREADABLE


def test_paths_of_uris() -> None:
    assert path_of("file:///a/b%20c.py") == Path("/a/b c.py")
    assert path_of("FILE://localhost/a") == Path("/a")
    assert path_of("vscode-notebook-cell:/a/b.ipynb#W0") == Path("/a/b.ipynb")
    assert path_of("vscode-notebook-cell://wsl/a/b.ipynb#W0") == Path("/a/b.ipynb")
    assert path_of("untitled:Untitled-1") is None
    assert path_of("relative.py") == Path("relative.py")


@given(st.text(max_size=30), st.sampled_from(["file:///", "file://", "untitled:", "", "git:"]))
def test_any_uri_gets_an_answer(rest: str, start: str) -> None:
    reason = why_not_shared(start + rest, "", workspace_folders=[], ignore=IgnoreFiles())
    assert reason is not None
    assert reason.sentence.endswith(".")
