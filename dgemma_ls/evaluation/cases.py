"""Cases: spans of real tokens cut out of documents. Knows no engine and no metric.

Spans are counted in the checkpoint's own tokens, so two checkpoints share their cases if they
share their tokenizer.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Protocol

from dgemma_engine.types import Span
from dgemma_ls.evaluation.rows import read_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A kind of span: how it is called in tables, and how many tokens it may have."""

    title: str
    shortest: int
    longest: int


BUCKETS = {
    "1": Bucket(title="1", shortest=1, longest=1),
    "2-4": Bucket(title="2-4", shortest=2, longest=4),
    "1-4": Bucket(title="1-4", shortest=1, longest=4),
    "5-8": Bucket(title="5-8", shortest=5, longest=8),
    "9-16": Bucket(title="9-16", shortest=9, longest=16),
    "rest": Bucket(title="rest of line", shortest=1, longest=24),
    "line": Bucket(title="whole line", shortest=1, longest=24),
}
"""By the name that the command line takes. A whole line has neither its indent nor its break."""

DEFAULT_BUCKETS = ("1", "2-4", "5-8", "9-16", "rest", "line")
"""All but 1-4, whose cases the first two have as well."""

_MIN_TOKENS_BEFORE = 100
_TRIES_PER_CASE = 50


class CaseTokenizer(Protocol):
    """What drawing and measuring need to know of the engine's tokenizer."""

    @property
    def token_bytes(self) -> Sequence[bytes]:
        """UTF-8 bytes that each id stands for."""
        ...

    def encode(self, text: str) -> list[int]:
        """Give the text's token ids."""
        ...

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Give the UTF-8 bytes of ids."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One held-out file."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One span to fill, with the whole document that it was cut out of.

    Attributes:
        bucket: its name in :data:`BUCKETS`.
        document: the file; cases of one file depend on each other.
        token_ids: the document's tokens; all cases of a document share them.
        start: index of the span's first token.
        end: index after its last token.
        span: the same span in code points.
    """

    bucket: str
    document: Document
    token_ids: tuple[int, ...]
    start: int
    end: int
    span: Span

    @property
    def prefix(self) -> str:
        """All text before the span."""
        return self.document.text[: self.span.start]

    @property
    def truth(self) -> str:
        """The text that was cut out."""
        return self.document.text[self.span.start : self.span.end]

    @property
    def suffix(self) -> str:
        """All text after the span."""
        return self.document.text[self.span.end :]

    @property
    def multiline(self) -> bool:
        """Whether the span has a line break; every system is told."""
        return "\n" in self.truth or "\r" in self.truth


def read_documents(path: Path) -> list[Document]:
    """Read ``{"path": …, "text": …}`` lines, gzipped if the name ends so.

    Raises:
        FileError: the file is missing, damaged, empty or has lines of another kind.
    """
    return [Document(path=row.text("path"), text=row.text("text")) for row in read_rows(path)]


def draw_cases(
    documents: Sequence[Document],
    tokenizer: CaseTokenizer,
    *,
    buckets: Sequence[str],
    n_per_bucket: int,
    seed: int,
) -> list[Case]:
    """Draw distinct spans at random places of random documents.

    A bucket's cases depend on nothing but the documents, the tokenizer and the seed: asking for
    more of them keeps the first ones, and other buckets do not matter.

    Returns:
        Cases of all buckets in turns, so that a run cut short has some of each; fewer than asked
        for where the documents do not have them.
    """
    encoded = [_Encoded(document, tokenizer) for document in documents]
    usable = [document for document in encoded if document.has_room]
    by_bucket = [
        _draw_bucket(usable, tokenizer, bucket, n_per_bucket, f"{seed} {bucket}")
        for bucket in dict.fromkeys(buckets)
    ]
    return [case for turn in zip_longest(*by_bucket) for case in turn if case is not None]


class _Encoded:
    """A document with its tokens and the places where its lines break."""

    def __init__(self, document: Document, tokenizer: CaseTokenizer) -> None:
        self.document = document
        self.ids = tuple(tokenizer.encode(document.text))
        table = tokenizer.token_bytes
        self.breaks = [idx for idx, token in enumerate(self.ids) if b"\n" in table[token]]
        self.line_starts = [
            idx + 1 for idx in self.breaks if _MIN_TOKENS_BEFORE <= idx + 1 < len(self.ids)
        ]

    @property
    def has_room(self) -> bool:
        return len(self.ids) > _MIN_TOKENS_BEFORE and bool(self.line_starts)


def _draw_bucket(
    usable: Sequence[_Encoded], tokenizer: CaseTokenizer, bucket: str, n_cases: int, seed: str
) -> list[Case]:
    rng = random.Random(seed)  # noqa: S311 - an experiment, not a secret
    cases: dict[tuple[str, int, int], Case] = {}
    for _ in range(_TRIES_PER_CASE * n_cases if usable else 0):
        if len(cases) == n_cases:
            break
        case = _draw(rng.choice(usable), tokenizer, bucket, rng)
        if case is not None:
            cases.setdefault((case.document.path, case.start, case.end), case)
    return list(cases.values())


def _draw(
    source: _Encoded, tokenizer: CaseTokenizer, bucket: str, rng: random.Random
) -> Case | None:
    """Try one place; ``None`` where the bucket does not fit or a character would be cut."""
    kind = BUCKETS[bucket]
    if bucket == "line":
        start = _indented(source.ids, rng.choice(source.line_starts), tokenizer)
    else:
        start = rng.randrange(_MIN_TOKENS_BEFORE, len(source.ids))
    if bucket in ("rest", "line"):
        end = next((idx for idx in source.breaks if idx >= start), start)
    else:
        end = start + rng.randint(kind.shortest, kind.longest)
    if not kind.shortest <= end - start <= kind.longest or end > len(source.ids):
        return None
    try:
        prefix, truth = (
            tokenizer.decode_bytes(ids).decode()
            for ids in (source.ids[:start], source.ids[start:end])
        )
    except UnicodeDecodeError:
        return None
    if not truth.strip():
        return None
    return Case(
        bucket=bucket,
        document=source.document,
        token_ids=source.ids,
        start=start,
        end=end,
        span=Span(start=len(prefix), end=len(prefix) + len(truth)),
    )


def _indented(ids: Sequence[int], start: int, tokenizer: CaseTokenizer) -> int:
    """Skip the indent where it is not part of the line break's token."""
    while start < len(ids) and tokenizer.token_bytes[ids[start]].strip(b" \t") == b"":
        start += 1
    return start
