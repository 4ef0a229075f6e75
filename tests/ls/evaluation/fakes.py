"""A tokenizer that splits at words, and documents to cut cases out of."""

import re
from collections.abc import Iterable, Sequence

from dgemma_engine.types import Span
from dgemma_ls.evaluation.cases import BUCKETS, Case, Document

_WORDS = re.compile(r" ?[^\W\d_]+|\n+ *|[\s\S]")


class WordTokenizer:
    """Words, line breaks with their indent, and single bytes for all else."""

    def __init__(self, *texts: str) -> None:
        words = dict.fromkeys(word for text in texts for word in _WORDS.findall(text))
        singles = [bytes([byte]) for byte in range(256)]
        self._ids = {
            word: 256 + idx for idx, word in enumerate(word for word in words if len(word) > 1)
        }
        self.token_bytes: Sequence[bytes] = (*singles, *(word.encode() for word in self._ids))

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for word in _WORDS.findall(text):
            ids += [self._ids[word]] if word in self._ids else list(word.encode())
        return ids

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        return b"".join(self.token_bytes[idx] for idx in ids)


def document(path: str = "pkg/a.py", n_functions: int = 30) -> Document:
    text = "".join(
        f"def run_{n}(first, second):\n    total = first + {n} * second\n    return total\n\n\n"
        for n in range(n_functions)
    )
    return Document(path=path, text=text)


def case(marked: str, tokenizer: WordTokenizer | None = None, *, bucket: str = "rest") -> Case:
    """A case from a text with ├ ┤ around the span, which must stand between whole tokens."""
    prefix, _, rest = marked.partition("├")
    truth, _, suffix = rest.partition("┤")
    assert bucket in BUCKETS
    text = prefix + truth + suffix
    tokenizer = tokenizer or WordTokenizer(text)
    before, inside, after = (tokenizer.encode(piece) for piece in (prefix, truth, suffix))
    return Case(
        bucket=bucket,
        document=Document(path="pkg/a.py", text=text),
        token_ids=(*before, *inside, *after),
        start=len(before),
        end=len(before) + len(inside),
        span=Span(start=len(prefix), end=len(prefix) + len(truth)),
    )
