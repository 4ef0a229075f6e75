"""Nothing that the figures are measured on has been trained on, by the sketch of the training text.

The sketch lies in ``benchmarks/holdout``; ``dgemma_engine.train.fingerprints`` says what it is.
"""

import gzip
import json
import random
from pathlib import Path

import pytest

import dgemma_engine
from dgemma_engine.train.corpus import load_corpus_recipe
from dgemma_engine.train.fingerprints import read_fingerprints, sketch, write_fingerprints

HELD = Path(__file__).parents[3] / "benchmarks" / "holdout"
SPLITS = [path for name in ("holdout", "selection") if (path := HELD / f"{name}.jsonl.gz").exists()]
RECIPE = load_corpus_recipe()


@pytest.fixture(scope="module")
def trained() -> frozenset[bytes]:
    return read_fingerprints(HELD / "fingerprints.bin")


def texts(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        return [json.loads(line)["text"] for line in file]


def code(seed: int, n_lines: int) -> str:
    """Lines that no other seed shares."""
    draw = random.Random(seed)
    names = ["".join(draw.choices("abcdefghijklmnop", k=16)) for _ in range(n_lines)]
    return "".join(f"    self.{name} = {name}\n" for name in names)


@pytest.mark.parametrize("path", SPLITS, ids=lambda path: path.name)
def test_no_window_of_a_held_out_text_was_trained_on(path: Path, trained: frozenset[bytes]) -> None:
    held = sketch(texts(path), RECIPE)
    assert len(held) > 1000
    assert not held & trained


def test_the_sketch_is_of_a_whole_corpus_and_of_windows_as_they_are_cut_today(
    trained: frozenset[bytes],
) -> None:
    values = json.loads((HELD / "fingerprints.json").read_text("utf-8"))
    assert values["entries"] == len(trained) > 100_000
    assert values["window_lines"] == RECIPE.window_lines
    assert values["window_min_chars"] == RECIPE.window_min_chars
    # Eight lines of the standard library, which was trained on.
    (probe,) = sketch(["\n".join(values["probe"])], RECIPE)
    assert probe in trained


def test_the_sketch_is_of_the_text_that_the_embedded_weights_have_seen() -> None:
    manifest = Path(dgemma_engine.__file__).parent / "embedded" / "corpus.json"
    seen = json.loads(manifest.read_text("utf-8"))["splits"]["train"]["sha256"]
    assert json.loads((HELD / "fingerprints.json").read_text("utf-8"))["train_sha256"] == seen


def test_a_copied_passage_would_be_found(tmp_path: Path) -> None:
    passage = code(1, 40)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    documents = [code(2, 60), code(3, 30) + passage.replace("    ", "\t") + code(4, 30)]
    lines = [json.dumps({"package": "p", "path": "p.py", "text": text}) for text in documents]
    (corpus / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    n_entries = write_fingerprints(corpus, tmp_path / "sketch.bin", RECIPE)
    trained = read_fingerprints(tmp_path / "sketch.bin")

    assert n_entries == len(trained) == (tmp_path / "sketch.bin").stat().st_size / 5
    assert trained == sketch(documents, RECIPE)
    assert sketch([passage], RECIPE) & trained
    assert not sketch([code(5, 400)], RECIPE) & trained


def test_about_every_eighth_window_is_kept() -> None:
    kept = sketch([code(6, 4000)], RECIPE)
    assert 400 < len(kept) < 600
