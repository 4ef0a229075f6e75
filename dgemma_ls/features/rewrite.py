"""Rewrite a selection: :func:`prepare` before the engine call, :func:`finish` after it.

Pure, as :mod:`dgemma_ls.features.fill`, on which it stands. White space at the ends of a selection
is layout and stays. Below full strength the engine noises some of the old tokens and their number
stays; at full strength the old text counts for nothing but its length, and that may change.
"""

import re
from dataclasses import dataclass

from dgemma_engine.errors import RequestError
from dgemma_engine.types import CancelToken, InfillResult, Span
from dgemma_ls.edits import differences
from dgemma_ls.features.fill import Infiller, Proposal, judge, lengths_around
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.features.leaf_rewrite import within_leaf
from dgemma_ls.types import Edit, Refusal, Snapshot

DEFAULT_STRENGTH = 0.5
_FULL_STRENGTH = 1.0
_LINE_BREAK = re.compile(r"[\r\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How somebody wants a text rewritten.

    Attributes:
        strength: share of the tokens that are noised: 0.15 mends, 0.7 rewrites, 1 replaces.
        instruction: what to do, in words; for models that follow instructions.
        max_changed: most tokens that may change; ``None`` for no limit.
    """

    strength: float = DEFAULT_STRENGTH
    instruction: str = ""
    max_changed: int | None = None

    @property
    def replaces(self) -> bool:
        """Whether nothing of the old text has to stay, so that it need not be looked at."""
        at_full = self.strength >= _FULL_STRENGTH
        return at_full and not self.instruction and self.max_changed is None


@dataclass(frozen=True, slots=True, kw_only=True)
class RewriteRequest:
    """What the engine is asked.

    Attributes:
        span: the selection without white space at its ends.
        prefix: the whole text before the span.
        text: the text in it.
        suffix: the whole text after it.
        wish: how it is to be rewritten.
    """

    span: Span
    prefix: str
    text: str
    suffix: str
    wish: Wish


def prepare(snapshot: Snapshot, span: Span, wish: Wish) -> RewriteRequest:
    """Turn a selection into a question to the engine.

    Raises:
        RequestError: if nothing but white space is selected.
        ValueError: if the span reaches past the end of the text.
    """
    if span.end > len(snapshot.text):
        raise ValueError(f"{span} ends after the text ({len(snapshot.text)} characters)")
    selected = snapshot.text[span.start : span.end]
    if not selected.strip():
        raise RequestError("there is no text to rewrite in the selection; select some")
    start = span.start + len(selected) - len(selected.lstrip())
    end = span.start + len(selected.rstrip())
    return RewriteRequest(
        span=Span(start=start, end=end),
        prefix=snapshot.text[:start],
        text=snapshot.text[start:end],
        suffix=snapshot.text[end:],
        wish=wish,
    )


def ask(
    engine: Infiller,
    request: RewriteRequest,
    *,
    check: GateCheck,
    n_candidates: int,
    before: str = "",
    context: str = "",
    seed: int = 0,
    cancel: CancelToken | None = None,
) -> InfillResult:
    """Have the engine find texts for a selection; runs on the engine thread.

    Args:
        engine: finds them.
        request: of :func:`prepare`.
        check: says which may be shown.
        n_candidates: how many are wanted at most.
        before: text before the document that is no part of it, as the cells above a cell.
        context: what other files say.
        seed: of the request.
        cancel: asked at every step.

    Raises:
        RequestError: if the selection is longer than a canvas, or there is an instruction and the
            model follows none.
    """
    request = within_leaf(request, check)
    n_tokens = len(engine.tokenizer.encode(request.text))
    if n_tokens > engine.max_span_tokens:
        raise RequestError(too_long(n_tokens, engine.max_span_tokens))
    wish = request.wish
    if wish.replaces:
        return engine.infill(
            before + request.prefix,
            request.suffix,
            context=context,
            lengths=lengths_around(max(n_tokens, 1), engine.max_span_tokens),
            multiline=_LINE_BREAK.search(request.text) is not None,
            n_candidates=n_candidates,
            seed=seed,
            check=check,
            cancel=cancel,
        )
    return engine.rewrite(
        before + request.prefix,
        request.text,
        request.suffix,
        context=context,
        instruction=wish.instruction,
        strength=wish.strength,
        max_changed=wish.max_changed,
        n_candidates=n_candidates,
        seed=seed,
        check=check,
        cancel=cancel,
    )


def finish(
    snapshot: Snapshot,
    request: RewriteRequest,
    result: InfillResult,
    *,
    limit: int | None = None,
    check: GateCheck | None = None,
) -> list[Proposal] | Refusal:
    """Turn the engine's answer into edits that may be shown, best first, or say why there is none.

    Args:
        snapshot: the document as it was when :func:`prepare` saw it.
        request: what the engine was asked.
        result: its answer.
        limit: how many edits are wanted at most.
        check: the one that the engine asked, which need not parse again.
    """
    return judge(snapshot, request.span, result, limit=limit, check=check)


def smallest_edits(snapshot: Snapshot, edit: Edit) -> tuple[Edit, ...]:
    """Cut an edit into small ones that together do the same, in document order.

    What stays is not touched: marks, folds and cursors of an editor stay where they are.

    Raises:
        ValueError: if the edit is of another document or version, or reaches past its end.
    """
    edit.require_fits(snapshot)
    old_text = snapshot.text[edit.span.start : edit.span.end]
    return tuple(
        Edit(
            uri=edit.uri,
            version=edit.version,
            span=Span(
                start=edit.span.start + each.old_span.start, end=edit.span.start + each.old_span.end
            ),
            new_text=each.new_text,
        )
        for each in differences(old_text, edit.new_text)
    )


def too_long(n_tokens: int, limit: int) -> str:
    """Say for a person that a selection is too long."""
    return f"the selection has {n_tokens} tokens, one canvas holds {limit}; select less"
