"""Token shards ↔ a few compressed files, to train elsewhere without the corpus.

Measured on four million ids of 12 bits: LZMA makes 4.8 bits each of the shard as it is, 6.2 of ids
packed to 12 bits (matches no longer begin at bytes), 5.1 of their text; zlib 6.5 of the shard.
"""

import hashlib
import json
import lzma
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dgemma_engine.train.progress import OnProgress, no_progress
from dgemma_engine.train.shards import (
    SUMMARY_NAME,
    TOKEN_DTYPE,
    TokenShard,
    load_shard,
    offsets_path,
)
from dgemma_engine.train.tokenizer_training import load_tokenizer

TOKENIZER_NAME = "tokenizer.json"

_SPLITS = ("selection", "train")  # what a run reads; the smaller one first and whole
_FILE_TOKENS = 8_000_000  # 16 MB even if nothing were won
_PRESET = 7  # a dictionary of 16 MB


def pack(work: Path, out: Path, max_bytes: int, progress: OnProgress = no_progress) -> int:
    """Write the tokenizer and the shards of a run, compressed and numbered.

    Args:
        work: folder of the training steps, with tokenizer and shards.
        out: made if absent; earlier packs in it are removed.
        max_bytes: of all shard files together; of the training shard, the first documents that
            fit are taken.
        progress: told of tokens.

    Returns:
        Bytes written.

    Raises:
        ValueError: not one document of a shard fits.
    """
    shards = {split: load_shard(work / "shards" / f"{split}.bin") for split in _SPLITS}
    out.mkdir(parents=True, exist_ok=True)
    for path in out.glob("*.xz"):
        path.unlink()
    n_total = sum(len(shard.ids) for shard in shards.values())
    n_seen = n_bytes = 0
    splits = {}
    for split, shard in shards.items():
        n_documents, digest = 0, hashlib.sha256()
        for number, (start, end) in enumerate(_pieces(shard)):
            fitting, packed = _compressed(shard, start, end, max_bytes - n_bytes)
            if packed:
                (out / f"{split}-{number:03}.xz").write_bytes(packed)
                digest.update(_raw(shard, start, fitting))
            n_bytes += len(packed)
            n_documents = fitting
            progress(n_seen + int(shard.offsets[fitting]), n_total)
            if fitting < end:  # the room is used up
                break
        if not n_documents:
            raise ValueError(f"{max_bytes} bytes are too few for the {split} shard")
        n_seen += len(shard.ids)
        splits[split] = {
            "documents": n_documents,
            "tokens": int(shard.offsets[n_documents]),
            "sha256": digest.hexdigest(),
        }
    progress(n_total, n_total)
    shutil.copyfile(work / TOKENIZER_NAME, out / TOKENIZER_NAME)
    text = json.dumps({"splits": splits}, indent=1) + "\n"
    (out / SUMMARY_NAME).write_text(text, encoding="utf-8", newline="\n")
    return n_bytes


def unpack(folder: Path, work: Path) -> None:
    """Write tokenizer and shards into ``work`` as the steps before a run would have.

    Raises:
        ValueError: a file is missing or damaged.
    """
    summary = json.loads((folder / SUMMARY_NAME).read_text(encoding="utf-8"))
    bos = load_tokenizer(folder / TOKENIZER_NAME).token_to_id("<bos>")
    (work / "shards").mkdir(parents=True, exist_ok=True)
    for split, record in summary["splits"].items():
        shard = work / "shards" / f"{split}.bin"
        digest = hashlib.sha256()
        with shard.open("wb") as file:
            for path in sorted(folder.glob(f"{split}-*.xz")):
                try:
                    data = lzma.decompress(path.read_bytes())
                except lzma.LZMAError as err:
                    raise ValueError(f"{path}: damaged ({err}); pack it again") from err
                digest.update(data)
                file.write(data)
        if digest.hexdigest() != record["sha256"]:
            raise ValueError(f"{folder}: the {split} files are not all there; pack them again")
        ids = np.fromfile(shard, dtype=TOKEN_DTYPE)
        # Documents begin with <bos>, and nothing else is one.
        offsets = np.append(np.flatnonzero(ids == bos), len(ids)).astype(np.int64)
        np.save(offsets_path(shard), offsets, allow_pickle=False)
    shutil.copyfile(folder / SUMMARY_NAME, work / "shards" / SUMMARY_NAME)
    shutil.copyfile(folder / TOKENIZER_NAME, work / TOKENIZER_NAME)


def _pieces(shard: TokenShard) -> Iterator[tuple[int, int]]:
    """Yield runs of whole documents (first, end) of at most ``_FILE_TOKENS``."""
    n_documents, start = len(shard.offsets) - 1, 0
    while start < n_documents:
        limit = shard.offsets[start] + _FILE_TOKENS
        end = int(np.searchsorted(shard.offsets, limit, side="right")) - 1
        end = max(end, start + 1)  # a document beyond all measure stays in one piece
        yield start, end
        start = end


def _compressed(shard: TokenShard, start: int, end: int, max_bytes: int) -> tuple[int, bytes]:
    """Compress documents from ``start`` up to ``end`` or as many as fit; give their end, too."""
    while end > start:
        packed = lzma.compress(_raw(shard, start, end), preset=_PRESET)
        if len(packed) <= max_bytes:
            return end, packed
        end = start + min(end - start - 1, int((end - start) * max_bytes / len(packed) * 0.98))
    return start, b""


def _raw(shard: TokenShard, start: int, end: int) -> bytes:
    return shard.ids[shard.offsets[start] : shard.offsets[end]].tobytes()
