"""``dgemma-ls eval infill`` from arguments to exit code, without a model."""

import json
from pathlib import Path
from typing import Any

import pytest

from dgemma_ls.cli import main
from dgemma_ls.commands.evaluate import arguments, infill
from dgemma_ls.evaluation import runner
from dgemma_ls.evaluation.ablations import ABLATIONS
from tests.ls.evaluation.fakes import WordTokenizer, document

DOCUMENT = document()


class FakeEngine:
    tokenizer = WordTokenizer(DOCUMENT.text)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "documents.jsonl"
    path.write_text(json.dumps({"path": DOCUMENT.path, "text": DOCUMENT.text}) + "\n")
    return path


def load(model: str) -> Any:
    """Stands here, not in a function, so that other processes find it."""
    return FakeEngine()


def run(*arguments: str) -> int:
    return main(["eval", "infill", *arguments], load=load)


def baselines(data: Path, *more: str) -> list[str]:
    return ["--data", str(data), "--systems", "copy,ppm", "--buckets", "1,rest", *more]


def test_tables_are_printed_and_files_written(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, markdown = tmp_path / "a.json", tmp_path / "a.md"
    files = ["--json", str(figures), "--markdown", str(markdown)]

    assert run(*baselines(data, "--cases", "6", *files)) == 0

    captured = capsys.readouterr()
    assert "exact match" in captured.out
    assert "5-gram is left out" in captured.out
    assert "12/12 cases" in captured.err
    report = json.loads(figures.read_text("utf-8"))
    assert report["buckets"] == ["1", "rest"]
    assert list(report["titles"]) == ["copy", "ppm"]
    assert "| PPM-like |" in markdown.read_text("utf-8")


def test_the_same_seed_gives_the_same_figures(data: Path, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.json", "b.json", "c.json")]
    for path, seed in zip(paths, ("1", "1", "2"), strict=True):
        assert run(*baselines(data, "--cases", "9", "--seed", seed, "--json", str(path))) == 0
    first, again, other = (json.loads(path.read_text("utf-8")) for path in paths)
    assert first["scores"] == again["scores"]
    assert first["scores"] != other["scores"]


def test_several_processes_come_to_the_same(data: Path, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.json", "two.json")]
    for path, jobs in zip(paths, ("1", "2"), strict=True):
        assert run(*baselines(data, "--cases", "4", "--jobs", jobs, "--json", str(path))) == 0
    one, two = (json.loads(path.read_text("utf-8")) for path in paths)
    for key in ("scores", "differences"):
        assert one[key] == two[key]


def test_ctrl_c_shows_what_is_done(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    measure, asked = runner.measure, []

    def interrupted(*arguments: Any) -> Any:
        asked.append(arguments[0])
        if len({id(case) for case in asked}) > 3:
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(runner, "measure", interrupted)

    assert run(*baselines(data)) == 130
    out = capsys.readouterr().out
    assert "stopped after 3 of" in out
    assert "1: 2 in 1, rest of line: 1 in 1" in out


def test_systems_are_named_alone_or_several_at_once() -> None:
    ablations = infill._systems("ablations")
    assert {"shipped-unknown", "gated", "suggested", *ABLATIONS} <= set(ablations)
    assert infill._systems("ppm, baselines") == ("ppm", "copy", "5-gram", "ppm+5-gram")


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    error = capsys.readouterr().err
    assert error.startswith("dgemma-ls: error: ")
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "missing.jsonl"], "missing.jsonl does not exist"),
        (["--model", "missing"], "missing is no model folder"),
        (["--json", "no/such/folder.json"], "folder.json cannot be written"),
        (["--systems", "5-gram"], "--shards"),
        (["--systems", "ppm", "--shards", "nowhere", "--data", "short.jsonl"], "long enough"),
        (["--systems", "ppm+5-gram", "--shards", "nowhere"], "nowhere has no readable shards"),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("short.jsonl").write_text('{"path": "a.py", "text": "a = 1"}\n')
    FakeEngine.tokenizer.path = tmp_path / "tokenizer.json"  # type: ignore[attr-defined]

    assert run(*arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("dgemma-ls: error: ")
    assert said in lines[-1]


@pytest.mark.parametrize("seed", ["-1", "x", str(2**63)])
def test_a_seed_is_a_whole_number(seed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(f"--seed={seed}")
    assert f"'{seed}' is not a whole number" in capsys.readouterr().err


def test_an_unknown_bucket_is_answered_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        run("--buckets", "1,17-32")
    assert ended.value.code == 2
    assert "'17-32' is none of 1, 2-4" in capsys.readouterr().err


def test_outside_a_checkout_the_data_must_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arguments, "HOLDOUT", tmp_path / "holdout.jsonl.gz")
    assert run() == 2
    assert "--data" in complaint(capsys)


def test_a_picture_without_matplotlib_is_refused_before_the_work(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(infill, "can_draw", lambda: False)
    assert run(*baselines(data, "--picture", "a.png")) == 2
    assert "dgemma-ls[eval]" in complaint(capsys)


def test_a_picture_is_drawn(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "a.png"
    assert run(*baselines(data, "--cases", "4", "--picture", str(path))) == 0
    assert path.read_bytes().startswith(b"\x89PNG")
