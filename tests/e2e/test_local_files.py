"""What the server writes where the user asks for it, and that no text gets into the log."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dgemma_ls.recording import read_record

from .conftest import FAKE_SERVER, Wire

pytestmark = pytest.mark.e2e

CANARY = "hunter2_canary"


def test_records_and_counts_are_written_and_the_log_holds_no_text(
    start_server: Callable[..., Wire], tmp_path: Path
) -> None:
    log_file, counts, records = tmp_path / "log", tmp_path / "counts.json", tmp_path / "records"
    wire = start_server([*FAKE_SERVER, str(log_file)])
    wire.initialize({"record_dir": str(records), "statistics_file": str(counts)})
    wire.open("file:///a.py", f"{CANARY} = \n")

    items = wire.inline("file:///a.py", 0, len(CANARY) + 3)
    wire.request(
        "workspace/executeCommand",
        {"command": "dgemma.accepted", "arguments": items[0]["command"]["arguments"]},
    )
    wire.type("file:///a.py", 0, len(CANARY) + 3, "value", version=2)
    wire.leave()

    (path,) = records.iterdir()
    record = read_record(path)
    asked = record.request.arguments
    assert (asked["prefix"], record.texts) == (f"{CANARY} = ", ("value", "other", ")"))
    assert asked["context"] == ""
    python = json.loads(counts.read_text())["languages"]["python"]
    assert (python["shown"], python["accepted"], python["accepted_chars"]) == (1, 1, 5)
    assert CANARY not in counts.read_text() + log_file.read_text()
    if sys.platform != "win32":
        assert [file.stat().st_mode & 0o077 for file in (path, counts)] == [0, 0]


def test_by_default_nothing_is_written(wire: Wire, tmp_path: Path) -> None:
    wire.initialize()
    wire.open("file:///a.py", "x = \n")
    wire.inline("file:///a.py", 0, 4)
    wire.leave()

    assert [path.name for path in tmp_path.iterdir()] == ["stderr.txt"]
