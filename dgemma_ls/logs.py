"""Logging set-up, and the promise that no document text is ever logged, at any level.

Our own records say facts (counts, milliseconds, reasons) and pass as they are. What other
packages log is theirs to decide (pygls logs whole messages with the document in them), so of
their records only the fixed part is kept. Exceptions lose their message, which may quote text,
and keep their type and stack; those of the engine's error tree are written by us and keep it.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from dgemma_engine.errors import EngineError

_OURS = ("dgemma_ls", "dgemma_engine")
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def set_up(*, log_file: str | Path | None, verbose: bool) -> logging.Handler:
    """Send all logging to a file, or else to stderr; stdout belongs to the protocol.

    Args:
        log_file: appended to; its folder must exist.
        verbose: whether debug records are kept.

    Returns:
        The handler that was put on the root logger in place of any other.

    Raises:
        OSError: if the file cannot be opened.
    """
    handler: logging.Handler
    if log_file is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        handler = logging.FileHandler(log_file, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(_Formatter(_FORMAT))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    # One line per message sent would say nothing: its content is cut out.
    logging.getLogger("pygls").setLevel(logging.WARNING)
    # A record that cannot be formatted would be dumped on stderr, arguments and all.
    logging.raiseExceptions = False
    return handler


class _Formatter(logging.Formatter):
    """Writes a copy of the record without anything that a document could have put there.

    Not a filter: until Python 3.12 a filter cannot put a copy in a record's place, and other
    handlers shall get the original.
    """

    def format(self, record: logging.LogRecord) -> str:
        kept = logging.makeLogRecord(record.__dict__)
        # Another handler's formatter may have left an exception's full text here.
        kept.exc_text = None
        if record.name.split(".", 1)[0] not in _OURS:
            if not record.args:
                # The message may have been put together by hand: say only where.
                kept.msg = f"({record.module}.{record.funcName}, line {record.lineno})"
            # With arguments the message is a fixed template, like 'Sending data: %s'.
            kept.args = ()
            kept.stack_info = None
        return super().format(kept)

    def formatException(self, ei: _ExcInfo) -> str:
        """Write stack and type of an exception and of its causes, not what they say."""
        if ei[1] is None:
            return ""
        return "\n".join(_describe(error) for error in _chain(ei[1]))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give the causes of an error, the first one first, then itself."""
    errors: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in errors:
        errors.append(current)
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )
    return reversed(errors)


def _describe(error: BaseException) -> str:
    stack = "".join(traceback.format_tb(error.__traceback__))
    kind = type(error).__qualname__
    return f"{stack}{kind}: {error}" if isinstance(error, EngineError) else f"{stack}{kind}"
