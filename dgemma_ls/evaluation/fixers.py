"""Peers that fix typos, where they happen to be installed. Passages in, edits out."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from dgemma_ls.evaluation.fix_scores import LineEdit, Passage
from dgemma_ls.evaluation.passage_documents import as_snapshot, to_line_edit
from dgemma_ls.proofread.fragments import regions_of
from dgemma_ls.proofread.words import Token, tokens_of

Fixer = Callable[[Sequence[Passage]], list[list[LineEdit]]]
"""Gives the edits of each passage."""

_DOUBLED = re.compile(r"\b([A-Za-z]+)(\s+)\1\b")
_ASPELL_ROW = re.compile(r"& (?P<word>\S+) \d+ \d+: (?P<first>[^,]+)")
_CODESPELL_ROW = re.compile(r"(?P<file>.+):(?P<line>\d+): (?P<old>.+) ==> (?P<new>.+)")


def installed_peers() -> dict[str, Fixer]:
    """Give the peers that can run here, by name."""
    peers: dict[str, Fixer] = {}
    if shutil.which("codespell"):
        peers["codespell"] = codespell
    if shutil.which("typos"):
        peers["typos"] = typos
        if shutil.which("codespell"):
            peers["union"] = union
        else:
            peers["typos+doubled"] = typos_and_doubled
    if shutil.which("aspell"):
        peers["aspell"] = aspell
    return peers


def missing_peers() -> list[str]:
    """Give the programs that a comparison would have and that are not on the path."""
    return [name for name in ("codespell", "typos", "aspell") if shutil.which(name) is None]


def typos(passages: Sequence[Passage]) -> list[list[LineEdit]]:
    """Fix what the ``typos`` program would: misspellings with one correction."""
    with tempfile.TemporaryDirectory() as folder:
        files = _write(passages, Path(folder))
        output = _run(["typos", "--isolated", "--no-check-filenames", "--format", "json", folder])
    edits: list[list[LineEdit]] = [[] for _ in passages]
    for row in map(json.loads, output.splitlines()):
        if row["type"] != "typo" or len(row["corrections"]) != 1:
            continue
        number, at = files[Path(row["path"]).name], row["line_num"] - 1
        line = passages[number].lines[at]
        start = len(line.encode()[: row["byte_offset"]].decode())
        edits[number].append(LineEdit(at, start, start + len(row["typo"]), row["corrections"][0]))
    return edits


def codespell(passages: Sequence[Passage]) -> list[list[LineEdit]]:
    """Fix what ``codespell --write-changes`` would."""
    with tempfile.TemporaryDirectory() as folder:
        files = _write(passages, Path(folder))
        output = _run(["codespell", folder])
    edits: list[list[LineEdit]] = [[] for _ in passages]
    for found in filter(None, map(_CODESPELL_ROW.fullmatch, output.splitlines())):
        if "," in found["new"]:
            continue
        number, at = files[Path(found["file"]).name], int(found["line"]) - 1
        for match in re.finditer(rf"\b{re.escape(found['old'])}\b", passages[number].lines[at]):
            edit = LineEdit(at, *match.span(), found["new"])
            if edit not in edits[number]:
                edits[number].append(edit)
    return edits


def aspell(passages: Sequence[Passage]) -> list[list[LineEdit]]:
    """Put aspell's first suggestion for every word that its American dictionary lacks.

    It sees no code: it is asked about the lowercase words of our own regions, and those that begin
    a sentence. Read as files of any kind it would do far worse.
    """
    words = [_plain_words(passage) for passage in passages]
    distinct = sorted({token.text for tokens in words for token in tokens})
    output = _run(
        ["aspell", "-a", "--lang=en_US", "--encoding=utf-8"],
        typed="!\n" + "".join(f"^{word}\n" for word in distinct),  # "!": no line for right words
    )
    suggested = {
        found["word"]: found["first"]
        for found in map(_ASPELL_ROW.match, output.splitlines())
        if found
    }
    return [
        [
            to_line_edit(passage, token.span, suggested[token.text])
            for token in tokens
            if token.text in suggested
        ]
        for passage, tokens in zip(passages, words, strict=True)
    ]


def _plain_words(passage: Passage) -> list[Token]:
    snapshot = as_snapshot(passage)
    if snapshot is None:
        return []
    return [
        token
        for region in regions_of(snapshot)
        for token in tokens_of(snapshot.text, region)
        if token.is_word and (token.text.islower() or token.starts_sentence)
    ]


def doubled(passages: Sequence[Passage]) -> list[list[LineEdit]]:
    """Strike the second of two equal words, wherever they are."""
    return [
        [
            LineEdit(at, match.start(2), match.end(), "")
            for at, line in enumerate(passage.lines)
            for match in _DOUBLED.finditer(line)
        ]
        for passage in passages
    ]


def union(passages: Sequence[Passage]) -> list[list[LineEdit]]:
    """Fix what ``typos``, else codespell, else the pattern for doubled words would."""
    return _first_of(typos(passages), codespell(passages), doubled(passages))


def typos_and_doubled(passages: Sequence[Passage]) -> list[list[LineEdit]]:
    """Fix what ``typos`` would, and doubled words."""
    return _first_of(typos(passages), doubled(passages))


def _first_of(*systems: list[list[LineEdit]]) -> list[list[LineEdit]]:
    merged = []
    for of_passage in zip(*systems, strict=True):
        kept: list[LineEdit] = []
        for edit in (edit for edits in of_passage for edit in edits):
            if not any(
                edit.line == other.line and edit.start < other.end and other.start < edit.end
                for other in kept
            ):
                kept.append(edit)
        merged.append(kept)
    return merged


def _write(passages: Sequence[Passage], folder: Path) -> dict[str, int]:
    files = {}
    for number, passage in enumerate(passages):
        name = f"{number}{Path(passage.path).suffix or '.txt'}"
        text = "\n".join(passage.lines) + "\n"
        (folder / name).write_text(text, encoding="utf-8", newline="")
        files[name] = number
    return files


def _run(command: list[str], *, typed: str = "") -> str:
    run = subprocess.run(  # noqa: S603 - named programs on our own files
        command, input=typed, capture_output=True, encoding="utf-8", check=False
    )
    return run.stdout
