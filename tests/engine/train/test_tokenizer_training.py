from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from dgemma_engine.train.tokenizer_training import (
    TokenizerRecipe,
    load_tokenizer,
    load_tokenizer_recipe,
    train_tokenizer,
)

TEXT = '''class Reader:
    """Reads the lines of a file, one after the other."""

    def read_line(self, file_name: str) -> str:
        if self.open_files[file_name] is None:
            raise ValueError(f"not open: {file_name!r}, 12 of 34")
        return self.read_all(file_name)[self.line_number]
'''


@pytest.fixture(scope="module")
def recipe() -> TokenizerRecipe:
    return replace(load_tokenizer_recipe(), vocab_size=340)


@pytest.fixture(scope="module")
def tokenizer(recipe: TokenizerRecipe, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    train_tokenizer([TEXT], recipe, path)
    return load_tokenizer(path)


def pieces(tokenizer: Tokenizer, text: str) -> list[str]:
    assert tokenizer.pre_tokenizer is not None
    split = tokenizer.pre_tokenizer.pre_tokenize_str(text)
    return [text[start:end] for _, (start, end) in split]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@example("a\r\n  b\rc\n\n\td \u2028\u2029\x85 e")
@example("\x00\x0b\x0c\ufeff\U0001f600\u0301")
@example("<eos><pad><reserved15> <mask>\n<unk>")
@example("Ġ Ċ Ā ĉ")
def test_any_text_comes_back_unchanged(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == text
    assert tokenizer.decode(ids, skip_special_tokens=True) == text
    assert all(token >= 16 for token in ids)


def test_without_the_flag_a_spelled_out_special_token_becomes_the_reserved_id(
    tokenizer: Tokenizer, recipe: TokenizerRecipe, tmp_path: Path
) -> None:
    # Why load_tokenizer exists: the flag is not stored in the file.
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    plain = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert plain.encode("a<eos>b", add_special_tokens=False).ids[1] == 1
    careful = load_tokenizer(tmp_path / "tokenizer.json")
    assert 1 not in careful.encode("a<eos>b", add_special_tokens=False).ids


def test_reserved_ids_come_first_and_in_order(tokenizer: Tokenizer) -> None:
    named = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    assert [tokenizer.id_to_token(i) for i in range(5)] == named
    assert [tokenizer.id_to_token(i) for i in range(5, 16)] == [
        f"<reserved{i}>" for i in range(5, 16)
    ]
    assert tokenizer.get_vocab_size() == 340


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("read_line_no", ["read", "_line", "_no"]),
        ("x\n\n    y", ["x", "\n\n    ", "y"]),
        ("a  b", ["a", " ", " b"]),
        ("a1234", ["a", "1", "2", "3", "4"]),
        ("f(x) -> __init__", ["f", "(", "x", ")", " ->", " __init", "__"]),
        ("-" * 10, ["-" * 8, "-" * 2]),
        ("x\t\ty", ["x", "\t\t", "y"]),
    ],
)
def test_the_pre_split_separates_what_no_token_may_join(
    tokenizer: Tokenizer, text: str, expected: list[str]
) -> None:
    assert pieces(tokenizer, text) == expected


def test_no_more_text_is_read_than_the_sample_needs(
    recipe: TokenizerRecipe, tmp_path: Path
) -> None:
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield TEXT

    train_tokenizer(texts(), replace(recipe, sample_bytes=3 * len(TEXT)), tmp_path / "t.json")
    assert read == 4  # three make the sample, the fourth is looked at and left


def test_the_same_texts_give_the_same_file(recipe: TokenizerRecipe, tmp_path: Path) -> None:
    train_tokenizer([TEXT], recipe, tmp_path / "a.json")
    train_tokenizer([TEXT], recipe, tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_too_little_text_for_the_vocabulary_is_an_error(
    recipe: TokenizerRecipe, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="tokens of 340"):
        train_tokenizer(["ab"], recipe, tmp_path / "t.json")
    assert not (tmp_path / "t.json").exists()


@pytest.mark.parametrize("vocab_size", [271, 65537])
def test_a_vocabulary_without_all_bytes_or_beyond_uint16_is_refused(
    recipe: TokenizerRecipe, vocab_size: int
) -> None:
    with pytest.raises(ValueError, match=r"must be 272\.\.65536"):
        replace(recipe, vocab_size=vocab_size)
