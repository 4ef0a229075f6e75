"""Which tokens may stand where in a span: tables over the vocabulary, made once per checkpoint."""

import torch
from torch import Tensor

from dgemma_engine.tokenizer import Tokenizer


class TokenRules:
    """Which tokens may stand where in a span; tables over the vocabulary, made once."""

    def __init__(self, tokenizer: Tokenizer, vocab_size: int, device: torch.device) -> None:
        self._bytes = tokenizer.token_bytes[:vocab_size]
        never = [not text or idx in tokenizer.special_ids for idx, text in enumerate(self._bytes)]
        never += [True] * (vocab_size - len(self._bytes))  # ids without a token
        line_ends = [b"\n" in text or b"\r" in text for text in self._bytes]
        line_ends += [False] * (vocab_size - len(line_ends))
        self.never = torch.tensor(never, device=device)
        self.line_ends = torch.tensor(line_ends, device=device)

    def forbidden(self, *, single_line: bool) -> Tensor:
        """Tokens, bool (V,), that may stand nowhere in a span."""
        return self.never | self.line_ends if single_line else self.never

    def starting_with(self, text: bytes) -> Tensor:
        """Tokens, bool (V,), that begin with ``text``; the planner sees to it that some do."""
        return self._table([token.startswith(text) for token in self._bytes])

    def _table(self, allowed: list[bool]) -> Tensor:
        padding = [False] * (len(self.never) - len(allowed))
        return torch.tensor(allowed + padding, device=self.never.device) & ~self.never
