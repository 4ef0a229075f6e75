"""The drafts of a request: everything that is proposed without a canvas."""

from collections.abc import Callable, Sequence

from dgemma_engine.infill.bridge import Bridge, find_endings, propose_bridges
from dgemma_engine.infill.causal import Continuation, propose_continuations
from dgemma_engine.infill.copy import Copy, propose_copies
from dgemma_engine.infill.document import Blend
from dgemma_engine.infill.parts import Parts
from dgemma_engine.infill.planner import CanvasPlan
from dgemma_engine.infill.proposals import Earlier
from dgemma_engine.infill.request import InfillRequest
from dgemma_engine.infill.surroundings import Surroundings
from dgemma_engine.model.branches import Branches

_N_PATHS = 6
_N_COPIES = 3
_N_BRIDGES = 8
_N_JUDGED = 12
"""Continuations for the judge, who takes a reading of the suffix after each of them."""

_MAX_TOKENS = 24  # 99 % of all rests of lines


def earlier_suggestions(
    parts: Parts, request: InfillRequest, around: Surroundings
) -> list[Earlier]:
    """What was suggested before, if it still fits."""
    head = around.head.decode("utf-8", "surrogatepass")
    encoded = (parts.tokenizer.encode(head + text) for text in request.earlier)
    return [Earlier(ids=tuple(ids)) for ids in encoded if ids]


def copies(parts: Parts, request: InfillRequest, around: Surroundings) -> list[Copy]:
    """What the document itself proposes."""
    return propose_copies(
        around.before,
        around.after,
        lengths=_lengths(request),
        n_proposals=_N_COPIES,
        accept=_accept(parts, request, around),
    )


def causal_paths(
    parts: Parts,
    request: InfillRequest,
    around: Surroundings,
    plan: CanvasPlan,
    blend: Blend | None,
    branches: Branches,
    may_go_on: Callable[[Sequence[int]], bool] | None = None,
) -> list[Continuation]:
    """How the prefix may go on: paths of all lengths up to the longest that is asked for."""
    lengths, n_tokens = request.lengths, parts.settings.causal_tokens
    if lengths is not None and n_tokens:  # told, so that paths go as far as they must
        n_tokens = min(_MAX_TOKENS, max(lengths))
    if not plan.known_ids or not n_tokens:
        return []
    return propose_continuations(
        parts.model,
        branches,
        plan.known_ids[-1],
        parts.rules,
        must_start=around.head,
        single_line=not request.multiline,
        n_paths=_N_PATHS,
        n_tokens=n_tokens,
        cancel=request.cancel,
        follow=parts.rules.starting_with(_first_bytes(request.suffix)) if request.suffix else None,
        # Where not every path is a proposal, a likely one says little of what is still to come.
        stop_early=lengths is None and may_go_on is None,
        blend=blend,
        before=parts.last_known(plan),
        may_go_on=may_go_on,
    )


def continuations(request: InfillRequest, paths: Sequence[Continuation]) -> list[Continuation]:
    """Of all causal paths those after which the suffix is likely to begin."""
    lengths = request.lengths
    fitting = [path for path in paths if lengths is None or len(path.ids) in lengths]
    return sorted(fitting, key=lambda path: -path.log_prob - path.log_follow)[:_N_JUDGED]


def bridges(
    parts: Parts,
    request: InfillRequest,
    around: Surroundings,
    plan: CanvasPlan,
    branches: Branches,
    paths: Sequence[Continuation],
) -> list[Bridge]:
    """Causal paths that end as the document does before the same suffix."""
    if not paths:
        return []
    lengths = _lengths(request)
    return propose_bridges(
        parts.model,
        branches,
        plan.known_ids[-1],
        paths,
        find_endings(around.before, around.after, n_tokens=max(lengths)),
        lengths=lengths,
        n_proposals=_N_BRIDGES,
        accept=_accept(parts, request, around),
    )


def _lengths(request: InfillRequest) -> Sequence[int] | range:
    """How many tokens a draft may have."""
    return range(1, _MAX_TOKENS + 1) if request.lengths is None else request.lengths


def _accept(
    parts: Parts, request: InfillRequest, around: Surroundings
) -> Callable[[Sequence[int]], bool]:
    """Tell tokens that may stand in the gap: they go on from its head, on one line if they must."""

    def accept(ids: Sequence[int]) -> bool:
        text = parts.tokenizer.decode_bytes(ids)
        one_line = request.multiline or not set(text) & set(b"\r\n")
        return one_line and text.startswith(around.head)

    return accept


def _first_bytes(suffix: str) -> bytes:
    return suffix[0].encode("utf-8", "surrogatepass")
