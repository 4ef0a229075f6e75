"""Waiting for what happens in another process."""

import time
from collections.abc import Callable

PATIENCE_S = 20.0  # only reached when a test fails


def wait_until(
    condition: Callable[[], bool],
    what: str,
    *,
    every_s: float = 0.01,
    patience_s: float = PATIENCE_S,
) -> None:
    """Wait until a condition holds; ``what`` says in the test's words that it does."""
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(every_s)
