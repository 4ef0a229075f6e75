"""How good fixes are: the rules of ``score.py`` beside the development set, on edits of our form.

A fix is right if it turns the line into exactly the author's, runs of blanks apart. Whatever else
is changed counts against precision; on clean passages every edit is false.
"""

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dgemma_ls.evaluation.rows import Row, read_rows

_TOKEN = re.compile(r"\w+(?:['’]\w+)?|\s+|[^\w\s]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
NON_ENGLISH = "nonenglish"


@dataclass(frozen=True, slots=True)
class LineEdit:
    """Replace columns ``[start, end)`` of a line, code points, by ``text``."""

    line: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Lines with one known error, or believed clean.

    Attributes:
        name: its id.
        path: of the file that it was cut from; tells the language.
        group: kind of error, or of clean text.
        repository: where it is from.
        lines: the text.
        target: index of the wrong line, ``None`` where all is right.
        right_line: what that line should be.
        right_word: the author's word.
        residual: other errors known, as (line, old, new): mending them is neither good nor bad.
    """

    name: str
    path: str
    group: str
    repository: str
    lines: tuple[str, ...]
    target: int | None
    right_line: str
    right_word: str
    residual: tuple[tuple[int, str, str], ...]

    @property
    def n_words(self) -> int:
        """How many words it has."""
        return sum(len(_WORD.findall(line)) for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a system did with one passage.

    Attributes:
        right: whether the known error was mended as its author did.
        detected: whether its place was touched at all.
        wrong: edits of its line that do not give the author's.
        elsewhere: edits of other lines; of clean passages, all.
        n_bytes: changed outside the known word.
    """

    right: bool
    detected: bool
    wrong: int
    elsewhere: int
    n_bytes: int


def read_passages(folder: Path) -> list[Passage]:
    """Read ``pairs.jsonl`` and ``clean.jsonl`` of a folder.

    Raises:
        FileError: a file is missing or damaged.
    """
    pairs = [_pair(row) for row in read_rows(folder / "pairs.jsonl")]
    return pairs + [_clean(row) for row in read_rows(folder / "clean.jsonl")]


def judge_edits(passage: Passage, edits: Sequence[LineEdit]) -> Outcome:
    """Compare a system's edits of a passage with its author's."""
    by_line: dict[int, list[LineEdit]] = {}
    for edit in edits:
        line = passage.lines[edit.line]
        by_line.setdefault(edit.line, []).extend(_by_token(line, edit))
    elsewhere, n_bytes = 0, 0
    for number, of_line in by_line.items():
        if number != passage.target:
            counted = _without_residual(passage, number, of_line)
            elsewhere += len(counted)
            n_bytes += _n_bytes(passage.lines[number], counted)
    if passage.target is None:
        return Outcome(right=False, detected=False, wrong=0, elsewhere=elsewhere, n_bytes=n_bytes)
    line = passage.lines[passage.target]
    start, end = _changed(line, passage.right_line)
    if passage.group in ("doubled", "missing"):  # either copy, either side of the gap
        margin = len(passage.right_word) + 2
        start, end = start - margin, end + margin
    on_line = by_line.get(passage.target, [])
    mine = [edit for edit in on_line if edit.start <= end and edit.end >= start]
    rest = [edit for edit in on_line if edit not in mine]
    right = bool(mine) and _normal(_applied(line, mine)) == _normal(passage.right_line)
    wrong = len(rest) + (bool(mine) and not right)
    bad = rest if right else on_line
    return Outcome(
        right=right,
        detected=bool(mine),
        wrong=wrong,
        elsewhere=elsewhere,
        n_bytes=n_bytes + _n_bytes(line, bad),
    )


def total(outcomes: Sequence[Outcome]) -> Mapping[str, float]:
    """Give precision by line and by passage, recall, detection and F0.5 of pairs."""
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        counts["right"] += outcome.right
        counts["detected"] += outcome.detected
        counts["wrong"] += outcome.wrong
        counts["elsewhere"] += outcome.elsewhere
    n, right = max(1, len(outcomes)), counts["right"]
    by_line = right / (right + counts["wrong"]) if right + counts["wrong"] else 1.0
    n_edits = right + counts["wrong"] + counts["elsewhere"]
    recall = right / n
    return {
        "precision": by_line,
        "precision_passage": right / n_edits if n_edits else 1.0,
        "recall": recall,
        "detected": counts["detected"] / n,
        "f05": f_beta(by_line, recall),
        "right": right,
        "wrong": counts["wrong"],
        "elsewhere": counts["elsewhere"],
        "n": len(outcomes),
    }


def f_beta(precision: float, recall: float, beta: float = 0.5) -> float:
    """Give the weighted harmonic mean; below 1, ``beta`` favours precision."""
    if not precision + recall:
        return 0.0
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


def _pair(row: Row) -> Passage:
    before, after = row.texts("context_before"), row.texts("context_after")
    return Passage(
        name=row.text("id"),
        path=row.text("path"),
        group=row.text("kind"),
        repository=row.text("repo"),
        lines=(*before, row.text("before_line"), *after),
        target=len(before),
        right_line=row.text("after_line"),
        right_word=row.text("after_word"),
        residual=_residual(row),
    )


def _clean(row: Row) -> Passage:
    return Passage(
        name=row.text("id"),
        path=row.text("path"),
        group=row.text("tag"),
        repository=row.text("repo"),
        lines=row.texts("lines"),
        target=None,
        right_line="",
        right_word="",
        residual=_residual(row),
    )


def _residual(row: Row) -> tuple[tuple[int, str, str], ...]:
    return tuple(
        (int(known["line"]), str(known["old"]), str(known["new"]))
        for known in row.values.get("known_residual", [])
    )


def _without_residual(passage: Passage, number: int, edits: Sequence[LineEdit]) -> list[LineEdit]:
    known = [(old, new) for line, old, new in passage.residual if line == number]
    text = passage.lines[number]
    return [
        edit
        for edit in edits
        if not any(text[edit.start : edit.end] == old or edit.text == new for old, new in known)
    ]


def _changed(old: str, new: str) -> tuple[int, int]:
    """Give the columns from the first to the last token that differs."""
    changed = _differences(old, new)
    return min(start for start, _, _ in changed), max(end for _, end, _ in changed)


def _by_token(line: str, edit: LineEdit) -> list[LineEdit]:
    """Split an edit so that the replacement of many words is judged by those that change."""
    new = line[: edit.start] + edit.text + line[edit.end :]
    return [LineEdit(edit.line, *change) for change in _differences(line, new)]


def _differences(old: str, new: str) -> list[tuple[int, int, str]]:
    a, b = _TOKEN.findall(old), _TOKEN.findall(new)
    starts = [0]
    for token in a:
        starts.append(starts[-1] + len(token))
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    return [
        (starts[code[1]], starts[code[2]], "".join(b[code[3] : code[4]]))
        for code in matcher.get_opcodes()
        if code[0] != "equal"
    ]


def _applied(line: str, edits: Sequence[LineEdit]) -> str:
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end, edit.text), reverse=True):
        line = line[: edit.start] + edit.text + line[edit.end :]
    return line


def _normal(line: str) -> str:
    return " ".join(line.split())


def _n_bytes(line: str, edits: Sequence[LineEdit]) -> int:
    return sum(
        max(len(line[edit.start : edit.end].encode()), len(edit.text.encode())) for edit in edits
    )
