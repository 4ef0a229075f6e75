"""Gaps in two small functions, filled right and wrong."""

import gzip
import json
from pathlib import Path
from typing import Any, cast

import pytest

from dgemma_engine.types import Origin
from dgemma_ls.evaluation.humaneval import (
    SPLITS,
    Problem,
    Sample,
    ask,
    gold,
    read_problems,
    sample_from_json,
    sample_to_json,
    sum_up,
)
from dgemma_ls.evaluation.sandbox import Verdict, can_run
from dgemma_ls.files import FileError
from tests.ls.evaluation.fakes import FakeEngine, WordTokenizer

ROWS = [
    {
        "task_id": "SingleLineInfilling/HumanEval/0/L0",
        "entry_point": "add",
        "prompt": "def add(a, b):\n",
        "suffix": "",
        "canonical_solution": "    return a + b\n",
        "test": "\ndef check(candidate):\n    assert candidate(2, 3) == 5\n",
    },
    {
        "task_id": "SingleLineInfilling/HumanEval/1/L0",
        "entry_point": "last",
        "prompt": "def last(values):\n",
        "suffix": "    return found\n",
        "canonical_solution": "    found = values[-1]\n",
        "test": "\ndef check(candidate):\n    assert candidate([1, 2]) == 2\n",
    },
]

needs_sandbox = pytest.mark.skipif(not can_run(), reason="the sandbox needs a POSIX system")


def write(folder: Path, rows: list[dict[str, Any]], split: str = "single-line") -> Path:
    path = folder / SPLITS[split].file
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def problems(tmp_path: Path) -> list[Problem]:
    write(tmp_path, ROWS)
    return read_problems(tmp_path, "single-line")


def engine(text: str) -> FakeEngine:
    return FakeEngine(WordTokenizer(), lambda *asked: [(text, Origin.DENOISED)] if text else [])


def fill(problem: Problem, text: str, **options: Any) -> tuple[Sample, dict[str, Any]]:
    fake = engine(text)
    wanted = {"split": "single-line", "seed": 4, "n_steps": None, "length_known": False} | options
    return ask(cast("Any", fake), problem, **wanted), fake.asked[0]


def test_rows_are_read_gzipped_or_not(problems: list[Problem], tmp_path: Path) -> None:
    path = tmp_path / SPLITS["single-line"].file
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert read_problems(packed, "single-line") == problems
    assert [problem.base_task for problem in problems] == ["HumanEval/0", "HumanEval/1"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"test": 1}, '"test" must be a string'),
        ({"canonical_solution": "    return a"}, "must end with a line break"),
        ({"task_id": ROWS[1]["task_id"]}, "a task_id twice"),
    ],
)
def test_damaged_rows_are_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    write(tmp_path, [ROWS[0] | change, ROWS[1]])
    with pytest.raises(FileError, match=said):
        read_problems(tmp_path, "single-line")


def test_a_folder_without_the_split_is_told_what_to_fetch(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"RandomSpanInfillingLight\.jsonl\.gz; fetch it from"):
        read_problems(tmp_path, "random-span-light")


@needs_sandbox
def test_the_own_solutions_pass(problems: list[Problem]) -> None:
    assert [gold(problem).verdict for problem in problems] == [Verdict.PASSED] * 2


@needs_sandbox
def test_a_right_fill_passes_and_a_wrong_one_fails(problems: list[Problem]) -> None:
    right, asked = fill(problems[0], "    return b + a")
    assert right == Sample(fill="    return b + a\n", verdict=Verdict.PASSED)
    assert (asked["multiline"], asked["lengths"], asked["seed"]) == (False, None, 4)
    assert fill(problems[0], "    return a - b")[0].verdict is Verdict.FAILED
    assert fill(problems[0], "")[0] == Sample(fill="\n", verdict=Verdict.FAILED)


@needs_sandbox
def test_the_length_that_is_told_is_the_line_s_without_its_break(problems: list[Problem]) -> None:
    assert fill(problems[0], "", length_known=True)[1]["lengths"] == (len("    return a + b"),)


@needs_sandbox
def test_spans_may_have_lines_and_be_longer_than_a_canvas(tmp_path: Path) -> None:
    row = ROWS[0] | {"canonical_solution": "    return (\n" + "        a + b)  # " + "x y " * 20}
    write(tmp_path, [row], "random-span-light")
    (problem,) = read_problems(tmp_path, "random-span-light")
    wanted = {"split": "random-span-light", "length_known": True}
    sample, asked = fill(problem, "    return (\n        a + b\n    )", **wanted)
    assert sample == Sample(fill="    return (\n        a + b\n    )", verdict=Verdict.PASSED)
    assert (asked["multiline"], asked["lengths"]) == (True, (24,))


def test_figures_are_means_over_gaps_and_samples(problems: list[Problem]) -> None:
    passed, failed, late = (
        Sample(fill=fill, verdict=verdict)
        for fill, verdict in [
            ("    return a + b\n", Verdict.PASSED),
            ("    return (\n", Verdict.FAILED),
            ("\n", Verdict.TIMED_OUT),
        ]
    )
    samples = {problems[0].task_id: [passed, failed], problems[1].task_id: [failed, late]}
    figures = {
        figure.metric: (figure.interval.mean, figure.n_cases)
        for figure in sum_up("single-line", problems, samples, seed=0)
    }
    assert figures == {
        "passed": (0.25, 2),
        "passed_any": (0.5, 2),
        "failed": (0.5, 2),
        "timed_out": (0.25, 2),
        "exact_match": (0.25, 2),
        "parse_rate": (pytest.approx(1 / 3), 3),
        "answered": (0.75, 2),
    }


def test_with_one_sample_any_is_left_out(problems: list[Problem]) -> None:
    samples = {problems[0].task_id: [Sample(fill="x\n", verdict=Verdict.FAILED)]}
    figures = sum_up("single-line", problems, samples, seed=0)
    assert "passed_any" not in {figure.metric for figure in figures}
    assert {figure.n_cases for figure in figures} == {1}


def test_samples_come_back_from_json() -> None:
    sample = Sample(fill="é\udc80\n", verdict=Verdict.TIMED_OUT)
    assert sample_from_json(json.loads(json.dumps(sample_to_json(sample)))) == sample
    for values in ({"fill": 1, "outcome": "failed"}, {"fill": "a", "outcome": "?"}, {}):
        with pytest.raises(ValueError, match=r"fill|Verdict"):
            sample_from_json(values)
