"""Corpus and tokenizer -> token shards: flat uint16 files with document offsets.

A shard is ``{split}.bin``, every document as ``<bos> ids <eos>`` one after the other, raw
little-endian; ``{split}.offsets.npy`` holds where each begins, and one last entry for the end.
Raw rather than ``.npy`` because it is written as a stream, before its length is known.
"""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from dgemma_engine.train.corpus import SPLITS, Report, count_documents, read_split
from dgemma_engine.train.progress import OnProgress, no_progress
from dgemma_engine.train.tokenizer_training import load_tokenizer

TOKEN_DTYPE = np.dtype("<u2")
"""Little-endian on every machine, so that shards can travel."""

SUMMARY_NAME = "shards.json"

_BATCH_DOCUMENTS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardRecord:
    """Size of one split's shard.

    Attributes:
        documents: documents in it.
        tokens: ids in it, the document marks included.
        bytes: UTF-8 bytes that they stand for.
    """

    documents: int
    tokens: int
    bytes: int

    @property
    def bytes_per_token(self) -> float:
        """Bytes of text per id of text; the document marks stand for none."""
        return self.bytes / max(1, self.tokens - 2 * self.documents)

    def __str__(self) -> str:
        return (
            f"{self.documents} documents, {self.tokens / 1e6:.2f} M tokens,"
            f" {self.bytes_per_token:.2f} bytes per token"
        )


def write_shards(
    corpus: Path,
    tokenizer_path: Path,
    out: Path,
    report: Report,
    progress: OnProgress = no_progress,
) -> dict[str, ShardRecord]:
    """Write a shard with offsets for every split, and ``shards.json``, under ``out``.

    Args:
        corpus: folder that ``build_corpus`` wrote.
        tokenizer_path: ``tokenizer.json`` with ``<bos>`` and ``<eos>``.
        out: folder to write to; made if absent.
        report: called with one line per split.
        progress: told of documents.

    Returns:
        Sizes by split.

    Raises:
        ValueError: if the tokenizer has no document marks or too many entries for uint16.
    """
    tokenizer = load_tokenizer(tokenizer_path)
    out.mkdir(parents=True, exist_ok=True)
    n_total = sum(count_documents(corpus, split) for split in SPLITS)
    seen = itertools.count(1)
    records: dict[str, ShardRecord] = {}
    for split in SPLITS:
        records[split] = _write_split(
            corpus, split, tokenizer, out, lambda: progress(next(seen), n_total)
        )
        report(f"{split}: {records[split]}")
    summary = {
        "tokenizer_sha256": hashlib.sha256(tokenizer_path.read_bytes()).hexdigest(),
        "vocab_size": tokenizer.get_vocab_size(),
        "splits": {split: asdict(record) for split, record in records.items()},
    }
    text = json.dumps(summary, indent=1) + "\n"
    (out / SUMMARY_NAME).write_text(text, encoding="utf-8", newline="\n")
    return records


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenShard:
    """A shard, mapped into memory read-only.

    Attributes:
        ids: uint16 (T,), all documents one after the other.
        offsets: int64, one entry more than documents: document i is
            ``ids[offsets[i]:offsets[i + 1]]``.
    """

    ids: np.ndarray[Any, np.dtype[np.uint16]]
    offsets: np.ndarray[Any, np.dtype[np.int64]]


def load_shard(path: Path) -> TokenShard:
    """Open the ``.bin`` shard at ``path`` and the offsets beside it; nothing is unpickled."""
    offsets = np.load(offsets_path(path), allow_pickle=False)
    return TokenShard(ids=np.memmap(path, dtype=TOKEN_DTYPE, mode="r"), offsets=offsets)


def offsets_path(shard: Path) -> Path:
    """Give the place of a shard's document offsets."""
    return shard.with_suffix(".offsets.npy")


def encode_documents(texts: Iterable[str], tokenizer: Tokenizer) -> Iterator[list[int]]:
    """Yield ``<bos> ids <eos>`` for each text, encoding in batches.

    Raises:
        ValueError: if the tokenizer has no document marks or too many entries for uint16.
    """
    bos, eos = tokenizer.token_to_id("<bos>"), tokenizer.token_to_id("<eos>")
    if bos is None or eos is None:
        raise ValueError("the tokenizer has no <bos> or no <eos>; train one with this recipe")
    if tokenizer.get_vocab_size() > 1 << 16:
        raise ValueError(f"{tokenizer.get_vocab_size()} tokens do not fit uint16 shards")
    remaining = iter(texts)
    while batch := list(itertools.islice(remaining, _BATCH_DOCUMENTS)):
        for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            yield [bos, *encoding.ids, eos]


def _write_split(
    corpus: Path, split: str, tokenizer: Tokenizer, out: Path, tell: Callable[[], None]
) -> ShardRecord:
    n_bytes = 0

    def texts() -> Iterator[str]:
        nonlocal n_bytes
        for document in read_split(corpus, split):
            n_bytes += len(document.text.encode())
            yield document.text

    shard = out / f"{split}.bin"
    offsets = [0]
    with shard.open("wb") as file:
        for ids in encode_documents(texts(), tokenizer):
            file.write(np.asarray(ids, dtype=TOKEN_DTYPE).tobytes())
            offsets.append(offsets[-1] + len(ids))
            tell()
    np.save(offsets_path(shard), np.asarray(offsets, dtype=np.int64), allow_pickle=False)
    return ShardRecord(documents=len(offsets) - 1, tokens=offsets[-1], bytes=n_bytes)
