"""The encoder as a proposer: the same weights continue the prefix token by token.

At the scale of the embedded model next-token prediction is learned long before denoising, so a
short causal continuation is often the better draft. It does not know what comes after the gap;
the judge does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.kv_cache import KVCache
from dgemma_engine.model.attention import KeysValues
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
    ids = torch.tensor([[last_id]], device=forbidden.device)
    paths: list[list[int]] = []
    for step in range(n_tokens):
        if cancel.stop_reason() is not None:
            return []
        output, new = model.encode(ids, kv.n_tokens + step, past, want_output=True)
        assert output is not None
        logits = model.logits(output[:, -1])  # (paths going on, V)
        if step == 0:
            allowed = logits[0].masked_fill(first_forbidden, -torch.inf)
            first = allowed.topk(min(n_paths, int(allowed.isfinite().sum()))).indices
            paths = [[token] for token in first.tolist()]
        else:
            for path, token in zip(paths, logits.argmax(dim=-1).tolist(), strict=False):
                path.append(token)
        # Paths are in the order of their lengths, so those that go on are the first ones.
        n_going_on = sum(n_tokens >> idx > step + 1 for idx in range(len(paths)))
        if not n_going_on:
            break
        ids = torch.tensor([[path[-1]] for path in paths[:n_going_on]], device=ids.device)
        past = [_append(old, fresh, n_going_on) for old, fresh in zip(past, new, strict=True)]
    stops = set(forbidden.nonzero().flatten().tolist())
    found = dict.fromkeys(beginning for path in paths for beginning in _beginnings(path, stops))
    return [Continuation(ids=ids) for ids in found]


def _append(old: KeysValues, new: KeysValues, n_rows: int) -> KeysValues:
    """Add one token's keys and values, for the first rows only; one row may stand for all."""
    keys, values = (
        torch.cat([rows.expand(max(n_rows, len(rows)), -1, -1, -1)[:n_rows] for rows in pair], 2)
        for pair in zip(old, new, strict=True)
    )
    return keys, values


def _beginnings(path: list[int], stops: set[int]) -> Iterator[tuple[int, ...]]:
    """Yield every beginning of a path up to a token that may not stand in a span."""
    for length, token in enumerate(path, start=1):
        if token in stops:
            return
        yield tuple(path[:length])
