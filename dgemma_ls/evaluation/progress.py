"""How far a run is, told on a stream."""

import time
from collections.abc import Callable
from typing import TextIO

_PLAIN_PROGRESS_S = 30.0  # between lines, where a line cannot be written over


class Progress:
    """How far the run is, and how long it still takes, on one line that is written over."""

    def __init__(
        self,
        n_cases: int,
        stream: TextIO,
        clock: Callable[[], float] = time.monotonic,
        *,
        noun: str = "cases",
    ) -> None:
        self._n_cases, self._stream, self._clock, self._noun = n_cases, stream, clock, noun
        self._started = self._shown = clock()

    def show(self, n_done: int) -> None:
        """Tell that so many cases are done."""
        now = self._clock()
        over = self._stream.isatty()
        if not over and now - self._shown < _PLAIN_PROGRESS_S and n_done < self._n_cases:
            return
        self._shown = now
        seconds = (now - self._started) / n_done
        left = seconds * (self._n_cases - n_done)
        done = f"{n_done}/{self._n_cases} {self._noun}"
        line = f"{done}, {seconds:.2f} s each, {_duration(left)} left"
        self._stream.write(f"\r{line:<70}" if over else f"{line}\n")
        self._stream.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._stream.isatty():
            self._stream.write("\n")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
