import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from dgemma_engine.checkpoint import expected_shapes, meta_transformer
from dgemma_engine.config import parse_model_config
from dgemma_engine.train.__main__ import main
from dgemma_engine.train.card import CARD_NAME, Facts, facts_text, replace_between
from dgemma_engine.train.settings import load_model_values

CARD = (
    "# Mine\r\n\r\n<!-- facts -->\nold\n<!-- /facts -->\n\nÄ\n"
    "<!-- results --><!-- /results -->\nend"
)
MANIFEST = {
    "splits": {
        "train": {"files": 1200, "bytes": 5_000_000, "prose_bytes": 400_000, "sha256": "0"},
    },
    "packages": [
        {"name": "h", "version": "3", "licence": "MIT", "split": "holdout"},
        {"name": "s", "version": "2", "licence": "ISC", "split": "selection"},
        {"name": "a", "version": "1.0", "licence": "MIT", "split": "train"},
        {"name": "b", "version": "1.1", "licence": "BSD-3-Clause", "split": "train"},
        {"name": "c", "version": "1.2", "licence": "MIT", "split": "train"},
        {"name": "a", "version": "1.0", "licence": "MIT", "split": "train"},  # its documentation
    ],
}
SHARDS = {"splits": {"train": {"tokens": 2_000_000}}}
PROGRESS = {"tokens": 3_000_000, "steps": 10, "seconds": 600.0}
LOG = [
    {"phase": "next-token", "tokens": 500_000, "tokens_per_second": 4000, "next_token": 5.0},
    {"phase": "next-token", "tokens": 1_000_000, "tokens_per_second": 6000, "next_token": 4.0},
    {
        "phase": "next-token",
        "tokens": 1_000_000,
        "held_out_next_token": 3.912,
        "held_out_next_accuracy": 0.3,
        "held_out_canvas": 6.1,
        "held_out_canvas_accuracy": 0.052,
    },
]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """What the steps leave behind, and a checkpoint with a card."""
    files: dict[str, Any] = {
        "corpus/manifest.json": MANIFEST,
        "shards/shards.json": SHARDS,
        "run/progress.json": PROGRESS,
        "model/config.json": load_model_values(300),
    }
    for name, values in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(values), encoding="utf-8")
    log = "".join(json.dumps(line) + "\n" for line in LOG)
    (tmp_path / "run" / "log.jsonl").write_text(log, encoding="utf-8")
    save_file({"x": torch.zeros(1_000_000)}, tmp_path / "model" / "model.safetensors")
    (tmp_path / "model" / CARD_NAME).write_bytes(CARD.encode())
    return tmp_path


def card(work: Path) -> str:
    return (work / "model" / CARD_NAME).read_bytes().decode()


def test_the_facts_are_what_the_steps_left(work: Path) -> None:
    config = parse_model_config(load_model_values(300))
    n_parameters = sum(s.numel() for s in expected_shapes(meta_transformer(config)).values())
    facts = Facts(
        config=config,
        n_parameters=n_parameters,
        n_bytes=4_000_000,
        manifest=MANIFEST,
        shards=SHARDS,
        progress=PROGRESS,
        log=LOG,
    )
    text = facts_text(facts)
    assert f"| parameters | {n_parameters / 1e6:.2f} million, of which" in text
    assert "4.0 MB in bfloat16" in text
    assert f"width {config.hidden_size}; {len(config.layers)} layers, " in text
    assert "1,200 files, 5.0 MB, 2.00 million tokens; 8.0% of the bytes are prose" in text
    assert "on 3.00 million tokens, 1.50 times the corpus, in 10 minutes: 5,000 tokens a" in text
    assert "| next-token | 1.00 | 5,000 | 3.91, 30.0% | 6.10, 5.2% |" in text
    assert "| MIT | 2 | a 1.0, c 1.2 |" in text
    assert "| BSD-3-Clause | 1 | b 1.1 |" in text
    assert text.index("a 1.0") < text.index("| ISC | 1 | s 2 |") < text.index("| MIT | 1 | h 3 |")
    assert main(["card", str(work), str(work / "model")]) == 0
    assert "of which" in card(work)


def test_outside_the_markers_every_byte_stays(work: Path) -> None:
    table = work / "table.md"
    table.write_text("\n|a|\n|-|\n\n", encoding="utf-8")
    assert main(["card", str(work), str(work / "model"), "--table", str(table)]) == 0
    filled = card(work)
    assert filled.startswith("# Mine\r\n\r\n<!-- facts -->\n| ")
    assert filled.endswith(
        "|\n<!-- /facts -->\n\nÄ\n<!-- results -->\n|a|\n|-|\n<!-- /results -->\nend"
    )
    # A second time changes nothing; without a table the results stay.
    assert main(["card", str(work), str(work / "model")]) == 0
    assert card(work) == filled


def test_the_weights_after_the_decay_count_their_own_tokens(work: Path) -> None:
    release = work / "run" / "release"
    release.mkdir()
    (release / "weights.safetensors").touch()
    values = {"tokens": 4_000_000, "steps": 12, "seconds": 700.0}
    (release / "progress.json").write_text(json.dumps(values), encoding="utf-8")
    assert main(["card", str(work), str(work / "model")]) == 0
    assert "on 4.00 million tokens, 2.00 times the corpus" in card(work)


@pytest.mark.parametrize(
    "text",
    [
        "no markers",
        "<!-- facts -->",
        "<!-- /facts --> <!-- facts -->",
        "<!-- facts --><!-- facts --><!-- /facts -->",
    ],
)
def test_a_card_without_its_markers_is_refused(
    work: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="needs <!-- facts --> and after it <!-- /facts -->"):
        replace_between(text, "facts", "x")
    (work / "model" / CARD_NAME).write_text(text, encoding="utf-8")
    assert main(["card", str(work), str(work / "model")]) == 2
    error = capsys.readouterr().err
    assert f"{CARD_NAME}: needs <!-- facts -->" in error
    assert error.count("\n") == 1
    assert card(work) == text


@pytest.mark.parametrize(
    "name", [f"model/{CARD_NAME}", "corpus/manifest.json", "shards/shards.json", "run/log.jsonl"]
)
def test_a_missing_file_is_named_in_one_sentence(
    work: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / name).unlink()
    assert main(["card", str(work), str(work / "model")]) == 2
    error = capsys.readouterr().err
    assert str(work / name) in error
    assert error.count("\n") == 1
