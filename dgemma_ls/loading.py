"""Loads the engine: the one place where torch comes into the process."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dgemma_engine import Engine

EMBEDDED = "embedded"


def load_engine(model: str = EMBEDDED, *, device: str = "auto") -> "Engine":
    """Load a model for this process.

    Args:
        model: ``"embedded"`` or a checkpoint folder, ``~`` allowed.
        device: a torch device, or ``"auto"``.

    Raises:
        EngineError: as ``dgemma_engine.load``.
    """
    # Read by OpenMP when torch is imported. By default its threads spin at every barrier, and a
    # busy machine (a build beside the editor) stretches a fill of 0.9 s to 4 s and up to 28 s.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if model == EMBEDDED:
        # So small that threads cost more than they bring: 485 ms a suggestion with one, 757 ms
        # with two that wait passively; two that spin took 394 ms, and seconds on a busy machine.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    import dgemma_engine

    checkpoint = model if model == EMBEDDED else Path(model).expanduser()
    return dgemma_engine.load(checkpoint, device=device)


def release_memory() -> None:
    """Give memory that no engine uses back to the device; where torch never came in, do nothing."""
    if "torch" in sys.modules:
        import dgemma_engine

        dgemma_engine.release_memory()
