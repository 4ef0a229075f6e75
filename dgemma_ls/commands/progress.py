"""Shows on a terminal how far a long command is; elsewhere nothing, so that logs stay readable."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

T = TypeVar("T")


def tracked(items: Iterable[T], total: int, description: str) -> Iterator[T]:
    """Give the items, with a bar on stderr while they are worked through."""
    if not sys.stderr.isatty():
        return iter(items)
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return iter(track(items, description=description, total=total, console=console, transient=True))


def busy(description: str) -> AbstractContextManager[Any]:
    """Say on stderr what takes so long, as long as it takes."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(description)
