"""The encoder as a proposer: the same weights continue the prefix token by token.

At the scale of the embedded model next-token prediction is learned long before denoising, so a
short causal continuation is often the better draft. It does not know what comes after the gap;
the judge does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dgemma_engine.infill.document import Blend
from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.model.branches import Branches
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.types import CancelToken

_NATS_BEHIND = 9.0
"""A path so much less likely than the best of its length is not worth judging."""

_NATS_OF_DOUBT = 1.5
"""So much worse than the best known path may a beginning be and still be gone on with: the judge,
who reads more of the suffix, may see it otherwise."""


_N_LOOKED_AT = 512
"""Tokens of all paths together to look for some among that may stand there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """The first tokens of a causal path.

    Attributes:
        ids: at least one.
        log_prob: of all of them, nats.
        log_follow: of the suffix beginning right after them, nats; zero if nobody asked.
    """

    ids: tuple[int, ...]
    log_prob: float
    log_follow: float


@torch.inference_mode()
def propose_continuations(
    model: Transformer,
    branches: Branches,
    last_id: int,
    rules: TokenRules,
    *,
    must_start: bytes,
    single_line: bool,
    n_paths: int,
    n_tokens: int,
    cancel: CancelToken,
    follow: Tensor | None = None,
    stop_early: bool = False,
    blend: Blend | None = None,
    before: Sequence[int] = (),
    may_go_on: Callable[[Sequence[int]], bool] | None = None,
) -> list[Continuation]:
    """Continue a prefix by beam search; every path of every length is a proposal.

    Paths are read anew at each token, all in one pass: that costs less than copies of the prefix'
    keys and values for each of them.

    Args:
        model: the model.
        branches: after the encoded prefix without its last token; they grow.
        last_id: that token.
        rules: of the checkpoint's vocabulary.
        must_start: bytes with which the first token begins, see ``planner.CanvasRow``.
        single_line: whether a path ends before a line break.
        n_paths: how many paths to follow.
        n_tokens: most tokens of a path.
        cancel: asked before every token.
        follow: bool (V,), the tokens with which the suffix may begin.
        stop_early: whether to end when no longer path is likely to be better than a known one:
            paths only become less likely, so most searches are short.
        blend: the document's own statistics, if they shall have a say.
        before: the prefix' last tokens, ``last_id`` included, for the blend.
        may_go_on: says of a path whether it is worth following; all are without it.

    Returns:
        Distinct paths, the shorter ones first, the likelier first among equals; nothing when
        stopped.
    """
    forbidden = rules.forbidden(single_line=single_line)
    first_forbidden = forbidden | ~rules.starting_with(must_start) if must_start else forbidden
    paths: list[tuple[int, ...]] = [()]
    scores = torch.zeros(1, device=forbidden.device)
    found: list[Continuation] = []
    for step in range(n_tokens + 1):
        if cancel.stop_reason() is not None:
            return []
        if step == n_tokens and follow is None:
            found += _continuations(paths, scores, None, follow)
            break
        rows = branches.read([(last_id, *ids) for ids in paths])
        logits = model.logits(branches.outputs[[row[-1] for row in rows]])  # (paths, V)
        log_probs = torch.log_softmax(logits, dim=-1)
        if blend is not None:
            log_probs = _blended(log_probs, [[*before, *ids] for ids in paths], blend)
        if step:
            found += _continuations(paths, scores, log_probs, follow)
        if step == n_tokens:
            break
        # Masked only now: where a line break is likely, all that goes on instead is not.
        log_probs = log_probs.masked_fill(forbidden if step else first_forbidden, -torch.inf)
        total = (scores[:, None] + log_probs).flatten()
        n_vocab = log_probs.shape[1]
        scores, chosen = total.topk(min(n_paths if may_go_on is None else _N_LOOKED_AT, len(total)))
        if may_go_on is not None:
            longer = [(*paths[idx // n_vocab], idx % n_vocab) for idx in chosen.tolist()]
            living = [n for n, path in enumerate(longer) if may_go_on(path)][:n_paths]
            scores, chosen = scores[living], chosen[living]
        scores = scores[scores > scores[:1] - _NATS_BEHIND]  # also drops what is forbidden
        if not len(scores):
            break
        if stop_early and found and scores[0].item() < _best(found) - _NATS_OF_DOUBT:
            break
        paths = [(*paths[idx // n_vocab], idx % n_vocab) for idx in chosen[: len(scores)].tolist()]
    return found


def _best(found: Sequence[Continuation]) -> float:
    return max(path.log_prob + path.log_follow for path in found)


def _continuations(
    paths: Sequence[tuple[int, ...]],
    scores: Tensor,
    log_probs: Tensor | None,
    follow: Tensor | None,
) -> list[Continuation]:
    """Paths with their scores (paths,), and what comes after them, log-probabilities (paths, V)."""
    log_follow = torch.zeros_like(scores)
    if log_probs is not None and follow is not None:
        log_follow = log_probs.masked_fill(~follow, -torch.inf).logsumexp(dim=1)
    return [
        Continuation(ids=ids, log_prob=log_prob, log_follow=following)
        for ids, log_prob, following in zip(
            paths, scores.tolist(), log_follow.tolist(), strict=True
        )
    ]


def _blended(log_probs: Tensor, contexts: Sequence[Sequence[int]], blend: Blend) -> Tensor:
    """Blend next-token log-probabilities (R, V) with the document's after R contexts."""
    probabilities = log_probs.exp()
    for row, context in zip(probabilities, contexts, strict=True):
        followers = blend.document.after(context)
        share = blend.share(followers)
        row.mul_(1 - share).add_(share * followers.other)
        if share and followers.probabilities:
            tokens = torch.tensor(list(followers.probabilities), device=row.device)
            extra = torch.tensor(list(followers.probabilities.values()), device=row.device)
            row.index_add_(0, tokens, extra - followers.other, alpha=share)
    return probabilities.log()
