"""Texts for a span before the gate, whoever asks first: the engine, to repair, or the feature.

Filters and gate depend on the snapshot, the span and the text alone, so a verdict is found once and
remembered. The object lives as long as its request.
"""

from dgemma_engine.types import Span
from dgemma_ls import gate
from dgemma_ls.features.leaves import LeafGap, leaf_gap, leaf_verdict, unsafe_spans
from dgemma_ls.features.parsers import still_reads
from dgemma_ls.postprocess import variants
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot


class GateCheck:
    """The gate for one span of one snapshot; a ``dgemma_engine.SpanCheck``."""

    def __init__(self, snapshot: Snapshot, span: Span) -> None:
        """Take what the texts are for."""
        self._snapshot, self._span = snapshot, span
        self._verdicts: dict[str, Edit | Refusal] = {}
        self._leaf: LeafGap | None = None

    def enter_leaf(self) -> LeafGap | None:
        """Take texts for what they mean from now on, if the span lies in a text of a structure.

        Returns:
            That text, for whoever asks the engine; ``None`` where all stays as it is.
        """
        gap = leaf_gap(self._snapshot, self._span)
        # White space that is written as an escape is nothing that one could rewrite.
        self._leaf = None if gap and self._is_selection and not gap.text.strip() else gap
        return self._leaf

    @property
    def _is_selection(self) -> bool:
        return self._span.start < self._span.end

    @property
    def first_refusal(self) -> Refusal | None:
        """The refusal of the text that was asked about first."""
        return next((v for v in self._verdicts.values() if isinstance(v, Refusal)), None)

    def verdict(self, text: str) -> Edit | Refusal:
        """Give the edit that may be shown for a text, or say why none may."""
        if (found := self._verdicts.get(text)) is None:
            found = self._verdicts[text] = self._judged(text)
        return found

    def bad_spans(self, text: str) -> tuple[Span, ...]:
        """Give the parts of a text that keep it from being shown; see ``SpanCheck``."""
        verdict = self.verdict(text)
        if isinstance(verdict, Edit):
            return ()
        whole = (Span(start=0, end=len(text)),)
        if self._leaf is not None:
            return unsafe_spans(self._leaf, text) or whole
        if verdict.reason is not RefusalReason.BREAKS_PARSE:
            return whole
        texts = variants(text, self._snapshot, self._span)
        if isinstance(texts, Refusal) or not text.startswith(texts[0]):
            return whole  # of other line ends, say: its places are not the text's
        return gate.broken_spans(self._snapshot, self._edit(texts[0])) or whole

    def _judged(self, text: str) -> Edit | Refusal:
        if self._leaf is not None:
            return leaf_verdict(self._snapshot, self._leaf, text)
        texts = variants(text, self._snapshot, self._span)
        if isinstance(texts, Refusal):
            return texts
        first = self._gated(texts[0])
        if isinstance(first, Edit):
            return first
        # A parse is the dearest step here, so the other texts wait until they are needed.
        others = (self._gated(variant) for variant in texts[1:])
        return next((verdict for verdict in others if isinstance(verdict, Edit)), first)

    def _gated(self, text: str) -> Edit | Refusal:
        if not text.strip():
            # It may well parse, but nobody asks for white space, nor sees it as ghost text.
            return Refusal(reason=RefusalReason.EMPTY)
        verdict = gate.check(self._snapshot, self._edit(text))
        if isinstance(verdict, Edit) and not still_reads(self._snapshot, verdict):
            return Refusal(reason=RefusalReason.BREAKS_PARSE)
        return verdict

    def _edit(self, text: str) -> Edit:
        snapshot = self._snapshot
        return Edit(uri=snapshot.uri, version=snapshot.version, span=self._span, new_text=text)
