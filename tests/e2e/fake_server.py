"""The real server around a fake engine, so that a test decides when a computation ends.

The engine looks at the line before the cursor: after ``slow`` it steps until it is told to stop,
after ``deaf`` it never stops, after ``boom`` it fails, after ``huge`` it has no memory (not on the
CPU, unless the line says ``vast``), else it answers at once. A text is rewritten by its words in
capitals, a hole gets its number, some misspellings are known, words with ``wrong`` in them are
surprising. What it does is kept in a
journal, which a test reads with the request ``fake/journal``.
"""

import asyncio
import re
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from dgemma_engine.errors import CheckpointError, OutOfMemoryError, RequestError
from dgemma_engine.types import (
    CancelToken,
    InfillResult,
    JointCandidate,
    JointResult,
    Place,
    Span,
    SpanCheck,
    StopReason,
    TokenReading,
)
from dgemma_ls.server import DgemmaServer, create_server, serve_stdio
from dgemma_ls.settings import Settings
from tests.engines import Asked, StandIn, result

_STEP_S = 0.005
_RIGHT = ("receive", "separate", "definitely")


class FakeEngine(StandIn):
    """Answers ``value`` and then ``other``."""

    def __init__(self, journal: list[str], prefixes: list[str], device: str = "cpu") -> None:
        self._journal, self._prefixes = journal, prefixes
        self._device = device

    def fill(self, asked: Asked) -> InfillResult:
        prefix, cancel = asked.prefix, asked.cancel
        assert cancel is not None
        print("a line that must not reach the protocol")
        line = prefix.rsplit("\n", 1)[-1]
        self._journal.append(f"start {line}")
        self._prefixes.append(asked.context + prefix)
        if "boom" in line:
            raise ValueError(f"cannot fill {prefix}")
        if "vast" in line or ("huge" in line and self._device != "cpu"):
            raise OutOfMemoryError(f"{self._device} has no memory left", device=self._device)
        stop = StopReason.STABLE
        if "slow" in line or "deaf" in line:
            stop = self._step_until(cancel, deaf="deaf" in line)
        self._journal.append(f"{stop.value} {line}")
        texts = () if stop is StopReason.CANCELLED else ("value", "other", ")")
        return result(*texts[: asked.n_candidates], stop=stop)

    def rewrite(
        self,
        prefix: str,
        text: str,
        suffix: str,
        *,
        context: str = "",
        instruction: str = "",
        strength: float = 0.5,
        max_changed: int | None = None,
        n_candidates: int = 3,
        seed: int = 0,
        check: SpanCheck | None = None,
        cancel: CancelToken | None = None,
    ) -> InfillResult:
        assert cancel is not None
        if instruction:
            raise RequestError("this model follows no instructions; leave the instruction out")
        self._prefixes.append(context + prefix)
        self._journal.append(f"rewrite {text} {strength} {max_changed}")
        stop = StopReason.STABLE
        if "slow" in text:
            stop = self._step_until(cancel, deaf=False)
            self._journal.append(f"{stop.value} {text}")
        found = () if stop is StopReason.CANCELLED else (re.sub(r"[a-z]{4,}", _capitals, text),)
        return result(*(it for it in found if it != text), stop=stop)

    def infill_jointly(
        self,
        text: str,
        spans: Sequence[Span],
        *,
        context: str = "",
        multiline: bool = False,
        n_candidates: int = 3,
        seed: int = 0,
        accept: Callable[[tuple[str, ...]], bool] | None = None,
        cancel: CancelToken | None = None,
    ) -> JointResult:
        self._prefixes.append(context + text[: spans[0].start])
        self._journal.append(f"jointly {len(spans)}")
        texts = tuple(str(number) for number, _ in enumerate(spans))
        accepted = accept is None or accept(texts)
        return JointResult(
            candidates=(JointCandidate(texts=texts, score=0.0),) if accepted else (),
            stop=StopReason.STABLE,
            forwards=1,
            milliseconds=0.0,
        )

    def compare(
        self, text: str, places: Sequence[Place], *, cancel: CancelToken | None = None
    ) -> list[tuple[float, ...]]:
        """Find the right spellings of some words likelier than anything else."""
        time.sleep(_STEP_S)
        self._journal.append(f"compare {len(places)}")
        return [
            tuple(8.0 * any(word in option for word in _RIGHT) for option in place.texts)
            for place in places
        ]

    def read(
        self, text: str, *, window: int | None = None, cancel: CancelToken | None = None
    ) -> list[TokenReading]:
        """Find every letter of words with ``wrong`` in them surprising."""
        self._journal.append("read")
        return [
            TokenReading(
                span=Span(start=word.start(), end=word.end()),
                margin=0.0,
                surprisal=60.0 if "wrong" in word.group() else 0.0,
            )
            for word in re.finditer(r"\w+|\W+", text)
        ]

    def _step_until(self, cancel: CancelToken, *, deaf: bool) -> StopReason:
        while (reason := cancel.stop_reason()) is None or deaf:
            time.sleep(_STEP_S)
        return reason


def _capitals(match: re.Match[str]) -> str:
    return match.group().upper()


def create_fake() -> DgemmaServer:
    """Make a server with the fake engine and its journal."""
    journal: list[str] = []
    prefixes: list[str] = []

    def load(settings: Settings) -> FakeEngine:
        journal.append(f"load {settings.model} on {threading.current_thread().name}")
        if settings.model == "missing":
            raise CheckpointError("missing is no model folder; choose another")
        return FakeEngine(journal, prefixes, settings.device)

    server = create_server(load)

    @server.feature("fake/journal")
    async def read_journal(params: Any) -> list[str]:
        """Give the journal once it contains what the request names."""
        while params.wait_for not in journal:
            await asyncio.sleep(_STEP_S)
        return journal

    @server.feature("fake/prefixes")
    def read_prefixes(params: Any) -> list[str]:
        return prefixes

    @server.feature("test/text")
    def read_text(params: Any) -> str | None:
        snapshot = server.open_session.document(params.uri)
        return None if snapshot is None else snapshot.text

    @server.feature("fake/modules")
    def read_modules(params: Any) -> list[str]:
        return sorted(sys.modules)

    return server


if __name__ == "__main__":
    log_file = sys.argv[1] if len(sys.argv) > 1 else None
    sys.exit(serve_stdio(log_file=log_file, verbose=True, create=create_fake))
