"""The encoder as a proposer: the same weights continue the prefix token by token.

At the scale of the embedded model next-token prediction is learned long before denoising, so a
short causal continuation is often the better draft. It does not know what comes after the gap;
the judge does.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.types import CancelToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """The first tokens of one causal path, at least one."""

    ids: tuple[int, ...]


@torch.inference_mode()
def propose_continuations(
    model: Transformer,
    kv: KVCache,
    last_id: int,
    rules: TokenRules,
    *,
    must_start: bytes,
    single_line: bool,
    n_paths: int,
    n_tokens: int,
    cancel: CancelToken,
) -> list[Continuation]:
    """Continue a prefix greedily from its likeliest next tokens.

    Args:
        model: the model.
        kv: the encoded prefix without its last token.
        last_id: that token.
        rules: of the checkpoint's vocabulary.
        must_start: bytes with which the first token begins, see ``planner.CanvasRow``.
        single_line: whether a path ends before a line break.
        n_paths: how many first tokens to follow.
        n_tokens: most tokens of a path.
        cancel: asked before every token.

    Returns:
        Every beginning of the likeliest path, and of each further path half as many tokens as of
        the one before: the less likely the start, the less of it is worth judging.
    """
    forbidden = rules.forbidden(single_line=single_line)
    first_forbidden = forbidden | ~rules.starting_with(must_start) if must_start else forbidden
    past = kv.visible()
    position = kv.n_tokens
    ids = torch.tensor([[last_id]], device=forbidden.device)
    paths = torch.empty((1, 0), dtype=torch.long, device=forbidden.device)
    ended: Tensor | None = None  # path by path, the number of tokens before it ended
    for step in range(n_tokens):
        if cancel.stop_reason() is not None:
            return []
        output, new = model.encode(ids, position, past, want_output=True)
        assert output is not None
        logits = model.logits(output[:, -1])  # (paths, V)
        if step == 0:
            allowed = logits[0].masked_fill(first_forbidden, -torch.inf)
            n_paths = min(n_paths, int(allowed.isfinite().sum()))
            if not n_paths:
                return []
            ids = allowed.topk(n_paths).indices[:, None]
            past = [(k.expand(n_paths, -1, -1, -1), v.expand(n_paths, -1, -1, -1)) for k, v in past]
            new = [(k.expand(n_paths, -1, -1, -1), v.expand(n_paths, -1, -1, -1)) for k, v in new]
            paths = ids
            ended = torch.full((n_paths,), n_tokens, device=ids.device)
        else:
            assert ended is not None
            ids = logits.argmax(dim=-1, keepdim=True)
            ends_now = forbidden[ids.squeeze(1)] & (ended > step)
            ended = torch.where(ends_now, step, ended)
            paths = torch.cat((paths, ids), dim=1)
        position += 1
        past = [
            (torch.cat((k, new_k), dim=2), torch.cat((v, new_v), dim=2))
            for (k, v), (new_k, new_v) in zip(past, new, strict=True)
        ]
    assert ended is not None
    found: dict[tuple[int, ...], Continuation] = {}
    for idx, (path, n_usable) in enumerate(zip(paths.tolist(), ended.tolist(), strict=True)):
        for length in range(1, min(n_usable, max(1, n_tokens >> idx)) + 1):
            beginning = tuple(path[:length])
            found.setdefault(beginning, Continuation(ids=beginning))
    return list(found.values())
