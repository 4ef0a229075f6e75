"""Words that are right, whatever lists say: of the user, of a workspace, of one file.

The user's stand in ``words.txt`` in the configuration folder, a workspace's in ``.dgemma-words`` in
its folder, one a line, ``#`` before comments. A file's own stand in a comment of it:
``dgemma: words foo bar``.
"""

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from dgemma_engine.types import Span
from dgemma_ls.context.comments import line_comment
from dgemma_ls.files import FileError, read_text, write_text
from dgemma_ls.types import Edit, Snapshot

WORKSPACE_NAME = ".dgemma-words"
_MAX_BYTES = 1_000_000
_MAX_LETTERS = 60
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_DIRECTIVE = re.compile(r"\bdgemma:[ \t]*words\b[ \t]*([^\r\n]*)")
_BLOCKS = {"markdown": ("<!-- ", " -->"), "html": ("<!-- ", " -->"), "xml": ("<!-- ", " -->")}
_LINE_END = re.compile(r"\r\n|\r|\n")


def user_file() -> Path:
    """Say where the user's words stand."""
    from platformdirs import user_config_path  # at first use: the server starts without it

    return user_config_path("dgemma-ls", appauthor=False) / "words.txt"


def is_word(text: str) -> bool:
    """Say whether something can be put into a dictionary."""
    return len(text) <= _MAX_LETTERS and _WORD.fullmatch(text) is not None


class WordFile:
    """A file of words, read again when it has changed.

    Args:
        path: absolute; a link counts as no file, as it may lead anywhere.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._words: frozenset[str] = frozenset()

    def words(self) -> frozenset[str]:
        """Give its words; none where it cannot be read."""
        try:
            status = self._path.lstat()
        except (OSError, ValueError):
            self._seen, self._words = None, frozenset()
            return self._words
        seen = status.st_mtime_ns, status.st_size, status.st_ino
        if seen != self._seen:
            self._seen, self._words = seen, frozenset()
            if stat.S_ISREG(status.st_mode) and status.st_size <= _MAX_BYTES:
                try:
                    lines = self._path.read_bytes().decode("utf-8-sig").splitlines()
                except (OSError, UnicodeDecodeError):
                    lines = []
                stripped = (line.partition("#")[0].strip() for line in lines)
                self._words = frozenset(word for word in stripped if word)
        return self._words

    def add(self, word: str) -> None:
        """Add a word at the end.

        Raises:
            FileError: if the file cannot be written, or is a link.
            ValueError: if that is no word.
        """
        if not is_word(word):
            raise ValueError(f"{word!r:.40} is no word")
        if word in self.words():
            return
        if self._path.is_symlink():
            raise FileError(f"{self._path} is a link; words are added to plain files only")
        if not self._path.exists():
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                # Not through a link, and not what another process has just made.
                flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
                os.close(os.open(self._path, flags, 0o644))
            except FileExistsError:
                pass
            except OSError as err:
                raise FileError(f"{self._path} cannot be made: {err.strerror or err}") from err
        file = read_text(self._path)
        end = "" if not file.text or file.text.endswith(("\n", "\r")) else _line_end(file.text)
        write_text(file, f"{file.text}{end}{word}{_line_end(file.text)}")


def workspace_file(path: Path, *, root: Path | None = None) -> Path:
    """Say where the words of the workspace stand that a file outside of an editor belongs to.

    That is the nearest one in the folders around the file, up to that of its repository; outside
    of any repository, up to ``root``.

    Args:
        path: of the file.
        root: where the command was started; default: the current folder.
    """
    folders = list(Path(os.path.abspath(path)).parents)  # links are not followed
    top = next((at for at, folder in enumerate(folders) if (folder / ".git").exists()), None)
    if top is None:
        start = Path(os.path.abspath(root or Path.cwd()))
        top = folders.index(start) if start in folders else 0
    candidates = [folder / WORKSPACE_NAME for folder in folders[: top + 1]]
    return next((file for file in candidates if file.exists()), candidates[-1])


def words_right_in(snapshot: Snapshot, files: Iterable[WordFile]) -> frozenset[str]:
    """Give the words that are right in a document: its own, and those of dictionaries.

    Args:
        snapshot: the document.
        files: of the user, and of the workspace that it lies in.
    """
    return words_of(snapshot).union(*(file.words() for file in files))


def words_of(snapshot: Snapshot) -> frozenset[str]:
    """Give the words that a document's own comments name."""
    return frozenset(
        word
        for directive in _DIRECTIVE.finditer(snapshot.text)
        for word in _WORD.findall(directive[1])
    )


def has_directive(language_id: str) -> bool:
    """Say whether a document of a language can name words in a comment."""
    return language_id in _BLOCKS or line_comment(language_id) is not None


def directive_edit(snapshot: Snapshot, word: str) -> Edit | None:
    """Give the edit that adds a word to a document's own; ``None`` where it has no comments.

    It is to pass the gate like any other.
    """
    text = snapshot.text
    if found := _DIRECTIVE.search(text):
        words = list(_WORD.finditer(text, found.start(1), found.end(1)))
        at = words[-1].end() if words else found.start(1)
        new = f" {word}"
        return _insertion(snapshot, at, new if words or text[at - 1 : at] not in " \t" else word)
    marker = line_comment(snapshot.language_id)
    before, after = _BLOCKS.get(snapshot.language_id, (f"{marker} ", ""))
    if marker is None and snapshot.language_id not in _BLOCKS:
        return None
    end = _line_end(text)
    gap = "" if not text or text.endswith(("\n", "\r")) else end
    if after and text:  # in Markdown a blank line ends what stands before
        gap += end
    line = f"{gap}{before}dgemma: words {word}{after}{end}"
    return _insertion(snapshot, len(text), line)


def _insertion(snapshot: Snapshot, at: int, text: str) -> Edit:
    return Edit(
        uri=snapshot.uri, version=snapshot.version, span=Span(start=at, end=at), new_text=text
    )


def _line_end(text: str) -> str:
    found = _LINE_END.search(text)
    return "\n" if found is None else found[0]
