"""The document as a language model: what followed the same tokens elsewhere in it.

A model with some hundred tokens of context forgets what a document of thousands repeats. Counting
does not: where the last tokens stand elsewhere in the document, what followed them there is likely
to follow here. The engine blends both, more of this one the more tokens agree. On held-out code
that takes half a nat a token off a small model; the weights belong to the checkpoint
(``InfillSettings.document_weights``), as a strong model needs less of it.

The estimate is interpolated Witten-Bell over contexts of 1 to N tokens, as in PPM. Pure Python.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Followers:
    """What may come next by the document alone.

    Attributes:
        n_matched: tokens of the context that stand elsewhere in a row, 0 for none.
        probabilities: of the tokens that followed them.
        other: the probability of each other token.
    """

    n_matched: int
    probabilities: dict[int, float]
    other: float

    def of(self, token: int) -> float:
        """The probability of one token."""
        return self.probabilities.get(token, self.other)


class DocumentModel:
    """Counts over the tokens around a gap; contexts are remembered, so one object per request."""

    def __init__(
        self, streams: Sequence[Sequence[int]], *, vocab_size: int, n_context: int
    ) -> None:
        """Index the document.

        Args:
            streams: token ids of pieces of the document; contexts do not reach from one to another.
            vocab_size: V.
            n_context: most tokens of a context.
        """
        self.n_context = n_context
        self._vocab_size = vocab_size
        # One list with a barrier that equals no token between the streams.
        self._ids: list[int] = []
        for ids in streams:
            self._ids += [*ids, -1]
        self._places: dict[int, list[int]] = {}
        for place, token in enumerate(self._ids):
            self._places.setdefault(token, []).append(place)
        self._known: dict[tuple[int, ...], Followers] = {}

    def after(self, context: Sequence[int]) -> Followers:
        """Tell what followed the last tokens of ``context``."""
        key = tuple(context[-self.n_context :])
        if (found := self._known.get(key)) is None:
            found = self._known[key] = self._count(key)
        return found

    def _count(self, context: tuple[int, ...]) -> Followers:
        ids = self._ids
        probabilities: dict[int, float] = {}
        other = 1 / self._vocab_size
        n_matched = 0
        places = self._places.get(context[-1], []) if context else []
        while places:
            followers = Counter(ids[place + 1] for place in places if ids[place + 1] >= 0)
            if not followers:
                break
            total = followers.total() + len(followers)
            kept = len(followers) / total  # Witten-Bell's share of the shorter contexts
            probabilities = {token: p * kept for token, p in probabilities.items()}
            for token, count in followers.items():
                probabilities[token] = probabilities.get(token, other * kept) + count / total
            other *= kept
            n_matched += 1
            if n_matched == len(context):
                break
            wanted = context[-1 - n_matched]
            places = [p for p in places if p >= n_matched and ids[p - n_matched] == wanted]
        return Followers(n_matched=n_matched, probabilities=probabilities, other=other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """A document model and how much of it to believe.

    Attributes:
        document: of this request.
        weights: the document's share by the number of tokens that agree, from 0.
    """

    document: DocumentModel
    weights: tuple[float, ...]

    def share(self, followers: Followers) -> float:
        """The document's share in the blend."""
        return self.weights[min(followers.n_matched, len(self.weights) - 1)]

    def probability(self, p_model: float, context: Sequence[int], token: int) -> float:
        """Blend the probability of one token after ``context``."""
        followers = self.document.after(context)
        share = self.share(followers)
        return (1 - share) * p_model + share * followers.of(token)
