"""How far a step is and how long it still takes, told on a stream."""

import sys
import time
from collections.abc import Callable
from typing import Self, TextIO

OnProgress = Callable[[float, float], None]
"""Called with what is done and what there is in all, in any unit."""

_WIDTH = 24
_TERMINAL_SECONDS = 0.1  # between two drawings
_PLAIN_SECONDS = 30.0  # between lines, where a line cannot be written over
_SETTLING_SECONDS = 2.0  # before this, an estimate would be a guess


def no_progress(done: float, total: float) -> None:
    """Tell nobody."""


class ProgressBar:
    """A bar with the time left: one line written over on a terminal, else a line now and then."""

    def __init__(
        self,
        step: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the clock.

        Args:
            step: what the bar is of.
            stream: where it is drawn; standard error by default.
            clock: gives seconds.
        """
        self._step, self._clock = step, clock
        self._stream = sys.stderr if stream is None else stream
        self._over = self._stream.isatty()
        self._started = self._shown = clock()
        self._line = ""

    def __call__(self, done: float, total: float) -> None:
        """Tell that so much is done; an :data:`OnProgress`."""
        now = self._clock()
        pause = _TERMINAL_SECONDS if self._over else _PLAIN_SECONDS
        if now - self._shown < pause and done < total:
            return
        self._shown = now
        share = done / total if total else 1.0
        line = f"{self._step}: {self._bar(share)}{share:4.0%}{self._left(now, share)}"
        if line != self._line:
            self._line = line
            self._draw()

    def report(self, line: str) -> None:
        """Print a line of its own on standard output, above the bar."""
        if self._over and self._line:
            self._stream.write("\r" + " " * len(self._line) + "\r")
            self._stream.flush()
        print(line, flush=True)
        if self._over and self._line:
            self._draw()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bar's line."""
        if self._over and self._line:
            self._stream.write("\n")
            self._stream.flush()

    def _draw(self) -> None:
        self._stream.write(f"\r{self._line:<70}" if self._over else f"{self._line}\n")
        self._stream.flush()

    def _bar(self, share: float) -> str:
        if not self._over:
            return ""
        n_full = round(share * _WIDTH)
        return f"[{'#' * n_full}{'.' * (_WIDTH - n_full)}] "

    def _left(self, now: float, share: float) -> str:
        elapsed = now - self._started
        if share <= 0 or share >= 1 or elapsed < _SETTLING_SECONDS:
            return ""
        return f", {duration(elapsed * (1 - share) / share)} left"


def duration(seconds: float) -> str:
    """Give a time in seconds or minutes, whichever reads better."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
