import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from dgemma_engine.types import (
    CancelToken,
    InfillResult,
    JointCandidate,
    JointResult,
    Slot,
    SlotKind,
    Span,
    SpanCheck,
    StopReason,
)
from dgemma_ls.recorder import recorded
from dgemma_ls.recording import read_record
from dgemma_ls.settings import Settings
from tests.engines import Asked, result

from .commands.fakes import FakeEngine, Program

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
    assert (request.task, request.verdicts) == ("infill", {})
    assert request.arguments == {
        "prefix": CANARY,
        "suffix": "\n",
        "lengths": (2, 3),
        "multiline": True,
        "n_candidates": 2,
        "seed": 5,
    }
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
    program = Program(capsys)
    ask(recorded(program.engine, Settings(record_dir=str(tmp_path))))
    (path,) = tmp_path.iterdir()

    assert program("replay", path).code == 0
    assert program.engine.asked[0] | {"lengths": (2, 3)} == program.engine.asked[1]


class Noting(FakeEngine):
    """Notes all that it is asked but how it may be stopped."""

    def fill(self, asked: Asked) -> InfillResult:
        self.asked.append(asdict(replace(asked, check=None, cancel=None)))
        return result("a")


def test_slot_and_context_are_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = Program(capsys)
    program.engine = Noting()
    slot = Slot(kind=SlotKind.STRING, quote="'", extra="$")
    recording = recorded(program.engine, Settings(record_dir=str(tmp_path)))
    recording.infill("x = '", "'\n", slot=slot, context="# other\n", lengths=(2,))
    (path,) = tmp_path.iterdir()

    assert program("replay", path).code == 0
    recorded_, replayed = program.engine.asked
    assert recorded_ == replayed
    assert (replayed["slot"], replayed["context"]) == (asdict(slot), "# other\n")


class AllRound(FakeEngine):
    """Takes the first text that the check lets pass, as the real one does."""

    def rewrite(self, prefix: str, text: str, suffix: str, **options: Any) -> InfillResult:
        self.asked.append({"prefix": prefix, "text": text, "suffix": suffix})
        check: SpanCheck = options["check"]
        return result(*[it for it in ("(", "[", "b") if not check.bad_spans(it)])

    def infill_jointly(self, text: str, spans: Sequence[Span], **options: Any) -> JointResult:
        self.asked.append({"text": text, "spans": tuple(spans)})
        found = [texts for texts in (("(", "1"), ("1", "2")) if options["accept"](texts)]
        return JointResult(
            candidates=tuple(JointCandidate(texts=texts, score=0.0) for texts in found),
            stop=StopReason.STABLE,
            forwards=1,
            milliseconds=0.0,
        )


class NoOpenBrackets:
    def bad_spans(self, text: str) -> tuple[Span, ...]:
        return tuple(Span(start=n, end=n + 1) for n, it in enumerate(text) if it in "([")


@pytest.mark.parametrize(
    ("ask", "texts"),
    [
        (lambda engine: engine.rewrite("x", "y", "z", seed=1, check=NoOpenBrackets()), ["b"]),
        (
            lambda engine: engine.infill_jointly(
                "a___b", [Span(start=1, end=4)], accept=lambda texts: "(" not in texts
            ),
            [["1", "2"]],
        ),
    ],
    ids=["rewrite", "holes"],
)
def test_rewriting_and_filling_holes_are_replayed_with_what_the_gate_said(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    ask: Callable[[Any], object],
    texts: list[Any],
) -> None:
    program = Program(capsys)
    program.engine = AllRound()
    ask(recorded(program.engine, Settings(record_dir=str(tmp_path))))
    (path,) = tmp_path.iterdir()

    ran = program("replay", path, "--json")

    assert ran.code == 0
    assert json.loads(ran.out)["texts"] == texts
    assert program.engine.asked[0] == program.engine.asked[1]
