"""Texts -> ``tokenizer.json``: a byte-level BPE that gives every text back unchanged.

It knows nothing of the corpus' layout on disk and nothing of the model but its reserved ids.

Whoever encodes with the file must set ``encode_special_tokens = True`` on the loaded tokenizer
(``load_tokenizer`` does): the flag is not stored in the file, and without it a document that
spells ``<eos>`` gets the reserved id instead of five ordinary characters.
"""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from dgemma_engine.train.corpus import RECIPE_PATH
from dgemma_engine.train.progress import OnProgress, no_progress

_N_BYTES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerRecipe:
    """Section ``[tokenizer]`` of the recipe.

    Attributes:
        vocab_size: entries, reserved ids included.
        sample_bytes: UTF-8 bytes of text to learn the merges from.
        pre_split: regular expression (Oniguruma) of the pieces that no token may cross.
        reserved: special tokens by id, from 0.
    """

    vocab_size: int
    sample_bytes: int
    pre_split: str
    reserved: tuple[str, ...]

    def __post_init__(self) -> None:
        least = len(self.reserved) + _N_BYTES
        # Token shards are uint16.
        if not least <= self.vocab_size <= 1 << 16:
            raise ValueError(
                f"recipe [tokenizer]: vocab_size is {self.vocab_size}, must be {least}..{1 << 16}"
            )
        if len(set(self.reserved)) != len(self.reserved):
            raise ValueError("recipe [tokenizer]: reserved names one token twice")


def load_tokenizer_recipe(path: Path = RECIPE_PATH) -> TokenizerRecipe:
    """Read section ``[tokenizer]`` of a recipe file.

    Raises:
        ValueError: if a key is missing or unknown, or a value is out of bounds.
    """
    with path.open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)["tokenizer"]
    try:
        return TokenizerRecipe(**table | {"reserved": tuple(table["reserved"])})
    except (KeyError, TypeError) as err:
        raise ValueError(f"{path}: section [tokenizer] is not complete and exact: {err}") from err


def train_tokenizer(
    texts: Iterable[str], recipe: TokenizerRecipe, out: Path, progress: OnProgress = no_progress
) -> Tokenizer:
    """Learn a tokenizer from the first ``sample_bytes`` of the texts and write it to ``out``.

    The texts are taken in their order, so they should come shuffled, as a corpus split does.

    Args:
        texts: documents; read no further than the sample needs.
        recipe: size, sample, pre-split and reserved ids.
        out: path of the ``tokenizer.json`` to write.
        progress: told of bytes read; learning the merges after that takes a quarter of the time.

    Returns:
        The tokenizer, ready to encode any text.

    Raises:
        ValueError: if the texts hold too few distinct pieces to fill the vocabulary.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(recipe.pre_split), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocab_size,
        special_tokens=[AddedToken(token, special=True) for token in recipe.reserved],
        # All 256 bytes, seen or not: no text may be unrepresentable.
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_sample(texts, recipe.sample_bytes, progress), trainer)
    if tokenizer.get_vocab_size() != recipe.vocab_size:
        raise ValueError(
            f"the texts yield {tokenizer.get_vocab_size()} tokens of {recipe.vocab_size};"
            " give more text or lower [tokenizer] vocab_size"
        )
    for i, token in enumerate(recipe.reserved):
        assert tokenizer.token_to_id(token) == i
    out.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out))
    tokenizer.encode_special_tokens = True
    return tokenizer


def load_tokenizer(path: Path) -> Tokenizer:
    """Load a ``tokenizer.json`` for encoding documents, where ``<eos>`` is only text."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as err:
        raise ValueError(f"{path}: no usable tokenizer ({err}); run the step before") from err
    tokenizer.encode_special_tokens = True
    return tokenizer


def _sample(texts: Iterable[str], sample_bytes: int, progress: OnProgress) -> Iterator[str]:
    taken = 0
    for text in texts:
        if taken >= sample_bytes:
            return
        taken += len(text.encode())
        progress(min(taken, sample_bytes), sample_bytes)
        yield text
