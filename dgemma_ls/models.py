"""Model folders on this machine: where they are, and whether their files are what they were.

A manifest is a file ``SHA256SUMS`` in the folder, in the format of ``sha256sum``. No network here.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from dgemma_ls.files import FileError
from dgemma_ls.hashes import file_hash
from dgemma_ls.loading import EMBEDDED

MANIFEST_NAME = "SHA256SUMS"

_CONFIG_NAME = "config.json"
# What an engine reads. A card or a log beside it may change without a word.
_PATTERNS = (
    "*.safetensors",
    "*.safetensors.index.json",
    "*config.json",
    "dgemma_infill.json",
    "tokenizer.json",
)
_LINE = re.compile(r"([0-9a-f]{64}) [ *]([^/\\\0]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """One file of a model compared with the manifest.

    Attributes:
        name: in its folder.
        sha256: of what is there; ``None`` if it is missing.
        expected: what the manifest says; ``None`` if it does not name it.
    """

    name: str
    sha256: str | None
    expected: str | None

    @property
    def is_good(self) -> bool:
        """Whether it is what the manifest says."""
        return self.sha256 is not None and self.sha256 == self.expected


def models_folder() -> Path:
    """Where ``dgemma-ls models get`` puts models."""
    from platformdirs import user_data_path  # at first use: the server starts without it

    return user_data_path("dgemma-ls", appauthor=False) / "models"


def model_folder(model: str) -> Path:
    """Give the folder that a setting or argument means.

    Args:
        model: ``embedded``, a folder, or the name of one that ``models get`` fetched.

    Raises:
        FileError: if there is no such folder.
    """
    if model == EMBEDDED:
        from importlib.resources import files  # likewise at first use

        return Path(str(files("dgemma_engine") / "embedded"))
    given = Path(model).expanduser()
    for folder in (given, models_folder() / model):
        if folder.is_dir():
            return folder
    raise FileError(f"{model} is no model folder; dgemma-ls models list shows those there are")


def find_models() -> list[tuple[str, Path]]:
    """List the models that are there: name and folder, the embedded one first."""
    root = models_folder()
    found = sorted(path.parent for path in root.glob(f"*/*/{_CONFIG_NAME}"))
    found += sorted(path.parent for path in root.glob(f"*/{_CONFIG_NAME}"))
    return [
        (EMBEDDED, model_folder(EMBEDDED)),
        *((folder.relative_to(root).as_posix(), folder) for folder in found),
    ]


def model_files(folder: Path) -> list[Path]:
    """List the files that an engine reads, by name."""
    return sorted({path for pattern in _PATTERNS for path in folder.glob(pattern)})


def compare(folder: Path) -> list[FileState]:
    """Hash a model's files and compare them with its manifest, if it has one.

    Raises:
        FileError: if a file cannot be read or the manifest is none.
    """
    expected = read_manifest(folder)
    there = {path.name: path for path in model_files(folder)}
    there |= {name: folder / name for name in expected if (folder / name).is_file()}
    return [
        FileState(
            name=name,
            sha256=file_hash(there[name]) if name in there else None,
            expected=expected.get(name),
        )
        for name in sorted(there.keys() | expected.keys())
    ]


def read_manifest(folder: Path) -> dict[str, str]:
    """Read the manifest: SHA-256 by file name; empty if there is none.

    Raises:
        FileError: if a line of it cannot be understood.
    """
    path = folder / MANIFEST_NAME
    if not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise FileError(f"cannot read {path}; make it anew with models verify --write") from err
    hashes: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = _LINE.fullmatch(line)
        # A manifest comes from elsewhere: it may name files of its own folder only.
        if match is None or match[2] in ("..", "."):
            raise FileError(f"{path}, line {number}: not 'SHA256 NAME', as sha256sum writes it")
        hashes[match[2]] = match[1]
    return hashes


def write_manifest(folder: Path) -> Path:
    """Write the manifest of a model as it is now.

    Raises:
        FileError: if it cannot be written.
    """
    path = folder / MANIFEST_NAME
    lines = [f"{file_hash(file)}  {file.name}\n" for file in model_files(folder)]
    try:
        path.write_text("".join(lines), encoding="utf-8", newline="\n")
    except OSError as err:
        raise FileError(f"cannot write {path}: {err.strerror}") from err
    return path
