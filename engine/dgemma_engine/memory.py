"""What to do when a device has no memory left: let go of what can be made again, then ask for less.

A prefix cache and torch's own cache are the first to go; a request is then tried once more.
"""

import gc
from collections.abc import Callable
from typing import TypeVar

import torch

from dgemma_engine.errors import OutOfMemoryError

T = TypeVar("T")

_CPU_ALLOCATOR = "DefaultCPUAllocator"  # torch has no class for it: a plain RuntimeError says so


def within_memory(
    work: Callable[[], T],
    smaller: Callable[[], T],
    *,
    device: torch.device,
    forget: Callable[[], None],
) -> T:
    """Do some work; where memory runs out, forget what can be made again and do a smaller one.

    Args:
        work: what to do.
        smaller: the same with less.
        device: what it runs on.
        forget: drops what the caller keeps.

    Raises:
        OutOfMemoryError: the smaller one does not fit either.
    """
    try:
        return work()
    except (RuntimeError, MemoryError) as err:
        if not is_out_of_memory(err):
            raise
    # Past the handler: until there, the error's stack holds the tensors that took the memory.
    forget()
    release_memory()
    try:
        return smaller()
    except (RuntimeError, MemoryError) as err:
        if not is_out_of_memory(err):
            raise
    forget()
    release_memory()
    raise OutOfMemoryError(
        f"{device} has no memory left; end what else uses it, or choose a smaller checkpoint or"
        " another device",
        device=device.type,
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that a device has no memory left."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or _CPU_ALLOCATOR in str(error)


def release_memory() -> None:
    """Give memory that nothing uses back to the device, for other programs."""
    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()
