"""The curated list of misspellings that the ``typos`` program brings.

The program is asked for many words at once, one a line, and what it said is remembered: a check
costs about ten milliseconds, and nothing for words that were asked before.
"""

import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_TIMEOUT_S = 20.0
_MAX_REMEMBERED = 200_000


class CuratedList:
    """Known misspellings and their corrections."""

    def __init__(self, program: str | None) -> None:
        """Take the path of ``typos``; without it nothing is known to be misspelt."""
        self._program = program
        self._said: dict[str, tuple[str, ...]] = {}

    def corrections(self, words: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Give the misspelt ones among some words with their corrections, best first."""
        distinct = set(words)
        new = sorted(word for word in distinct - self._said.keys() if "\n" not in word)
        if new and self._program is not None:
            if len(self._said) > _MAX_REMEMBERED:
                self._said.clear()
                new = sorted(distinct)
            said = _ask(self._program, new)
            self._said.update((word, said.get(word, ())) for word in new)
        return {word: self._said[word] for word in distinct if self._said.get(word)}


@cache
def load_curated() -> CuratedList:
    """Find the program beside this Python, or on the path."""
    scripts = Path(sysconfig.get_path("scripts"))
    beside = shutil.which("typos", path=str(scripts))
    return CuratedList(beside or shutil.which("typos"))


def _ask(program: str, words: list[str]) -> dict[str, tuple[str, ...]]:
    try:
        run = subprocess.run(  # noqa: S603 - our own dependency, and no shell
            [program, "--isolated", "--format", "json", "-"],
            input="\n".join(words),
            capture_output=True,
            encoding="utf-8",
            timeout=_TIMEOUT_S,
            check=False,
            cwd=os.path.sep,  # no configuration of a project may have a say
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found = {}
    for line in run.stdout.splitlines():
        row = json.loads(line)
        if row.get("type") == "typo":
            line_number = row["line_num"]
            word = words[line_number - 1]
            if row["typo"] == word:  # not a part of it
                found[word] = tuple(row["corrections"])
    return found
