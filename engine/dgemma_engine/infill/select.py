"""The encoder as judge: the same weights read a candidate causally and say how likely it is.

A candidate must follow from what is before it and lead to what comes after. Its score is the
log-probability of its tokens and of the suffix' first few after them, which is the probability of
the text itself, up to what all candidates share. One causal pass serves all candidates; the encoder
can do it because it was trained with next-token loss. The idea is that of PILL's selection stage;
its mean over tokens is not taken over, as it rewards a weak model for repeating itself.
"""

import codecs
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from dgemma_engine.infill.document import Blend
from dgemma_engine.model.branches import Branches
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.tokenizer import Tokenizer

_N_SUFFIX_TOKENS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A candidate as the judge reads it: tokenised together with what follows.

    Attributes:
        inner: tokens of the candidate, at least one; the last may reach into the suffix.
        after: tokens of the suffix' first few, for all candidates the same text.
    """

    inner: tuple[int, ...]
    after: tuple[int, ...]


def read_together(text: str, right_ids: Sequence[int], tokenizer: Tokenizer) -> Reading:
    """Tokenise a candidate with the text of the suffix' first tokens.

    Where both meet, tokens may merge ("(" and ")" are one token in "foo()"), and a model that has
    read only natural tokens finds anything else most unlikely.
    """
    # A character may be cut in the middle by the last token; the decoder keeps its start back.
    decoder = codecs.getincrementaldecoder("utf-8")("surrogatepass")
    follows = decoder.decode(tokenizer.decode_bytes(right_ids[:_N_SUFFIX_TOKENS]))
    ids = tokenizer.encode(text + follows)
    n_inner, n_bytes = 0, len(text.encode("utf-8", "surrogatepass"))
    for token in ids:
        if n_bytes <= 0:
            break
        n_bytes -= len(tokenizer.token_bytes[token])
        n_inner += 1
    return Reading(inner=tuple(ids[:n_inner]), after=tuple(ids[n_inner:]))


@torch.inference_mode()
def judge(
    model: Transformer,
    branches: Branches,
    last_id: int,
    candidates: Sequence[Reading],
    blend: Blend | None = None,
    before: Sequence[int] = (),
) -> list[float]:
    """Score candidates between a prefix and a suffix.

    Args:
        model: the model.
        branches: after the encoded prefix without its last token; what is in them is not read anew.
        last_id: that token: its row predicts the candidates' first tokens.
        candidates: at least one.
        blend: the document's own statistics, if they shall have a say.
        before: the prefix' last tokens, ``last_id`` included, for the blend.

    Returns:
        Nats, one score each; higher is better, zero at most.
    """
    paths = [(last_id, *reading.inner, *reading.after) for reading in candidates]
    rows = branches.read([path[:-1] for path in paths])
    # What begins alike is predicted once, too.
    distinct = {row: idx for idx, row in enumerate(dict.fromkeys(itertools.chain(*rows)))}
    logits = model.logits(branches.outputs[list(distinct)])
    places = [distinct[row] for row in itertools.chain(*rows)]
    targets = [token for path in paths for token in path[1:]]
    log_probs = iter((logits[places, targets] - logits.logsumexp(dim=-1)[places]).tolist())
    scores = []
    for path in paths:
        of_path = list(itertools.islice(log_probs, len(path) - 1))
        if blend is not None:
            of_path = _blended(of_path, [*before[:-1], *path], blend)
        scores.append(sum(of_path))
    return scores


def _blended(log_probs: Sequence[float], ids: Sequence[int], blend: Blend) -> list[float]:
    """Blend the log-probabilities of the last tokens of ``ids`` with the document's."""
    first = len(ids) - len(log_probs)
    return [
        math.log(blend.probability(math.exp(log_p), ids[: first + idx], ids[first + idx]))
        for idx, log_p in enumerate(log_probs)
    ]
