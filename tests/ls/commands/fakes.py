"""An engine that says what it is told, and the program run on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from dgemma_engine.types import InfillResult
from dgemma_ls.cli import main
from tests.engines import Asked, StandIn, result


@dataclass
class FakeEngine(StandIn):
    """Gives ``texts``, or what ``answer`` makes of prefix and suffix."""

    texts: Sequence[str] = ("a",)
    answer: Callable[[str, str], Sequence[str]] | None = None
    max_span_tokens: int = 16
    asked: list[dict[str, Any]] = field(default_factory=list)

    def fill(self, asked: Asked) -> InfillResult:
        told = {name: getattr(asked, name) for name in ("prefix", "suffix", "seed", "lengths")}
        self.asked.append(told)
        made = self.texts if self.answer is None else self.answer(asked.prefix, asked.suffix)
        return result(*made, milliseconds=1.5)


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
