"""Which tokens may stand where in a span: tables over the vocabulary, made once per checkpoint."""

import bisect

import torch
from torch import Tensor

from dgemma_engine.tokenizer import Tokenizer


class TokenRules:
    """Which tokens may stand where in a span; tables over the vocabulary, made once."""

    def __init__(self, tokenizer: Tokenizer, vocab_size: int, device: torch.device) -> None:
        table = tokenizer.token_bytes[:vocab_size]
        never = [not text or idx in tokenizer.special_ids for idx, text in enumerate(table)]
        never += [True] * (vocab_size - len(table))  # ids without a token
        line_ends = [b"\n" in text or b"\r" in text for text in table]
        line_ends += [False] * (vocab_size - len(line_ends))
        self.never = torch.tensor(never, device=device)
        self.line_ends = torch.tensor(line_ends, device=device)
        # Sorted, the tokens with a common beginning are neighbours.
        ids = sorted((idx for idx in range(len(table)) if not never[idx]), key=table.__getitem__)
        self._sorted_bytes = [table[idx] for idx in ids]
        self._sorted_ids = torch.tensor(ids, dtype=torch.long, device=device)

    def forbidden(self, *, single_line: bool) -> Tensor:
        """Tokens, bool (V,), that may stand nowhere in a span."""
        return self.never | self.line_ends if single_line else self.never

    def starting_with(self, text: bytes) -> Tensor:
        """Tokens, bool (V,), that begin with ``text``; the planner sees to it that some do."""
        first = bisect.bisect_left(self._sorted_bytes, text)
        end = bisect.bisect_right(
            self._sorted_bytes, text, lo=first, key=lambda token: token[: len(text)]
        )
        table = torch.zeros_like(self.never)
        table[self._sorted_ids[first:end]] = True
        return table
