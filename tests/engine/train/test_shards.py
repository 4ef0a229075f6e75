import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models

from dgemma_engine.train.shards import (
    TOKEN_DTYPE,
    encode_documents,
    load_shard,
    write_shards,
)
from dgemma_engine.train.tokenizer_training import TokenizerRecipe, load_tokenizer, train_tokenizer

EOS, BOS = 1, 2
TEXTS = {
    "train": [
        f"def f_{i}(x):\r\n    return x + {i}\n# <eos> {'é' * (i % 3)}\n" for i in range(600)
    ],
    "selection": ["class A:\n    pass\n"],
    "holdout": ["import os\n", "\x00"],
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for split, texts in TEXTS.items():
        lines = [json.dumps({"package": "p", "path": "a.py", "text": text}) for text in texts]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def tokenizer_path(tmp_path: Path) -> Path:
    recipe = TokenizerRecipe(
        vocab_size=270,
        sample_bytes=10_000,
        pre_split=r"\w+|\W",
        reserved=("<pad>", "<eos>", "<bos>"),
    )
    train_tokenizer(TEXTS["train"], recipe, tmp_path / "tokenizer.json")
    return tmp_path / "tokenizer.json"


def test_every_document_comes_back_from_its_shard(
    corpus: Path, tokenizer_path: Path, tmp_path: Path
) -> None:
    reports: list[str] = []
    records = write_shards(corpus, tokenizer_path, tmp_path / "shards", reports.append)
    tokenizer = load_tokenizer(tokenizer_path)
    for split, texts in TEXTS.items():
        shard = load_shard(tmp_path / "shards" / f"{split}.bin")
        assert shard.offsets[0] == 0
        assert shard.offsets[-1] == len(shard.ids) == records[split].tokens
        documents = [shard.ids[start:end] for start, end in itertools.pairwise(shard.offsets)]
        assert all(ids[0] == BOS and ids[-1] == EOS for ids in documents)
        assert [tokenizer.decode(ids[1:-1].tolist()) for ids in documents] == texts
        # "<eos>" as text must not look like the end of a document.
        assert np.count_nonzero(shard.ids == EOS) == len(texts)
        assert records[split].bytes == sum(len(text.encode()) for text in texts)
    assert len(reports) == len(TEXTS)


def test_the_summary_gives_sizes_and_names_the_tokenizer(
    corpus: Path, tokenizer_path: Path, tmp_path: Path
) -> None:
    records = write_shards(corpus, tokenizer_path, tmp_path / "shards", lambda line: None)
    summary = json.loads((tmp_path / "shards/shards.json").read_text())
    assert summary["vocab_size"] == 270
    assert len(summary["tokenizer_sha256"]) == 64
    assert summary["splits"]["holdout"] == {
        "documents": 2,
        "tokens": records["holdout"].tokens,
        "bytes": 11,
    }
    # The NUL is one byte in one token; the document marks do not count.
    n_ids = records["holdout"].tokens - 4
    assert records["holdout"].bytes_per_token == pytest.approx(11 / n_ids)


def test_a_shard_is_mapped_read_only_and_raw_little_endian(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\x02\x00\x01\x02")
    np.save(tmp_path / "a.offsets.npy", np.array([0, 2]))
    shard = load_shard(tmp_path / "a.bin")
    assert shard.ids.tolist() == [2, 0x0201]
    assert shard.offsets.tolist() == [0, 2]
    assert shard.ids.dtype == TOKEN_DTYPE
    assert isinstance(shard.ids, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        shard.ids[0] = 1


def test_a_tokenizer_without_document_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="<bos>"):
        list(encode_documents(["a"], Tokenizer(models.BPE())))
