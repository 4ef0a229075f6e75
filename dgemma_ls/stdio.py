"""Serves one client over stdin and stdout; knows nothing of what is served."""

import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from dgemma_ls import logs
from dgemma_ls.files import FileError
from dgemma_ls.protocol import DgemmaServer, Protocol

log = logging.getLogger(__name__)

_EXIT_PATIENCE_S = 0.5  # for the engine's current step; an editor expects us gone within two


def serve_stdio(
    *,
    create: Callable[[], DgemmaServer],
    log_file: str | Path | None = None,
    verbose: bool = False,
) -> int:
    """Serve one client over stdin and stdout until it says exit or goes away.

    Args:
        log_file: where to log instead of stderr.
        verbose: whether to log debug records.
        create: makes the server.

    Returns:
        The exit code, if nothing was served. Otherwise the process ends here and at once: a
        step in a kernel cannot be interrupted, nor a read, and taking torch down in good order
        takes a second in which nothing is saved.

    Raises:
        FileError: if the log file cannot be opened.
    """
    stdout = _take_stdout()
    try:
        logs.set_up(log_file=log_file, verbose=verbose)
    except OSError as err:
        raise FileError(f"cannot log to {log_file}: {err.strerror}; choose another file") from err
    server = create()
    server.owns_process = True
    server.start_io(sys.stdin.buffer, stdout)
    code = cast(Protocol, server.protocol).exit_code
    if server.session is not None:
        server.session.shut_down(_EXIT_PATIENCE_S)
    log.info("bye: code=%d", code)
    if server.session is not None or threading.active_count() > 1:
        logging.shutdown()  # what was sent is flushed: pygls does so after each message
        sys.stdout.flush()  # what libraries printed, which goes to stderr
        os._exit(code)
    return code


def _take_stdout() -> BinaryIO:
    """Keep stdout for the protocol; from here on all that is printed goes to stderr.

    On the level of file descriptors, as libraries in C++ print past ``sys.stdout``.
    """
    sys.stdout.flush()
    protocol_fd = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(protocol_fd, "wb")
