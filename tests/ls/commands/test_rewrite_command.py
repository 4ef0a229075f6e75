"""``dgemma-ls rewrite`` from arguments to exit code, on an engine that says what it is told."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dgemma_engine.errors import RequestError
from dgemma_engine.types import Candidate, InfillResult, StopReason

from .fakes import FakeEngine, Program

ROOT = Path(__file__).parents[3]
CODE = "def f(a):\n    total = first + second\n    return total\n"
SELECTION = ("--at", "2:5", "--to", "2:27")  # total = first + second


class RewritingEngine(FakeEngine):
    """Rewrites by ``to``; keeps what it was asked."""

    to: tuple[str, ...] = ("total = first - second",)

    def rewrite(self, prefix: str, text: str, suffix: str, **options: Any) -> InfillResult:
        if options["instruction"]:
            raise RequestError("this model follows no instructions; leave the instruction out")
        self.asked.append({"prefix": prefix, "text": text, "suffix": suffix, **options})
        return InfillResult(
            candidates=tuple(
                Candidate(text=it, score=-float(n), forwards=1, n_tokens=1)
                for n, it in enumerate(self.to)
            ),
            stop=StopReason.MAX_STEPS,
            forwards=3,
            milliseconds=2.5,
        )


@pytest.fixture
def engine(program: Program) -> RewritingEngine:
    program.engine = RewritingEngine(max_span_tokens=40)
    return program.engine


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_text(CODE)
    return path


def test_a_selection_is_rewritten_as_a_diff(
    program: Program, engine: RewritingEngine, file: Path
) -> None:
    ran = program("rewrite", file, *SELECTION)
    assert ran.code == 0
    assert "-    total = first + second\n+    total = first - second\n" in ran.out
    assert f"+++ {file} (rewritten)" in ran.out
    assert file.read_text() == CODE


def test_the_options_reach_the_engine(
    program: Program, engine: RewritingEngine, file: Path
) -> None:
    options = ("--strength", "0.15", "--max-changed", "2", "--candidates", "4", "--seed", "9")
    program("rewrite", file, *SELECTION, *options)
    (asked,) = engine.asked
    assert asked["text"] == "total = first + second"
    assert (asked["strength"], asked["max_changed"]) == (0.15, 2)
    assert (asked["n_candidates"], asked["seed"]) == (4, 9)


def test_full_strength_is_a_fill_of_about_the_same_length(
    program: Program, engine: RewritingEngine, file: Path
) -> None:
    engine.texts = ("pass",)
    ran = program("rewrite", file, *SELECTION, "--strength", "1")
    assert "+    pass\n" in ran.out
    (asked,) = engine.asked
    assert asked["lengths"] == (16, 22, 33)


def test_json_has_all_candidates_and_write_takes_the_best(
    program: Program, engine: RewritingEngine, file: Path
) -> None:
    engine.to = ("total = (", "total = first * second", "total = 1")
    ran = program("rewrite", file, *SELECTION, "--json", "--write")
    report = json.loads(ran.out)
    assert [it["text"] for it in report["candidates"]] == list(engine.to[1:])
    assert file.read_text() == CODE.replace("+", "*")


def test_nothing_fit_to_be_shown_is_code_1_and_leaves_the_file(
    program: Program, engine: RewritingEngine, file: Path
) -> None:
    engine.to = ("total = (",)
    ran = program("rewrite", file, *SELECTION, "--write")
    assert ran.code == 1
    assert "every candidate would add a syntax error" in ran.err
    assert file.read_text() == CODE


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--at", "2:1", "--to", "2:4"), "there is no text to rewrite; choose another selection"),
        (("--at", "2:5"), "the following arguments are required: --to"),
        ((*SELECTION, "--strength", "0"), "'0' is not a number above 0 and at most 1"),
        ((*SELECTION, "--strength", "nan"), "'nan' is not a number above 0 and at most 1"),
        ((*SELECTION, "--max-changed", "0"), "'0' is not a whole number of at least 1"),
        (("--at", "1:1", "--to", "3:10"), "46 tokens, one canvas holds 40; select less"),
        ((*SELECTION, "--instruction", "shorter"), "this model follows no instructions"),
    ],
)
def test_bad_input_gets_one_sentence(
    program: Program,
    engine: RewritingEngine,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    try:
        ran = program("rewrite", file, *arguments)
        code, err = ran.code, ran.err
    except SystemExit as exit:  # argparse leaves by itself
        code, err = exit.code, capsys.readouterr().err
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err


@pytest.mark.slow
def test_what_the_embedded_model_writes_parses(file: Path) -> None:
    paths = os.pathsep.join((str(ROOT), str(ROOT / "engine")))
    command = [sys.executable, "-m", "dgemma_ls", "rewrite", str(file), *SELECTION, "--json"]
    done = subprocess.run(
        [*command, "--strength", "0.7"],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    report = json.loads(done.stdout)
    assert done.returncode == (report["text"] is None)
    for candidate in report["candidates"]:
        text = CODE.replace("total = first + second", candidate["text"])
        compile(text, "a.py", "exec")
