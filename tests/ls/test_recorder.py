import logging
from pathlib import Path
from typing import Any

import pytest

from dgemma_engine.types import CancelToken
from dgemma_ls.recorder import recorded
from dgemma_ls.recording import read_record
from dgemma_ls.settings import Settings

from .commands.fakes import FakeEngine

CANARY = "hunter2_canary"


def ask(engine: Any) -> list[str]:
    result = engine.infill(
        CANARY, "\n", lengths=[2, 3], multiline=True, n_candidates=2, seed=5, cancel=CancelToken()
    )
    return [candidate.text for candidate in result.candidates]


def test_without_a_folder_the_engine_is_itself() -> None:
    engine = FakeEngine()

    assert recorded(engine, Settings()) is engine


def test_each_request_is_recorded_and_answered_as_without(tmp_path: Path) -> None:
    engine = FakeEngine(texts=("a", "b"))
    recording = recorded(engine, Settings(record_dir=str(tmp_path / "records")))
    assert recording.max_span_tokens == engine.max_span_tokens
    assert ask(recording) == ask(recording) == ["a", "b"]

    records = [read_record(path) for path in sorted((tmp_path / "records").iterdir())]
    assert len(records) == 2
    request = records[0].request
    assert (request.prefix, request.suffix, request.lengths) == (CANARY, "\n", (2, 3))
    assert (request.multiline, request.n_candidates, request.seed) == (True, 2, 5)
    assert request.settings["model"] == "embedded"
    assert records[0].texts == ("a", "b")


def test_a_record_that_cannot_be_written_withholds_no_suggestion(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").touch()
    with caplog.at_level(logging.DEBUG):
        recording = recorded(FakeEngine(), Settings(record_dir=str(tmp_path / "taken")))
        assert ask(recording) == ["a"]

    assert "request not recorded" in caplog.text
    assert CANARY not in caplog.text


def test_a_record_can_be_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from .commands.fakes import Program

    program = Program(capsys)
    ask(recorded(program.engine, Settings(record_dir=str(tmp_path))))
    (path,) = tmp_path.iterdir()

    assert program("replay", path).code == 0
    assert program.engine.asked[0] | {"lengths": (2, 3)} == program.engine.asked[1]
