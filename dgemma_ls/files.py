"""Read and write the files of the command line. Knows no positions and no engine.

What is read is kept byte for byte, so that writing changes the span alone: a byte order mark, line
ends, mode and symbolic links survive. A file that someone else changed meanwhile is left alone.
"""

import os
import stat
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 10_000_000


class FileError(Exception):
    """A file cannot be read or written; the message is one sentence with the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A file as it was when it was read.

    Attributes:
        path: as the user gave it.
        data: all its bytes.
        text: the bytes decoded, without byte order mark, line ends as they are.
    """

    path: Path
    data: bytes
    text: str


def read_text(path: str | Path) -> TextFile:
    """Read a UTF-8 text file.

    Raises:
        FileError: if there is no such file, or it is no regular file, too large, binary or not
            UTF-8.
    """
    path = Path(path)
    data = _read_bytes(path)
    if b"\0" in data:
        raise FileError(f"{path} is binary or UTF-16; only UTF-8 text can be filled")
    try:
        text = data.removeprefix(BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as err:
        n_before = err.start + len(data) - len(data.removeprefix(BOM_UTF8))
        raise FileError(
            f"{path} is not UTF-8 (byte {n_before} is 0x{data[n_before]:02x}); convert it first"
        ) from err
    return TextFile(path=path, data=data, text=text)


def write_text(file: TextFile, new_text: str) -> None:
    """Replace the file's text in one step: readers see the old file or the new one.

    Raises:
        FileError: if the file changed since it was read, or cannot be written.
    """
    bom = BOM_UTF8 if file.data.startswith(BOM_UTF8) else b""
    try:
        data = bom + new_text.encode("utf-8")
    except UnicodeEncodeError as err:
        raise FileError(
            f"{file.path} was not written: the new text has no UTF-8 form; try another seed"
        ) from err
    with _os_errors(file.path, "written"):
        _replace(file, Path(os.path.realpath(file.path)), data)


def _read_bytes(path: Path) -> bytes:
    with _os_errors(path, "read"):
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise FileError(f"{path} is a directory; name a file in it")
        if not stat.S_ISREG(status.st_mode):
            raise FileError(f"{path} is no regular file; save its content in one first")
        if status.st_size > MAX_BYTES:
            raise FileError(
                f"{path} has {status.st_size:,} bytes, more than {MAX_BYTES:,}; split it first"
            )
        return path.read_bytes()


def _replace(file: TextFile, target: Path, data: bytes) -> None:
    """Write beside the target and rename: the target itself, so that links stay links."""
    mode = stat.S_IMODE(target.stat().st_mode)
    if not os.access(target, os.W_OK):  # os.replace asks only the folder
        raise FileError(f"{file.path} is write-protected; make it writable first")
    import tempfile  # at first use, as all that starts imports this module

    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as temporary:
            temporary.write(data)
            temporary.flush()
            os.fsync(temporary.fileno())
        Path(name).chmod(mode)
        if target.read_bytes() != file.data:
            raise FileError(f"{file.path} changed meanwhile and was left alone; fill it again")
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where folders can be opened (not on Windows)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _os_errors(path: Path, done: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as err:
        raise FileError(f"{path} does not exist; check the name") from err
    except OSError as err:
        raise FileError(f"{path} cannot be {done}: {err.strerror or err}") from err
    except ValueError as err:  # a name with a NUL
        raise FileError(f"{str(path)!r} is no file name: {err}") from err
