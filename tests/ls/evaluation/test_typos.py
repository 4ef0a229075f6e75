"""Where corrections and typos part, and which of them a reader prefers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dgemma_ls.evaluation.typos import Pair, prefers_correction, read_pairs, sum_up
from dgemma_ls.files import FileError
from tests.ls.evaluation.fakes import WordTokenizer

ROW = {
    "repo": "a/b",
    "kind": "nonword",
    "before_line": "    a smal thing here",
    "after_line": "    a small thing here",
    "context_before": ["first", ""],
    "context_after": ["last"],
}


def read(tmp_path: Path, *rows: dict[str, Any]) -> list[Pair]:
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_pairs(path)


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("a smal thing", "a small thing", ("a", " smal", " small", " thing")),
        ("a a thing", "a thing", ("", None, None, None)),
        ("no eta here", "no an eta here", ("no", "", " an", " eta here")),
        ("does'n go", "doesn't go", ("", "does'n", "doesn't", " go")),
        ("the wrod, then", "the word, then", ("the", " wrod,", " word,", " then")),
        ("at the edn", "at the end", ("at the", " edn", " end", "")),
        ("at the", "at the end", ("at", " the", " the end", "")),
    ],
)
def test_whole_words_with_their_blanks_change(
    tmp_path: Path, old: str, new: str, parts: tuple[str, str | None, str | None, str | None]
) -> None:
    (pair,) = read(tmp_path, ROW | {"before_line": old, "after_line": new})
    assert pair.before + pair.typed + pair.after == f"first\n\n{old}\nlast\n"
    assert pair.before + pair.corrected + pair.after == f"first\n\n{new}\nlast\n"
    before, typed, corrected, after = parts
    if typed is None:  # either of two equal words may be the one too many
        assert (pair.typed.split(), pair.corrected) == (["a"], "")
    elif before == "":  # the line break before the word belongs to it
        words = (pair.typed.strip(), pair.corrected.strip())
        assert (pair.before, words) == ("first", (typed, corrected))
    else:
        assert (pair.before, pair.typed, pair.corrected) == (f"first\n\n{before}", typed, corrected)
        assert pair.after == f"{after}\nlast\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"after_line": ROW["before_line"]}, "are the same"),
        ({"repo": None}, '"repo" must be a string'),
        ({"context_after": "text"}, "must be a list of strings"),
        ({"context_before": [1]}, "must be a list of strings"),
    ],
)
def test_rows_that_lack_something_are_named(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(FileError, match=f"pairs.jsonl:2: .*{said}"):
        read(tmp_path, ROW, ROW | change)


def test_the_likelier_line_is_preferred_whatever_comes_after_it(tmp_path: Path) -> None:
    (pair,) = read(tmp_path, ROW)
    tokenizer = WordTokenizer(" small smal thing here first last")
    likely = tokenizer.encode(" small")
    seen: list[tuple[Sequence[int], Sequence[Sequence[int]]]] = []

    def reader(before: Sequence[int], branches: Sequence[Sequence[int]]) -> list[np.ndarray]:
        seen.append((before, branches))
        rows = np.full((50, len(tokenizer.token_bytes)), -5.0)
        rows[0, likely] = -1.0
        return [rows[: len(branch)] for branch in branches]

    assert prefers_correction(pair, tokenizer, reader, context=3, bos_id=1)
    before, (typed, corrected) = seen[0]
    assert len(before) == 3
    assert tokenizer.decode_bytes(typed).startswith(b" smal thing here")
    assert tokenizer.decode_bytes(corrected).startswith(b" small thing here")

    likely = tokenizer.encode(" smal")
    assert not prefers_correction(pair, tokenizer, reader, context=3, bos_id=1)


def test_the_first_word_of_a_text_follows_its_beginning(tmp_path: Path) -> None:
    row = ROW | {"context_before": [], "before_line": "Teh end", "after_line": "The end"}
    (pair,) = read(tmp_path, row)

    def reader(before: Sequence[int], branches: Sequence[Sequence[int]]) -> list[np.ndarray]:
        assert list(before) == [1]
        return [np.zeros((len(branch), 300)) for branch in branches]

    assert not prefers_correction(pair, WordTokenizer(), reader, context=9, bos_id=1)


def test_figures_are_over_all_and_by_kind(tmp_path: Path) -> None:
    origins = (("b", "x"), ("a", "y"), ("a", "x"))
    rows = [ROW | {"kind": kind, "repo": repo} for kind, repo in origins]
    figures = sum_up(read(tmp_path, *rows), [True, False, True], seed=0)

    assert [(f.group, f.n_cases, f.n_clusters) for f in figures] == [
        ("all", 3, 2),
        ("a", 2, 2),
        ("b", 1, 1),
    ]
    assert [f.interval.mean for f in figures] == [pytest.approx(2 / 3), 0.5, 1.0]
