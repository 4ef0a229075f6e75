import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from dgemma_engine.types import StopReason
from dgemma_ls.hashes import model_hash
from dgemma_ls.models import model_folder
from dgemma_ls.recording import RecordedRequest, record
from dgemma_ls.settings import Settings
from tests.engines import result

from .fakes import Program


@pytest.fixture
def request_() -> RecordedRequest:
    return RecordedRequest(
        task="infill",
        arguments={"prefix": "x = \ud83d", "suffix": "\n", "lengths": (2,), "seed": 9},
        verdicts={},
        settings=asdict(Settings()),
        model_sha256=model_hash(model_folder("embedded")),
    )


def test_the_same_question_is_asked_and_the_same_texts_are_good(
    program: Program, tmp_path: Path, request_: RecordedRequest
) -> None:
    path = tmp_path / "r.json"
    record(request_, result("a"), path)
    ran = program("replay", path)

    assert (ran.code, ran.out) == (0, "the same 1 texts\n")
    assert program.engine.asked == [
        {"prefix": "x = \ud83d", "suffix": "\n", "seed": 9, "lengths": (2,)}
    ]


def test_other_texts_are_shown_beside_the_recorded_ones(
    program: Program, tmp_path: Path, request_: RecordedRequest
) -> None:
    path = tmp_path / "r.json"
    record(request_, result("a "), path)
    ran = program("replay", path)

    assert ran.code == 1
    assert ran.out == "recorded:\n  'a '\nnow:\n  'a'\n"


def test_another_model_and_an_early_end_are_said(
    program: Program, tmp_path: Path, request_: RecordedRequest
) -> None:
    path = tmp_path / "r.json"
    changed = replace(request_, model_sha256="0" * 64)
    record(changed, result(stop=StopReason.DEADLINE), path)
    ran = program("replay", path)

    assert ran.code == 1
    assert "the model is another one" in ran.out
    assert "ended early (deadline)" in ran.out
    report = json.loads(program("replay", path, "--json").out)
    assert not report["same"]
    assert not report["same_model"]
    assert report["interrupted"]
    assert report["texts"] == ["a"]


def test_what_is_no_record_is_bad_input(program: Program, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("{")
    ran = program("replay", tmp_path / "r.json")

    assert ran.code == 2
    assert "it is no JSON" in ran.err
    assert program.loaded == []
