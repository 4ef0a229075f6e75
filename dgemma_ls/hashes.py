"""Hashes of files and of models: which weights are these?"""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from dgemma_ls.files import FileError

_WEIGHTS = "*.safetensors"
_BLOCK_BYTES = 2**20


def model_hash(folder: Path) -> str:
    """Hash the weights of a model folder: SHA-256 over the hashes of its safetensors files.

    Raises:
        FileError: if one cannot be read, or there is none.
    """
    paths = sorted(folder.glob(_WEIGHTS))
    if not paths:
        raise FileError(f"{folder} holds no safetensors file; point to a model folder")
    together = hashlib.sha256()
    for path in paths:
        together.update(f"{file_hash(path)}  {path.name}\n".encode())
    return together.hexdigest()


def file_hash(path: Path) -> str:
    """Hash a file: SHA-256, in hexadecimal; of a file that did not change, once per process.

    Raises:
        FileError: if it cannot be read.
    """
    try:
        state = path.stat()
        return _file_hash(path, state.st_size, state.st_mtime_ns)
    except OSError as err:
        raise FileError(f"cannot read {path}: {err.strerror}") from err


@lru_cache(maxsize=256)
def _file_hash(path: Path, n_bytes: int, changed_ns: int) -> str:
    digest = hashlib.sha256()
    for block in _blocks(path):
        digest.update(block)
    return digest.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK_BYTES):
            yield block
