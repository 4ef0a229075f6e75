"""Where VS Code cannot be fetched, one sentence says why, and that is no failure."""

import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from . import fetch, fetch_vscode
from .waiting import wait_until


class Usage(NamedTuple):
    free: int


@pytest.fixture(autouse=True)
def _nothing_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("apt-get") is None:
        pytest.skip("a Debian machine is needed")
    monkeypatch.setattr(fetch_vscode, "missing", lambda: "it is not there")
    monkeypatch.setattr(fetch, "is_complete", lambda tree: False)
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(free=5_000_000_000))


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
        raise fetch.FetchError("apt-get update failed:\nE: no network")

    monkeypatch.setattr(fetch, "fetch", fail)
    assert fetch_vscode.main() == 3
    assert capsys.readouterr().err.endswith("are skipped: apt-get update failed:; E: no network\n")


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(tree: fetch.Tree) -> None:
        raise PermissionError(13, "Permission denied", "/checkout/.cache")

    monkeypatch.setattr(fetch, "fetch", fail)
    assert fetch_vscode.main() == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("Permission denied: '/checkout/.cache'")


def test_another_system_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda file, encoding: "ID=fedora\nVERSION_ID=44\n")
    assert fetch_vscode.main() == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("VS Code is fetched on Debian only")


def test_another_architecture_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fetch, "_run", lambda words: "arm64\n")
    assert fetch_vscode.main() == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("for amd64 only, this is arm64")


def test_a_stamp_that_was_cut_off_counts_as_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fail(end: float) -> None:
        raise fetch.FetchError("nothing can be fetched")

    stamp = tmp_path / "vscode.json"
    stamp.write_text('{"code-server": ', "utf-8")
    monkeypatch.setattr(fetch_vscode, "STAMP", stamp)
    monkeypatch.setattr(fetch_vscode, "FOLDER", tmp_path / "vscode")
    monkeypatch.setattr(fetch, "is_complete", lambda tree: True)
    monkeypatch.setattr(fetch_vscode, "_fetch_wheels", fail)
    assert fetch_vscode.main() == 3
    assert capsys.readouterr().err.endswith("are skipped: nothing can be fetched\n")


def test_why_npm_failed_is_neither_its_code_nor_the_name_of_its_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = tmp_path / "vscode.log"
    monkeypatch.setattr(fetch_vscode, "LOG", log)
    said = "npm error code ENOTFOUND\nnpm error network request failed\nnpm error A log is in x\n"
    words = ["sh", "-c", f"printf '{said}'; exit 1"]
    with pytest.raises(fetch.FetchError, match=r"failed: network request failed \(all"):
        fetch_vscode._run(words, tmp_path, time.monotonic() + 60)
    assert "ENOTFOUND" in log.read_text("utf-8")


def test_what_takes_too_long_is_ended_with_all_that_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"

    def wait_for_the_end() -> float:
        wait_until(pid.exists, "it has started something")
        return 1.0

    monkeypatch.setattr(fetch_vscode, "time", SimpleNamespace(monotonic=wait_for_the_end))
    words = ["sh", "-c", "sleep 600 & echo $! > part; mv part pid; exec sleep 600"]
    with pytest.raises(fetch.FetchError, match="was not done 25 min after the start"):
        fetch_vscode._run(words, tmp_path, 1.0)
    stat = Path(f"/proc/{pid.read_text('utf-8').strip()}/stat")

    def has_ended() -> bool:
        try:
            return ") Z " in stat.read_text("utf-8")  # nobody may have asked how it ended
        except OSError:
            return True

    wait_until(has_ended, "what it started has ended")
