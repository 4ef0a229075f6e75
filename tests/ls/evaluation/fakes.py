"""A tokenizer that splits at words, documents to cut cases out of, and an obedient engine."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from dgemma_engine.types import Candidate, InfillResult, Origin, Span, StopReason
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


class FakeModel:
    """Finds it likely that every token is followed by the next higher one."""

    def __init__(self, vocab_size: int) -> None:
        self.vocab_size = vocab_size

    def encode_branches(
        self, branches: Sequence[Sequence[int]], position: int, past: Any
    ) -> list[np.ndarray]:
        return [np.asarray(branch) for branch in branches]

    def logits(self, hidden: np.ndarray) -> Any:
        rows = np.zeros((len(hidden), self.vocab_size))
        rows[np.arange(len(hidden)), (hidden + 1) % self.vocab_size] = 9.0
        tensor = SimpleNamespace(numpy=lambda: rows)
        return SimpleNamespace(cpu=lambda: tensor)


class FakeEngine:
    """Answers with what it is told to; counts in a :class:`WordTokenizer`'s tokens."""

    max_span_tokens = 24
    infill_settings = SimpleNamespace(n_steps=3)
    config = SimpleNamespace(bos_token_id=0)

    def __init__(
        self,
        tokenizer: WordTokenizer,
        answer: Callable[[str, str, dict[str, Any]], Sequence[tuple[str, Origin]]],
    ) -> None:
        self.tokenizer, self._answer = tokenizer, answer
        self.model = FakeModel(len(tokenizer.token_bytes))
        self.prefixes = SimpleNamespace(clear=lambda: None)
        self.asked: list[dict[str, Any]] = []

    def encode(self, ids: Sequence[int]) -> Any:
        return SimpleNamespace(kv=SimpleNamespace(n_tokens=len(ids), visible=list))

    def span_tokens(self, prefix: str, text: str) -> int:
        return len(self.tokenizer.encode(text))

    def infill(self, prefix: str, suffix: str, **options: Any) -> InfillResult:
        self.asked.append(options)
        answers = self._answer(prefix, suffix, options)[: options["n_candidates"]]
        return InfillResult(
            candidates=tuple(
                Candidate(text=text, score=-float(n), forwards=1, n_tokens=99, origin=origin)
                for n, (text, origin) in enumerate(answers)
            ),
            stop=StopReason.STABLE,
            forwards=1,
            milliseconds=1.0,
        )


def folder_tokenizer(folder: Path, *texts: str) -> WordTokenizer:
    """A tokenizer that pretends to come from a checkpoint folder."""
    tokenizer = WordTokenizer(*texts)
    tokenizer.path = folder / "tokenizer.json"  # type: ignore[attr-defined]
    return tokenizer
