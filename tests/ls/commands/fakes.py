"""An engine that says what it is told, and the program run on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from dgemma_engine.types import CancelToken, Candidate, InfillResult, Slot, SpanCheck, StopReason
from dgemma_ls.cli import main


@dataclass
class FakeEngine:
    """Gives ``texts``, or what ``answer`` makes of prefix and suffix."""

    texts: Sequence[str] = ("a",)
    answer: Callable[[str, str], Sequence[str]] | None = None
    max_span_tokens: int = 16
    asked: list[dict[str, Any]] = field(default_factory=list)

    @property
    def tokenizer(self) -> "FakeEngine":
        return self

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

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
        self.asked.append({"prefix": prefix, "suffix": suffix, "seed": seed, "lengths": lengths})
        texts = self.texts if self.answer is None else self.answer(prefix, suffix)
        return InfillResult(
            candidates=tuple(
                Candidate(text=text, score=-float(n), forwards=1, n_tokens=1)
                for n, text in enumerate(texts)
            ),
            stop=StopReason.STABLE,
            forwards=1,
            milliseconds=1.5,
        )


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


class Program:
    """Runs the program in this process, with a fake engine."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.engine = FakeEngine()
        self.loaded: list[str] = []

    def load(self, model: str) -> FakeEngine:
        self.loaded.append(model)
        return self.engine

    def __call__(self, *arguments: object) -> Ran:
        self._capsys.readouterr()
        code = main([str(argument) for argument in arguments], load=self.load)
        out, err = self._capsys.readouterr()
        return Ran(code, out, err)
