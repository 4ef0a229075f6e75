"""Work that may be put down between two steps: generators, so that whoever runs them has a say."""

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")
Steps = Generator[None, None, T]
"""Each ``next`` does a little, milliseconds mostly; the return value is the result."""


def run_through(steps: Steps[T]) -> T:
    """Do all steps at once and give the result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
