"""Where VS Code cannot be fetched, one sentence says why, and that is no failure."""

import shutil
from typing import NamedTuple

import pytest

from . import fetch, fetch_vscode


class Usage(NamedTuple):
    free: int


@pytest.fixture(autouse=True)
def _nothing_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("apt-get") is None:
        pytest.skip("a Debian machine is needed")
    monkeypatch.setattr(fetch_vscode, "missing", lambda: "it is not there")
    monkeypatch.setattr(fetch, "is_complete", lambda tree: False)


def test_a_full_disk_is_said_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(free=3_900_000_000))
    monkeypatch.setattr(fetch, "fetch", lambda tree: pytest.fail("something was fetched"))
    assert fetch_vscode.main() == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert "3.9 GB are free in" in line
    assert "4 are needed" in line


def test_a_download_that_fails_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(tree: fetch.Tree) -> None:
        raise fetch.FetchError("apt-get update failed: no network")

    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(free=5_000_000_000))
    monkeypatch.setattr(fetch, "fetch", fail)
    assert fetch_vscode.main() == 3
    assert capsys.readouterr().err.endswith("are skipped: apt-get update failed: no network\n")
