"""The document around a gap, as the proposers and the judge see it: token ids."""

from dgemma_engine.infill.document import Blend, DocumentModel
from dgemma_engine.infill.healing import cut
from dgemma_engine.infill.parts import Parts

_CHARS_BEFORE, _CHARS_AFTER = 24_000, 8_000
"""What is searched and counted: some 8,000 tokens, beyond which recent text is better anyway."""


class Surroundings:
    """The document around a gap as far as it is searched, in tokens.

    Attributes:
        before: tokens before the gap, nearest last.
        after: tokens after it, nearest first.
        head: UTF-8 bytes of what was begun before the gap, which a fill must begin with.
    """

    def __init__(self, prefix: str, suffix: str, parts: Parts) -> None:
        """Tokenise what lies around the gap."""
        kept, head = cut(prefix, parts.tokenizer, parts.settings)
        self.before = parts.tokenizer.encode(kept[-_CHARS_BEFORE:])
        self.after = parts.tokenizer.encode(suffix[:_CHARS_AFTER])
        self.head = head.encode("utf-8", "surrogatepass")
        self._parts = parts

    def blend(self) -> Blend | None:
        """Give the document's own statistics, where the checkpoint wants them."""
        weights = self._parts.settings.document_weights
        if not weights:
            return None
        document = DocumentModel(
            (self.before, self.after),
            vocab_size=self._parts.model.config.vocab_size,
            n_context=len(weights) - 1,
        )
        return Blend(document=document, weights=weights)
