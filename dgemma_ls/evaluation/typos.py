"""Corrected words against the typos they replaced: which does the encoder find more likely?

The place of the typo is given, so this says nothing of finding it; it is the least that a model
must know to correct anything.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dgemma_ls.evaluation.cases import CaseTokenizer
from dgemma_ls.evaluation.metrics import n_common
from dgemma_ls.evaluation.reading import Reader, sum_of
from dgemma_ls.evaluation.rows import Row, read_rows
from dgemma_ls.evaluation.summary import ALL, Figure, Metric, mean_figure
from dgemma_ls.files import FileError

METRICS = {"preferred": Metric(title="correction preferred")}

_AFTER_TOKENS = 8
_CHARS_PER_TOKEN = 6  # generous: more text than the context can hold
_LAST_WORD = re.compile(r"\s*\S*\Z")  # with the blanks before it, which belong to its token
_REST_OF_WORD = re.compile(r"\S*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One correction.

    Attributes:
        repository: where it comes from; pairs of one repository depend on each other.
        kind: of typo.
        before: text up to the changed word.
        typed: the word as it was, with the blanks before it; perhaps several words, or none.
        corrected: the word as it is now.
        after: the text after it.
    """

    repository: str
    kind: str
    before: str
    typed: str
    corrected: str
    after: str


def read_pairs(path: Path) -> list[Pair]:
    """Read rows with a line before and after its correction and the lines around it.

    Raises:
        FileError: the file is missing or damaged, or a row lacks something or changes nothing.
    """
    return [_pair(row) for row in read_rows(path)]


def prefers_correction(
    pair: Pair, tokenizer: CaseTokenizer, read: Reader, *, context: int, bos_id: int
) -> bool:
    """Say whether the correction and what follows is likelier than the typo and the same.

    Args:
        pair: what to compare.
        tokenizer: of the model.
        read: the model.
        context: tokens to read before the word at most.
        bos_id: what to read where nothing is before the word.
    """
    before = tokenizer.encode(pair.before[-context * _CHARS_PER_TOKEN :])[-context:] or [bos_id]
    after = tokenizer.encode(pair.after[: _AFTER_TOKENS * _CHARS_PER_TOKEN * 4])[:_AFTER_TOKENS]
    branches = [[*tokenizer.encode(word), *after] for word in (pair.typed, pair.corrected)]
    typed, corrected = (
        sum_of(log_probs, branch)
        for log_probs, branch in zip(read(before, branches), branches, strict=True)
    )
    return corrected > typed


def sum_up(pairs: Sequence[Pair], preferred: Sequence[bool], *, seed: int) -> list[Figure]:
    """Give the figures over all and by kind, the most frequent first."""
    kinds = [pair.kind for pair in pairs]
    figures: list[Figure] = []
    for group in (ALL, *sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))):
        chosen = [idx for idx, kind in enumerate(kinds) if group in (kind, ALL)]
        values = [float(preferred[idx]) for idx in chosen]
        repositories = [pairs[idx].repository for idx in chosen]
        figures += mean_figure(group, "preferred", values, repositories, seed=seed)
    return figures


def _pair(row: Row) -> Pair:
    old, new = row.text("before_line"), row.text("after_line")
    if old == new:
        raise FileError(f'{row.path}:{row.number}: "before_line" and "after_line" are the same')
    above = "".join(line + "\n" for line in row.texts("context_before"))
    below = "".join("\n" + line for line in (*row.texts("context_after"), ""))
    # Whole texts, not lines: the first word of a line has the line break before it in its token.
    typed, corrected = above + old + below, above + new + below
    start = n_common(typed, corrected)
    start -= len(_match(_LAST_WORD, typed[:start]))
    n_after = n_common(typed[start:][::-1], corrected[start:][::-1])
    tail = typed[len(typed) - n_after :]
    n_after -= len(_match(_REST_OF_WORD, tail))
    return Pair(
        repository=row.text("repo"),
        kind=row.text("kind"),
        before=typed[:start],
        typed=typed[start : len(typed) - n_after],
        corrected=corrected[start : len(corrected) - n_after],
        after=typed[len(typed) - n_after :],
    )


def _match(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return "" if found is None else found[0]
