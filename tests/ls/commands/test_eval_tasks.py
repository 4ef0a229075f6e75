"""``dgemma-ls eval length|judge|next-token|typos`` from arguments to exit code, without a model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dgemma_engine.types import Origin
from dgemma_ls.cli import main
from dgemma_ls.commands.evaluate import arguments
from dgemma_ls.evaluation.cases import Document
from tests.ls.evaluation.fakes import FakeEngine, document, folder_tokenizer

DOCUMENT = document()
PAIR = {
    "repo": "a/b",
    "kind": "nonword",
    "before_line": "a smal thing",
    "after_line": "a small thing",
    "context_before": ["first"],
    "context_after": [],
}


def truth_after(prefix: str, suffix: str, options: dict[str, Any]) -> list[tuple[str, Origin]]:
    """Knows the document; without the length it has another idea first."""
    truth = DOCUMENT.text[len(prefix) : len(DOCUMENT.text) - len(suffix)]
    right = (truth, Origin.DENOISED)
    return [right] if options["lengths"] else [("first", Origin.COPIED), right]


def load(model: str) -> Any:
    """Stands here, not in a function, so that other processes find it."""
    return FakeEngine(folder_tokenizer(Path(), DOCUMENT.text), truth_after)


def run(*words: str) -> int:
    return main(["eval", *words], load=load)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [Document(path="pkg/b.py", text=DOCUMENT.text), DOCUMENT]
    Path("documents.jsonl").write_text(
        "".join(json.dumps({"path": row.path, "text": row.text}) + "\n" for row in rows)
    )
    Path("pairs.jsonl").write_text((json.dumps(PAIR) + "\n") * 2)
    Path("short.jsonl").write_text('{"path": "a.py", "text": "a = 1"}\n')
    return tmp_path


def figures(path: str = "out.json") -> dict[tuple[str, str], float]:
    values = json.loads(Path(path).read_text("utf-8"))
    return {(f["group"], f["metric"]): f["interval"]["mean"] for f in values["figures"]}


CASES = ["--data", "documents.jsonl", "--cases", "5", "--buckets", "5-8,rest", "--json", "out.json"]


def test_length_compares_answers_with_the_truth(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("length", *CASES) == 0
    out = capsys.readouterr().out
    assert "model embedded, data documents.jsonl, seed 0, steps 3" in out
    assert "within 1 token, %" in out
    assert figures()["5-8", "exact_told"] == 1.0
    assert figures()["5-8", "within_2"] == 0.0
    assert figures()["all", "exact_kept"] == 0.0


def test_judge_tells_coverage_from_selection(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("judge", *CASES) == 0
    assert "by proposer" in capsys.readouterr().out
    values = figures()
    assert (values["all", "coverage"], values["all", "selection"]) == (1.0, 0.0)
    assert (values["copied", "won"], values["denoised", "proposed"]) == (1.0, 1.0)


@pytest.mark.parametrize("task", ["length", "judge"])
def test_several_processes_come_to_the_same(task: str) -> None:
    assert run(task, *CASES) == 0
    one = figures()
    assert run(task, *CASES, "--jobs", "2") == 0
    assert figures() == one


def test_next_token_reads_windows(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["--data", "documents.jsonl", "--context", "20", "--windows", "3"]
    assert run("next-token", *wanted, "--json", "out.json") == 0
    captured = capsys.readouterr()
    assert "cross-entropy, nats a token" in captured.out
    assert "3/3 windows" in captured.err
    assert set(figures()) == {("encoder", m) for m in ("accuracy", "nats", "bits_per_byte")}
    assert figures()["encoder", "bits_per_byte"] > 0


def test_next_token_has_the_5_gram_beside_it(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    import hashlib

    shards = folder / "shards"
    shards.mkdir()
    (folder / "tokenizer.json").write_text("{}")
    made_with = hashlib.sha256(b"{}").hexdigest()
    (shards / "shards.json").write_text(json.dumps({"tokenizer_sha256": made_with}))
    ids = folder_tokenizer(Path(), DOCUMENT.text).encode(DOCUMENT.text)
    np.array(ids, dtype="<u2").tofile(shards / "train.bin")

    wanted = ["--data", "documents.jsonl", "--context", "20", "--windows", "3"]
    assert run("next-token", *wanted, "--shards", "shards", "--json", "out.json") == 0
    assert figures()["5-gram", "accuracy"] > figures()["encoder", "accuracy"]


def test_typos_compares_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("typos", "--data", "pairs.jsonl", "--json", "out.json") == 0
    captured = capsys.readouterr()
    assert "correction preferred, %" in captured.out
    assert "2/2 pairs" in captured.err
    assert set(figures()) == {("all", "preferred"), ("nonword", "preferred")}


def test_ctrl_c_shows_what_is_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def interrupted(prefix: str, suffix: str, options: dict[str, Any]) -> Any:
        asked.append(prefix)
        if len(asked) > 6:
            raise KeyboardInterrupt
        return truth_after(prefix, suffix, options)

    engine = FakeEngine(folder_tokenizer(Path(), DOCUMENT.text), interrupted)
    assert main(["eval", "length", *CASES], load=lambda model: engine) == 130  # type: ignore[arg-type,return-value]
    assert "stopped after 3 of 10 cases" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["length", "--data", "short.jsonl"], "short.jsonl has no document long enough"),
        (["judge", "--model", "missing"], "missing is no model folder"),
        (["next-token", "--data", "short.jsonl"], "no document of 512 tokens; lower --context"),
        (
            ["next-token", "--data", "documents.jsonl", "--context", "9", "--shards", "nowhere"],
            "nowhere has no readable shards",
        ),
        (["typos", "--data", "short.jsonl"], 'short.jsonl:1: "before_line" must be a string'),
        (["typos", "--data", "gone.jsonl"], "gone.jsonl does not exist"),
        (["length", "--json", "no/such/folder.json"], "folder.json cannot be written"),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("dgemma-ls: error: ")
    assert said in lines[-1]


@pytest.mark.parametrize("task", ["length", "judge", "next-token"])
def test_outside_a_checkout_the_data_must_be_named(
    task: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arguments, "HOLDOUT", Path("nowhere.jsonl.gz"))
    assert run(task) == 2
    assert "--data" in capsys.readouterr().err


def passages_folder() -> str:
    pair = PAIR | {
        "id": "nonword-1",
        "path": "docs/a.md",
        "before_line": "We recieve a small thing.",
        "after_line": "We receive a small thing.",
        "after_word": "receive",
    }
    clean = {"id": "c", "path": "b.py", "tag": "prose", "repo": "a/b", "lines": ["# All is well."]}
    Path("data").mkdir()
    Path("data/pairs.jsonl").write_text(json.dumps(pair) + "\n")
    Path("data/clean.jsonl").write_text(json.dumps(clean) + "\n")
    return "data"


def test_typos_tells_kinds_and_types_of_files_apart(capsys: pytest.CaptureFixture[str]) -> None:
    data = passages_folder()
    wanted = ["--without", "model", "--by-type", "--json", "out.json"]
    assert run("typos", "--data", data, *wanted) == 0
    out = capsys.readouterr().out
    assert "recall by type of file (errors)" in out
    assert "markdown (1)" in out
    safe = json.loads(Path("out.json").read_text())["systems"][0]
    assert safe["by_kind"]["nonword"]["recall"] == 1.0
    assert safe["by_type"]["python"]["false_edits"] == 0.0


def test_typos_draws_precision_against_recall() -> None:
    pytest.importorskip("matplotlib")
    data = passages_folder()
    assert run("typos", "--data", data, "--without", "model", "--picture", "a.svg") == 0
    assert Path("a.svg").read_text().count("<svg") == 1


def test_the_model_alone_needs_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("typos", "--data", passages_folder(), "--alone", "--without", "model") == 2
    assert "--alone is the model alone" in capsys.readouterr().err
