"""Text survives: what is encoded comes back byte for byte, in both families of tokenizers."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, decoders, models
from tokenizers import Tokenizer as HfTokenizer

from dgemma_engine.errors import TokenizerError
from dgemma_engine.tokenizer import TOKENIZER_NAME, Tokenizer, load_tokenizer
from tests.engine.oracle import (
    SPECIAL_TOKENS,
    TRAINING_TEXT,
    byte_fallback_tokenizer,
    byte_level_tokenizer,
)
from tests.strategies import python_texts, texts

PIECES = (
    *SPECIAL_TOKENS,
    *("▁", "▁▁", "▁def", " ", "  ", "    ", "\t", "\r\n", "\r", "\n\n", "\0", "<0x41>", "<0x", "Ġ"),
    *(
        "def",
        "self",
        "return",
        "path",
        "é",
        "€",
        "𝒳",
        "👩‍💻",
        "\ud83d",
        "\ude00",
        "\udfff",
        "\ufeff",
    ),
)
awkward = st.one_of(
    texts(),
    python_texts(),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.text(max_size=20),
    st.text(st.characters(categories=("Cs", "Co", "Lo", "Mn")), max_size=8),
)


@pytest.fixture(params=["byte_level", "byte_fallback"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    found: Tokenizer = request.getfixturevalue(request.param)
    return found


def assert_survives(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode_bytes(ids) == text.encode("utf-8", "surrogatepass")
    # A document that spells a special token gets ordinary ones.
    assert not tokenizer.special_ids & set(ids)
    assert all(0 <= token_id < tokenizer.vocab_size for token_id in ids)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(text=awkward)
@example("a<eos>b<bos>")
@example("▁ ▁def\r\n\0\ud83d\ude00<0x41>")
def test_any_text_survives_byte_level(byte_level: Tokenizer, text: str) -> None:
    assert_survives(byte_level, text)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(text=awkward)
@example("a<eos>b<bos>")
@example("▁ ▁def\r\n\0\ud83d\ude00<0x41>")
def test_any_text_survives_byte_fallback(byte_fallback: Tokenizer, text: str) -> None:
    assert_survives(byte_fallback, text)


@pytest.mark.parametrize("text", PIECES)
def test_each_awkward_piece_survives_alone_and_beside_itself(
    tokenizer: Tokenizer, text: str
) -> None:
    for surrounded in (text, text * 2, f"a{text}b", f" {text} "):
        assert_survives(tokenizer, surrounded)


def test_text_is_split_as_the_library_splits_it(byte_level: Tokenizer) -> None:
    """Byte tokens for everything would survive as well."""
    library = HfTokenizer.from_file(str(byte_level.path))
    ids = byte_level.encode(TRAINING_TEXT)
    assert ids == library.encode(TRAINING_TEXT, add_special_tokens=False).ids
    assert len(ids) < len(TRAINING_TEXT) / 2


def test_a_spelt_special_token_does_not_break_up_the_text_around_it(tokenizer: Tokenizer) -> None:
    """Single bytes for the whole document would survive as well."""
    words = " def return path self"
    around, spelt = tokenizer.encode(words), tokenizer.encode("<eos>")
    assert len(around) < len(words) / 2
    assert tokenizer.encode(f"{words}<eos>{words}") == [*around, *spelt, *around]


def test_words_of_the_vocabulary_are_one_token(byte_fallback: Tokenizer) -> None:
    ids = byte_fallback.encode(" def self")
    assert [byte_fallback.token_bytes[token_id] for token_id in ids] == [b" def", b" self"]


def test_token_bytes_are_the_table_of_decoding(tokenizer: Tokenizer) -> None:
    table = tokenizer.token_bytes
    assert len(table) == tokenizer.vocab_size
    for token_id, raw in enumerate(table):
        assert tokenizer.decode_bytes([token_id]) == raw
        assert (raw == b"") == (token_id in tokenizer.special_ids)
    assert {bytes([byte]) for byte in range(256)} <= set(table)


def test_special_tokens_are_found_by_name_and_stand_for_no_text(tokenizer: Tokenizer) -> None:
    ids = [tokenizer.token_id(name) for name in SPECIAL_TOKENS]
    assert set(ids) == tokenizer.special_ids
    assert len(set(ids)) == len(SPECIAL_TOKENS)
    assert tokenizer.decode([*ids, *tokenizer.encode("def"), *ids]) == "def"
    with pytest.raises(TokenizerError, match=r"tokenizer\.json: has no token <mask>"):
        tokenizer.token_id("<mask>")


def test_half_a_character_is_shown_as_one_that_cannot_be_read(tokenizer: Tokenizer) -> None:
    """The engine cuts such candidates; a live view may meet them."""
    euro = [
        token for byte in "€".encode() for token in [tokenizer.token_bytes.index(bytes([byte]))]
    ]
    assert tokenizer.decode(euro) == "€"
    assert tokenizer.decode_bytes(euro[:2]) == "€".encode()[:2]
    assert "\ufffd" in tokenizer.decode(euro[:2])


def test_added_tokens_that_are_not_special_are_text(tmp_path: Path) -> None:
    for make in (byte_level_tokenizer, byte_fallback_tokenizer):
        library = make()
        library.add_tokens([AddedToken("→→", special=False), AddedToken("é!", special=False)])
        library.save(str(tmp_path / TOKENIZER_NAME))
        tokenizer = load_tokenizer(tmp_path)
        for text in ("a→→b", "é!", "→→é! →"):
            assert_survives(tokenizer, text)
        assert tokenizer.token_bytes[tokenizer.token_id("→→")] == "→→".encode()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"{}", b"[]", b"\xff\xfe", b'{"version": "1.0"}', b"\0" * 9]
)
def test_a_broken_file_is_one_sentence_with_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / TOKENIZER_NAME
    path.write_bytes(content)
    with pytest.raises(TokenizerError) as caught:
        Tokenizer(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match=r"tokenizer\.json: no such file"):
        load_tokenizer(tmp_path)


def test_a_tokenizer_that_cannot_spell_every_byte_is_refused(tmp_path: Path) -> None:
    library = HfTokenizer(models.WordLevel({"<unk>": 0, "a": 1}, unk_token="<unk>"))
    library.decoder = decoders.WordPiece()
    library.save(str(tmp_path / TOKENIZER_NAME))
    with pytest.raises(TokenizerError, match="text would not survive"):
        load_tokenizer(tmp_path)


def test_ids_may_have_holes(tmp_path: Path) -> None:
    """Checkpoints with unused ids at the end of the vocabulary have them."""
    byte_level_tokenizer().save(str(tmp_path / TOKENIZER_NAME))
    values = json.loads((tmp_path / TOKENIZER_NAME).read_text())
    last = max(values["model"]["vocab"], key=values["model"]["vocab"].__getitem__)
    values["model"]["vocab"][last] += 10
    (tmp_path / TOKENIZER_NAME).write_text(json.dumps(values))
    assert_survives(load_tokenizer(tmp_path), TRAINING_TEXT)
