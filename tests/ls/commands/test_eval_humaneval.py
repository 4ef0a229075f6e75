"""``dgemma-ls eval humaneval-infilling``: fills are run, runs go on, the gold passes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dgemma_engine.types import Origin
from dgemma_ls.cli import main
from dgemma_ls.commands.evaluate import humaneval
from dgemma_ls.evaluation import sandbox
from dgemma_ls.evaluation.humaneval import SPLITS, gold, read_problems
from dgemma_ls.evaluation.sandbox import Verdict, can_run
from tests.ls.evaluation.fakes import FakeEngine, folder_tokenizer

pytestmark = pytest.mark.skipif(not can_run(), reason="the sandbox needs a POSIX system")

BENCHMARK = Path(__file__).resolve().parents[4] / "shared" / "data" / "human-eval-infilling"


def row(number: int) -> dict[str, str]:
    return {
        "task_id": f"SingleLineInfilling/HumanEval/{number}/L0",
        "entry_point": "add",
        "prompt": f"def add(a, b):  # {number}\n",
        "suffix": "",
        "canonical_solution": f"    return a + b + {number}\n",
        "test": f"\ndef check(candidate):\n    assert candidate(2, 3) == 5 + {number}\n",
    }


def fill(prefix: str, suffix: str, options: dict[str, Any]) -> list[tuple[str, Origin]]:
    """Right for 0, wrong for all others but with an odd seed."""
    number = prefix.split()[-1] if options["seed"] % 2 else "0"
    return [(f"    return a + b + {number}", Origin.DENOISED)]


def load(model: str) -> Any:
    """Stands here, not in a function, so that other processes find it."""
    return FakeEngine(folder_tokenizer(Path()), fill)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines = [json.dumps(row(number)) + "\n" for number in range(3)]
    Path(SPLITS["single-line"].file).write_text("".join(lines))
    return tmp_path


def run(*words: str, loader: Any = load) -> int:
    wanted = ["eval", "humaneval-infilling", "--data", ".", "--json", "out.json"]
    return main([*wanted, *words], load=loader)


def figures() -> dict[str, tuple[float, int]]:
    values = json.loads(Path("out.json").read_text("utf-8"))
    return {f["metric"]: (round(f["interval"]["mean"], 3), f["n_cases"]) for f in values["figures"]}


def test_fills_are_run_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    captured = capsys.readouterr()
    assert re.search("cases in functions +3 in 3", captured.out)
    assert "3/3 gaps" in captured.err
    assert figures()["passed"] == (0.333, 3)
    assert figures()["failed"] == (0.667, 3)
    assert figures()["parse_rate"] == (1.0, 3)


def test_samples_have_seeds_of_their_own() -> None:
    assert run("--samples", "2") == 0
    assert figures()["passed"] == (0.667, 3)
    assert figures()["passed_any"] == (1.0, 3)


def test_gold_passes_without_a_model() -> None:
    def no_model(model: str) -> Any:
        raise AssertionError(model)

    assert run("--gold", loader=no_model) == 0
    assert figures()["passed"] == (1.0, 3)


def test_several_processes_come_to_the_same() -> None:
    assert run("--jobs", "2") == 0
    assert figures()["passed"] == (0.333, 3)


def test_a_run_cut_short_goes_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, asked = humaneval.ask, []

    def interrupted(*arguments: Any, **options: Any) -> Any:
        asked.append(arguments[1].task_id)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return ask(*arguments, **options)

    monkeypatch.setattr(humaneval, "ask", interrupted)
    assert run("--resume", "run.jsonl") == 130
    assert "stopped after 1 of 3 gaps" in capsys.readouterr().out
    assert figures()["passed"] == (1.0, 1)

    assert run("--resume", "run.jsonl") == 0
    assert len(asked) == 4
    assert figures()["passed"] == (0.333, 3)
    assert len(Path("run.jsonl").read_text().splitlines()) == 4

    assert run("--resume", "run.jsonl") == 0  # nothing is left
    assert len(asked) == 4
    assert figures()["passed"] == (0.333, 3)


def test_more_rows_keep_the_first_ones() -> None:
    assert run("--resume", "run.jsonl", "--rows", "1") == 0
    assert run("--resume", "run.jsonl", "--rows", "2") == 0
    assert len(Path("run.jsonl").read_text().splitlines()) == 3
    assert figures()["answered"] == (1.0, 2)


def test_a_run_does_not_go_on_with_other_weights(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / "model.safetensors").write_bytes(b"weights")
    assert run("--resume", "run.jsonl") == 0
    (folder / "model.safetensors").write_bytes(b"others!")
    assert run("--resume", "run.jsonl") == 2
    assert "run.jsonl was begun with weights" in capsys.readouterr().err


def test_a_network_that_stays_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "network_is_cut", lambda: False)
    assert run("--gold", "--rows", "1") == 0
    assert "the network was not cut off" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "nowhere"], "nowhere has no HumanEval-SingleLineInfilling.jsonl or"),
        (["--split", "random-span-light"], "github.com/openai/human-eval-infilling"),
        (["--model", "missing"], "missing is no model folder"),
        (["--resume", "notes.txt"], "notes.txt is no journal"),
        (["--resume", "rows.jsonl", "--gold"], "rows.jsonl has a line that is no finished gap"),
        (["--resume", "no/such/run.jsonl"], "run.jsonl cannot be written"),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("notes.txt").write_text("hello\n")
    settings = {"model": "the benchmark's own solutions", "split": "single-line"}
    lines = [{"settings": {**settings, "samples": 1, "seed": 0}}, {"task_id": "a"}]
    Path("rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run(*words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error


@pytest.mark.slow
def test_the_benchmark_s_own_solutions_pass() -> None:
    if not BENCHMARK.is_dir():
        pytest.skip(f"HumanEval-Infilling is not there: no folder {BENCHMARK}")
    for problem in read_problems(BENCHMARK, "single-line")[:60]:
        assert gold(problem).verdict is Verdict.PASSED, problem.task_id
