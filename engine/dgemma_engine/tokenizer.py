"""Text ↔ token ids, byte-exact: ``decode(encode(text)) == text`` for whatever a document holds.

Two families of ``tokenizer.json`` are understood: byte-level BPE (the embedded model) and BPE with
byte fallback that writes a space as ``▁`` (Gemma). The library splits text into tokens; what bytes
a token stands for is our own table, because the library's decoders are made for reading: they lose
a literal ``▁`` and cannot show half a character. Special tokens are resolved by name, and a
document that happens to spell one gets ordinary tokens.
"""

import bisect
import json
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer as _Tokenizer

from dgemma_engine.errors import TokenizerError

TOKENIZER_NAME = "tokenizer.json"

_SURROGATES = re.compile("([\ud800-\udfff]+)")
_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")


class Tokenizer:
    """One loaded ``tokenizer.json``."""

    def __init__(self, path: Path) -> None:
        """Load the file.

        Raises:
            TokenizerError: it is missing, damaged, or of neither known family.
        """
        try:
            source = path.read_text(encoding="utf-8")
            self._tokenizer = _Tokenizer.from_str(source)
            values = json.loads(source)
        except FileNotFoundError:
            raise TokenizerError(f"{path}: no such file; text needs the tokenizer") from None
        except Exception as err:
            raise TokenizerError(f"{path}: not a usable tokenizer ({err}); fetch it again") from err
        # Not stored in the file: without it a document that spells "<eos>" would end there.
        self._tokenizer.encode_special_tokens = True
        self._is_byte_level = "ByteLevel" in json.dumps(values.get("decoder"))
        self._is_special = {
            token["id"] for token in values.get("added_tokens", ()) if token.get("special")
        }
        self.path = path
        if not self._is_byte_level and "ByteFallback" not in json.dumps(values.get("decoder")):
            raise TokenizerError(
                f"{path}: neither byte-level nor with byte fallback; text would not survive"
            )

    @cached_property
    def vocab_size(self) -> int:
        """One more than the largest id."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values()) + 1

    @property
    def special_ids(self) -> frozenset[int]:
        """Ids that steer the model and never stand for text."""
        return frozenset(self._is_special)

    def has_token(self, name: str) -> bool:
        """Say whether the file has a token of that name."""
        return self._tokenizer.token_to_id(name) is not None

    def token_id(self, name: str) -> int:
        """Give the id of a token by its name in the file, as ``<eos>``.

        Raises:
            TokenizerError: there is none of that name.
        """
        token_id = self._tokenizer.token_to_id(name)
        if token_id is None:
            raise TokenizerError(f"{self.path}: has no token {name}; use the model's own file")
        return int(token_id)

    @cached_property
    def token_bytes(self) -> tuple[bytes, ...]:
        """UTF-8 bytes that each id stands for; empty for special tokens."""
        table = [b""] * self.vocab_size
        for token, token_id in self._tokenizer.get_vocab(with_added_tokens=True).items():
            if token_id not in self._is_special:
                table[token_id] = self._bytes_of(token)
        return tuple(table)

    def has_token_starting_with(self, text: bytes) -> bool:
        """Say whether some token begins with ``text``, which is not empty."""
        place = bisect.bisect_left(self._sorted_bytes, text)
        return place < len(self._sorted_bytes) and self._sorted_bytes[place].startswith(text)

    @cached_property
    def _sorted_bytes(self) -> list[bytes]:
        return sorted(set(self.token_bytes))

    @cached_property
    def _byte_ids(self) -> dict[int, int]:
        """Id of the token that stands for each single byte."""
        if self._is_byte_level:
            names = {byte: char for char, byte in _BYTE_LEVEL_ALPHABET.items()}
        else:
            names = {byte: f"<0x{byte:02X}>" for byte in range(256)}
        return {byte: self.token_id(name) for byte, name in names.items()}

    def encode(self, text: str) -> list[int]:
        """Split text into ids, without any special token.

        Lone surrogates, which the library refuses, and text that it would alter (a literal ``▁``
        with Gemma's file) become single-byte tokens.
        """
        ids: list[int] = []
        for idx, piece in enumerate(_SURROGATES.split(text)):
            ids += self._encode_bytes(piece) if idx % 2 else self._encode_piece(piece)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Give the text of ids; special tokens are empty, halves of characters become U+FFFD."""
        raw = self.decode_bytes(ids)
        try:
            return raw.decode("utf-8", errors="surrogatepass")
        except UnicodeDecodeError:
            return raw.decode("utf-8", errors="replace")

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Give the UTF-8 bytes of ids (surrogates as in ``surrogatepass``)."""
        table = self.token_bytes
        return b"".join([table[token_id] for token_id in ids])

    def _encode_piece(self, piece: str) -> list[int]:
        if not self._is_byte_level and "▁" in piece:
            ids: list[int] = []
            for idx, part in enumerate(piece.split("▁")):
                ids += self._encode_bytes("▁") if idx else []
                ids += self._encode_piece(part)
            return ids
        ids = self._tokenizer.encode(piece, add_special_tokens=False).ids
        if self.decode_bytes(ids) != piece.encode():
            return self._encode_bytes(piece)
        return ids

    def _encode_bytes(self, piece: str) -> list[int]:
        return [self._byte_ids[byte] for byte in piece.encode("utf-8", "surrogatepass")]

    def _bytes_of(self, token: str) -> bytes:
        if self._is_byte_level:
            alphabet = _BYTE_LEVEL_ALPHABET
            # Added tokens are plain text, not written in the alphabet.
            if all(char in alphabet for char in token):
                return bytes(alphabet[char] for char in token)
            return token.encode()
        if match := _BYTE_TOKEN.fullmatch(token):
            return bytes([int(match[1], 16)])
        return token.replace("▁", " ").encode()


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load ``tokenizer.json`` of a checkpoint folder; raises as :class:`Tokenizer` does."""
    return Tokenizer(folder / TOKENIZER_NAME)


def _make_byte_level_alphabet() -> dict[str, int]:
    """The characters by which byte-level BPE writes bytes (GPT-2's table)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): byte for byte in printable}
    return table | {chr(256 + idx): byte for idx, byte in enumerate(others)}


_BYTE_LEVEL_ALPHABET = _make_byte_level_alphabet()
