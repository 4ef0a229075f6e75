"""What was found in paragraphs before, remembered by all that it depends on."""

from collections import OrderedDict
from collections.abc import Collection, Sequence, Set
from hashlib import blake2b

from dgemma_engine.types import Span
from dgemma_ls.proofread.readings import Overview, Piece, Readings
from dgemma_ls.proofread.types import Fix, Region

_BEFORE, _AFTER = 150, 120  # characters around a paragraph that the model reads too
_BYTES_OF_ENTRY, _BYTES_OF_FIX = 200, 400  # about, in CPython


class ParagraphCache:
    """What was found in paragraphs, by their content; the least recently used go first.

    Args:
        budget_bytes: about how much it may take, less the readings.

    Attributes:
        readings: of the pieces that the paragraphs are in.
    """

    def __init__(self, *, budget_bytes: int = 8 * 2**20) -> None:
        self._budget_bytes = budget_bytes
        self._found: OrderedDict[bytes, tuple[Fix, ...]] = OrderedDict()
        self._n_bytes = 0
        self.readings = Readings()

    def get(self, key: bytes) -> tuple[Fix, ...] | None:
        """Give fixes with offsets in the paragraph, ``None`` if it is not known."""
        if key in self._found:
            self._found.move_to_end(key)
        return self._found.get(key)

    def put(self, key: bytes, fixes: tuple[Fix, ...]) -> None:
        """Remember fixes with offsets in the paragraph."""
        if key in self._found:
            return
        self._found[key] = fixes
        self._n_bytes += _n_bytes(fixes)
        while self._n_bytes > self._budget_bytes and len(self._found) > 1:
            self._n_bytes -= _n_bytes(self._found.popitem(last=False)[1])


def key_of_paragraph(
    text: str,
    region: Region,
    words: Set[str],
    unknown: Collection[str],
    view: Overview,
    *,
    with_model: bool,
) -> bytes:
    """Hash all that the verdict on a paragraph depends on.

    Only how often its common words occur elsewhere is left out: that changes with every key.
    """
    start, end = window_around(text, region.span)
    at = region.span.start
    return _hash(
        with_model,
        region.kind.value,
        (at - start, region.span.end - start),
        [(span.start - at, span.end - at) for span in region.protected],
        sorted(words & view.names),
        sorted((word, view.counts[word]) for word in set(unknown)),
        text[start:end],
    )


def key_of_piece(text: str, piece: Piece, view: Overview, facts: object) -> bytes:
    """Hash all that the verdict on the paragraphs of a piece depends on, likewise."""
    start, end = window_around(text, piece.span)
    reading = piece.reading
    return _hash(
        "piece",
        facts,
        (view.is_english, view.is_foreign),
        (piece.span.start - start, piece.span.end - start),
        sorted(reading.words & view.names),
        sorted((word, view.counts[word]) for word in reading.unlisted - view.names),
        text[start:end],
    )


def window_around(text: str, span: Span) -> tuple[int, int]:
    """Give start and end of what the model reads of a paragraph or piece, and around it."""
    return max(0, span.start - _BEFORE), min(len(text), span.end + _AFTER)


def _hash(*facts: object) -> bytes:
    return blake2b(repr(facts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _n_bytes(fixes: Sequence[Fix]) -> int:
    return _BYTES_OF_ENTRY + _BYTES_OF_FIX * len(fixes)
