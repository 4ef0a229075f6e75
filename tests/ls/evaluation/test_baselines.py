"""The model-free ways to fill, by example and against brute force."""

import hashlib
import json
import random
from pathlib import Path

import numpy as np
import pytest

from dgemma_ls.evaluation.baselines import (
    beam_search,
    best_match,
    count_shards,
    make_baselines,
)
from dgemma_ls.evaluation.cases import Case
from dgemma_ls.evaluation.ngrams import NgramCounts, WittenBell
from dgemma_ls.files import FileError
from tests.ls.evaluation.fakes import WordTokenizer, case

NOTHING = np.zeros(300, dtype=bool)


def fill(name: str, asked: Case) -> str:
    systems = make_baselines(WordTokenizer(asked.document.text), shard_counts=None)
    return next(system for system in systems if system.name == name).fill(asked).text


REPEATED = "    if item is None:\n        raise ValueError(name)\n    seen.add(item)\n"


@pytest.mark.parametrize("name", ["copy", "ppm"])
def test_what_stands_in_the_file_between_the_same_neighbours_is_found(name: str) -> None:
    asked = case(
        "import os\n" + REPEATED + "x = 1\n" + REPEATED.replace(" ValueError", "├ ValueError┤")
    )
    assert fill(name, asked) == " ValueError"


def test_the_document_mixture_goes_on_with_a_sequence_that_repeats() -> None:
    asked = case("red green blue black\n" * 6 + "red├ green blue black┤\nred green")
    assert fill("ppm", asked) == " green blue black"


def test_a_span_in_one_line_is_filled_with_one_line() -> None:
    asked = case("(\n)\n(\n)\n(├x┤)\n")  # the best match of ( and what follows is a line break
    assert "\n" not in fill("copy", asked)
    assert "\n" not in fill("ppm", asked)


def test_without_shards_there_is_no_5_gram() -> None:
    tokenizer = WordTokenizer("a b")
    counts = NgramCounts([np.array([1, 2, 1, 2])], n_context=4, vocab_size=300)

    without = make_baselines(tokenizer, shard_counts=None)
    with_shards = make_baselines(tokenizer, shard_counts=lambda: counts)

    assert [system.name for system in without] == ["copy", "ppm"]
    assert [system.name for system in with_shards] == ["copy", "ppm", "5-gram", "ppm+5-gram"]
    assert all(system.is_baseline for system in with_shards)


def test_the_best_match_is_that_of_a_search_by_hand() -> None:
    rng = random.Random(1)
    for _ in range(200):
        before = [rng.randrange(3) for _ in range(rng.randrange(1, 40))]
        after = [rng.randrange(3) for _ in range(rng.randrange(12))]
        n_tokens = rng.randrange(1, 6)
        forbidden = NOTHING.copy()
        forbidden[2] = rng.random() < 0.3
        assert best_match(np.array(before), np.array(after), n_tokens, forbidden) == by_hand(
            before, after, n_tokens, forbidden
        )


def by_hand(
    before: list[int], after: list[int], n_tokens: int, forbidden: np.ndarray
) -> tuple[int, ...]:
    best, found = -1, ()
    for start in range(len(before) - n_tokens + 1):
        end = start + n_tokens
        if any(forbidden[token] for token in before[start:end]):
            continue
        n_left = n_right = 0
        while n_left < min(16, start) and before[start - 1 - n_left] == before[-1 - n_left]:
            n_left += 1
        while (
            n_right < min(8, len(after), len(before) - end)
            and before[end + n_right] == after[n_right]
        ):
            n_right += 1
        if n_left + n_right >= best:
            best, found = n_left + n_right, tuple(before[start:end])
    return found


def test_the_right_context_decides_between_equally_likely_fills() -> None:
    stream = np.array([1, 2, 3] * 5 + [1, 4, 5] * 5)
    model = WittenBell(NgramCounts([stream], n_context=2, vocab_size=8), vocab_size=8)

    assert beam_search(model, (1,), (3,), 1, NOTHING[:8]) == (2,)
    assert beam_search(model, (1,), (5,), 1, NOTHING[:8]) == (4,)


def test_what_is_forbidden_does_not_come_out_of_the_search() -> None:
    model = WittenBell(NgramCounts([np.array([1, 2] * 9)], n_context=2, vocab_size=8), vocab_size=8)
    forbidden = NOTHING[:8].copy()
    forbidden[2] = True
    assert 2 not in beam_search(model, (1,), (1,), 3, forbidden)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    (tmp_path / "tokenizer.json").write_text("{}")
    digest = hashlib.sha256(b"{}").hexdigest()
    (tmp_path / "shards.json").write_text(json.dumps({"tokenizer_sha256": digest}))
    np.array([5, 6, 7] * 4, dtype="<u2").tofile(tmp_path / "train.bin")
    return tmp_path


def test_shards_are_counted_up_to_four_tokens_back(shards: Path) -> None:
    counts = count_shards(shards, shards / "tokenizer.json", 300)
    assert counts.followers((7, 5, 6))[0].tolist() == [7]
    assert counts.n_context == 4


def test_shards_of_another_tokenizer_are_refused(shards: Path) -> None:
    (shards / "tokenizer.json").write_text("{} ")
    with pytest.raises(FileError, match="another tokenizer"):
        count_shards(shards, shards / "tokenizer.json", 300)


def test_a_folder_without_shards_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=str(tmp_path)):
        count_shards(tmp_path, tmp_path / "tokenizer.json", 300)
