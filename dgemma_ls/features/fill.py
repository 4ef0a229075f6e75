"""Fill a span: :func:`prepare` before the engine call, :func:`finish` after it.

Both are pure: no engine, clock, file or protocol in here. The command line and the inline feature
stand on the same two halves.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from dgemma_engine.types import (
    CancelToken,
    InfillResult,
    JointResult,
    Slot,
    Span,
    SpanCheck,
    StopReason,
)
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot

_LINE_BREAK = re.compile(r"[\r\n]")


class SpanTokenizer(Protocol):
    """What a feature needs to know of the engine's tokenizer."""

    def encode(self, text: str) -> list[int]:
        """Give the text's token ids."""
        ...


class Infiller(Protocol):
    """What a feature needs of the engine; ``dgemma_engine.Engine`` is one."""

    @property
    def max_span_tokens(self) -> int:
        """The most tokens that a span can have."""
        ...

    @property
    def context_tokens(self) -> int:
        """The most tokens before a span that it reads."""
        ...

    @property
    def tokenizer(self) -> SpanTokenizer:
        """The tokenizer that counts them."""
        ...

    def infill(
        self,
        prefix: str,
        suffix: str,
        *,
        context: str = "",
        lengths: Sequence[int] | None = None,
        multiline: bool = False,
        n_candidates: int = 3,
        steps: int = 8,
        seed: int = 0,
        slot: Slot | None = None,
        check: SpanCheck | None = None,
        cancel: CancelToken | None = None,
    ) -> InfillResult:
        """Find texts to stand between prefix and suffix."""
        ...

    def infill_jointly(
        self,
        text: str,
        spans: Sequence[Span],
        *,
        context: str = "",
        multiline: bool = False,
        n_candidates: int = 3,
        seed: int = 0,
        accept: Callable[[tuple[str, ...]], bool] | None = None,
        cancel: CancelToken | None = None,
    ) -> JointResult:
        """Find texts for several gaps of one text, each seeing all others."""
        ...

    def rewrite(
        self,
        prefix: str,
        text: str,
        suffix: str,
        *,
        context: str = "",
        instruction: str = "",
        strength: float = 0.5,
        max_changed: int | None = None,
        n_candidates: int = 3,
        seed: int = 0,
        check: SpanCheck | None = None,
        cancel: CancelToken | None = None,
    ) -> InfillResult:
        """Find texts like ``text``, the less like it the greater the strength."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FillRequest:
    """What the engine is asked.

    Attributes:
        prefix: the whole text before the span.
        suffix: the whole text after it.
        multiline: whether the new text may have several lines.
        lengths: span lengths in tokens to try; ``None`` leaves them to the engine.
    """

    prefix: str
    suffix: str
    multiline: bool
    lengths: tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An edit that passed the gate, with the engine's score for it."""

    edit: Edit
    score: float


def prepare(
    snapshot: Snapshot,
    span: Span,
    *,
    lengths: Sequence[int] | None = None,
    check: GateCheck | None = None,
) -> FillRequest:
    """Turn a span of a document into a question to the engine.

    The new text may have several lines if the old one has.

    Args:
        snapshot: the document.
        span: what to replace; an empty one is a cursor.
        lengths: for a selection, :func:`lengths_around` its number of tokens.
        check: of the same span; with it, a span in one text of a structured document is asked for
            in plain text (:mod:`dgemma_ls.features.leaves`), and the check takes plain text.

    Raises:
        ValueError: if the span reaches past the end of the text.
    """
    if span.end > len(snapshot.text):
        raise ValueError(f"{span} ends after the text ({len(snapshot.text)} characters)")
    if check is not None and (leaf := check.enter_leaf()) is not None:
        return FillRequest(
            prefix=leaf.prefix,
            suffix=leaf.suffix,
            multiline=leaf.may_break and _LINE_BREAK.search(leaf.text) is not None,
            lengths=None if lengths is None else tuple(lengths),
        )
    old_text = snapshot.text[span.start : span.end]
    return FillRequest(
        prefix=snapshot.text[: span.start],
        suffix=snapshot.text[span.end :],
        multiline=_LINE_BREAK.search(old_text) is not None,
        lengths=None if lengths is None else tuple(lengths),
    )


def lengths_around(n_tokens: int, max_span_tokens: int) -> tuple[int, ...]:
    """Give span lengths to try for a selection: a bit shorter than it, as long, and half longer.

    Raises:
        ValueError: if the selection has no tokens or more than a span can have.
    """
    if not 1 <= n_tokens <= max_span_tokens:
        raise ValueError(f"{n_tokens=} must be 1..{max_span_tokens}")
    wanted = {max(1, n_tokens * 3 // 4), n_tokens, n_tokens + (n_tokens + 1) // 2}
    return tuple(sorted({min(n, max_span_tokens) for n in wanted}))


def finish(
    snapshot: Snapshot,
    span: Span,
    result: InfillResult,
    *,
    limit: int | None = None,
    check: GateCheck | None = None,
) -> list[Edit] | Refusal:
    """Turn the engine's answer into edits that may be shown, best first, or say why there is none.

    Args:
        snapshot: the document as it was when :func:`prepare` saw it.
        span: what to replace.
        result: the engine's answer.
        limit: how many edits are wanted at most; those after them are not even parsed.
        check: the one that the engine asked, which need not parse again.
    """
    proposals = judge(snapshot, span, result, limit=limit, check=check)
    if isinstance(proposals, Refusal):
        return proposals
    return [proposal.edit for proposal in proposals]


def judge(
    snapshot: Snapshot,
    span: Span,
    result: InfillResult,
    *,
    limit: int | None = None,
    check: GateCheck | None = None,
) -> list[Proposal] | Refusal:
    """Do what :func:`finish` does, and keep the scores."""
    check = check or GateCheck(snapshot, span)
    if result.stop is StopReason.CANCELLED:
        return Refusal(reason=RefusalReason.CANCELLED)
    if not result.candidates:
        if result.n_refused and check.first_refusal is not None:
            return check.first_refusal
        late = result.stop is StopReason.DEADLINE
        return Refusal(reason=RefusalReason.DEADLINE if late else RefusalReason.NO_CANDIDATE)
    proposals: dict[str, Proposal] = {}  # by text, as filters can make two candidates the same
    refusals: list[Refusal] = []
    for candidate in result.candidates:
        verdict = check.verdict(candidate.text)
        if isinstance(verdict, Refusal):
            refusals.append(verdict)
        else:
            proposals.setdefault(verdict.new_text, Proposal(edit=verdict, score=candidate.score))
        if len(proposals) == limit:
            break
    # When nothing passes, what the engine liked best tells most.
    return list(proposals.values()) or refusals[0]
