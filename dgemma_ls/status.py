"""What the server is doing, as values for whoever shows it. No protocol types, no document text."""

import enum
from dataclasses import dataclass


class StatusKind(enum.Enum):
    """How well it goes; the values are those of ``didChangeStatus``."""

    NORMAL = "Normal"
    """Loading, waiting or working."""
    WARNING = "Warning"
    """It works, but worse than it should."""
    ERROR = "Error"
    """No model could be loaded."""
    INACTIVE = "Inactive"
    """Nothing is suggested here, on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One state of the server.

    Attributes:
        kind: how well it goes.
        busy: whether the engine works or loads.
        message: one sentence for a person; empty when all is well.
    """

    kind: StatusKind
    busy: bool
    message: str
