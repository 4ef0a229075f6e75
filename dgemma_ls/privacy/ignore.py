"""What ``.gitignore``, ``.ignore`` and ``.dgemmaignore`` say, as git would have it.

Files nearer to a path win over files further up, later lines over earlier ones, and nothing inside
an ignored folder can be taken back. Of the three kinds the later one in :data:`IGNORE_NAMES` wins,
wherever it lies, as in ripgrep. Only files inside the workspace folder count: no global ignore
file, no ``.git/info/exclude``, nothing above the folder.

An ignore file that cannot be used fails closed: everything beneath its folder counts as ignored.
"""

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dgemma_ls.privacy.reasons import Reason, ReasonKind

if TYPE_CHECKING:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

OWN_IGNORE_NAME = ".dgemmaignore"
IGNORE_NAMES = (".gitignore", ".ignore", OWN_IGNORE_NAME)

_MAX_BYTES = 1_000_000
_FOLDER_SLASH = re.compile(r"/ *\Z")
_MAX_CACHED = 4_096  # ignore files; past it the cache starts anew


@dataclass(frozen=True, slots=True)
class _Broken:
    """An ignore file that cannot be used, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """One line of an ignore file; a trailing slash is taken off its pattern."""

    pattern: "GitIgnoreSpecPattern"
    folders_only: bool


_Rules = tuple[_Rule, ...] | _Broken
_Stamp = tuple[int, int, int]


class IgnoreFiles:
    """Remembers parsed ignore files until they change on disk.

    May be shared between threads: at worst a file is parsed twice.
    """

    def __init__(self) -> None:
        self._cache: dict[Path, tuple[_Stamp, _Rules]] = {}

    def why_ignored(
        self, path: Path, folder: Path, *, names: Sequence[str] = IGNORE_NAMES
    ) -> Reason | None:
        """Say which ignore file excludes a file, or ``None``.

        Args:
            path: a file inside ``folder``, with links followed.
            folder: the workspace folder, with links followed.
            names: which ignore files count; a later one wins.
        """
        parts = path.relative_to(folder).parts
        levels: list[dict[str, tuple[_Rule, ...]]] = []  # by folder, the outermost first
        directory = folder
        for depth, part in enumerate(parts):
            level: dict[str, tuple[_Rule, ...]] = {}
            for name in names:
                rules = self._rules(directory / name, folder)
                if isinstance(rules, _Broken):
                    return Reason(
                        kind=ReasonKind.BROKEN_IGNORE_FILE,
                        sentence=f"{directory / name} {rules.why}, so everything in its folder"
                        " counts as ignored; repair or remove it.",
                    )
                if rules is not None:
                    level[name] = rules
            levels.append(level)
            targets = ["/".join(parts[above : depth + 1]) for above in range(depth + 1)]
            is_folder = depth < len(parts) - 1
            if (above_and_name := _excluding(levels, targets, is_folder, names)) is not None:
                above, name = above_and_name
                return Reason(
                    kind=ReasonKind.IGNORED,
                    sentence=f"{path} is excluded by {folder.joinpath(*parts[:above], name)}.",
                )
            directory /= part
        return None

    def _rules(self, file: Path, folder: Path) -> _Rules | None:
        """Give the rules of an ignore file, ``None`` where there is no such file."""
        try:
            status = file.stat()
        except (FileNotFoundError, NotADirectoryError):
            # A link that leads nowhere was meant to exclude something.
            return _Broken("is a link that leads nowhere") if file.is_symlink() else None
        except OSError as err:
            return _Broken(f"cannot be read ({err.strerror})")
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        cached = self._cache.get(file)
        if cached is not None and cached[0] == stamp:
            return cached[1]
        rules = _parsed(file, status, folder)
        if not isinstance(rules, _Broken):  # what is broken may be repaired by chmod alone
            if len(self._cache) >= _MAX_CACHED:
                self._cache.clear()
            self._cache[file] = (stamp, rules)
        return rules


def _excluding(
    levels: Sequence[dict[str, tuple[_Rule, ...]]],
    targets: Sequence[str],
    is_folder: bool,
    names: Sequence[str],
) -> tuple[int, str] | None:
    """Find the level and the kind of ignore file that excludes a path.

    Args:
        levels: the rules of each folder above it, the outermost first.
        targets: the path relative to each of these folders.
        is_folder: whether the path is a folder.
        names: kinds of ignore files, the strongest last.
    """
    for name in reversed(names):
        for above in range(len(levels) - 1, -1, -1):
            verdict = _verdict(levels[above].get(name, ()), targets[above], is_folder)
            if verdict is not None:
                return (above, name) if verdict else None
    return None


def _verdict(rules: Sequence[_Rule], target: str, is_folder: bool) -> bool | None:
    """Say whether a path itself is ignored (True), taken back (False), or not mentioned."""
    for rule in reversed(rules):
        if rule.pattern.include is None or (rule.folders_only and not is_folder):
            continue
        match = rule.pattern.match_file(target)
        # pathspec also matches what lies in a matching folder, and marks that by this group. Each
        # folder on the way has been asked about already, so that would be a second answer.
        if match is not None and match.match.groupdict().get("ps_d") is None:
            return rule.pattern.include
    return None


def _parsed(file: Path, status: os.stat_result, folder: Path) -> _Rules:
    if not stat.S_ISREG(status.st_mode):
        return _Broken("is no regular file")
    if status.st_size > _MAX_BYTES:
        return _Broken(f"has more than {_MAX_BYTES:,} bytes")
    if not Path(os.path.realpath(file)).is_relative_to(folder):
        return _Broken("is a link that leads out of the workspace")
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
        return tuple(_rule(line.rstrip("\r")) for line in lines)
    except OSError as err:
        return _Broken(f"cannot be read ({err.strerror})")
    except UnicodeDecodeError:
        return _Broken("is not UTF-8")
    except (ValueError, re.error) as err:  # pathspec's own error, or its regex's: [z-a]
        return _Broken(f"has a pattern that is none ({err})")


def _rule(line: str) -> _Rule:
    # At the first ignore file: the server starts without it.
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    pattern, n_slashes = _FOLDER_SLASH.subn("", line)
    return _Rule(GitIgnoreSpecPattern(pattern), folders_only=n_slashes > 0)
