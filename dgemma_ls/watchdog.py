"""Notices that the editor is gone although its end of the pipe stays open.

Usually the end of stdin says so; but a child of the editor may hold the pipe, and the loop may be
busy. An orphan would keep the weights in memory for ever. Knows no protocol types.
"""

import ctypes
import logging
import os
import select
import sys
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

_POLL_S = 0.5
_SYNCHRONIZE = 0x00100000  # access right of Windows' OpenProcess
_FOREVER = 0xFFFFFFFF


def watch_process(pid: int, on_gone: Callable[[], None]) -> bool:
    """Call ``on_gone`` once, from a thread of its own, when a process has ended.

    Args:
        pid: the process, as the client names it.
        on_gone: called on the watching thread.

    Returns:
        False if there is no such process: the client lives in another name space (a container,
        another machine), so nothing can be said of it and nothing is watched.
    """
    if not _exists(pid):
        log.warning("cannot watch process %d: there is none of this number here", pid)
        return False

    def watch() -> None:
        _wait(pid)
        log.info("process %d is gone", pid)
        on_gone()

    threading.Thread(target=watch, name="dgemma-watchdog", daemon=True).start()
    return True


def end_process(code: int, patience_s: float) -> None:
    """End this process at once, if it does not end by itself in ``patience_s``."""
    time.sleep(patience_s)
    logging.shutdown()
    os._exit(code)


if sys.platform == "win32":

    def _exists(pid: int) -> bool:
        # os.kill(pid, 0) would end the process here, or send it Ctrl-C.
        handle = ctypes.windll.kernel32.OpenProcess(_SYNCHRONIZE, False, pid)
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)

    def _wait(pid: int) -> None:
        handle = ctypes.windll.kernel32.OpenProcess(_SYNCHRONIZE, False, pid)
        if handle:
            ctypes.windll.kernel32.WaitForSingleObject(handle, _FOREVER)
            ctypes.windll.kernel32.CloseHandle(handle)

else:

    def _exists(pid: int) -> bool:
        if pid <= 0:  # these numbers mean groups of processes
            return False
        try:
            os.kill(pid, 0)
        except PermissionError:  # it exists, and is somebody else's
            return True
        except (ProcessLookupError, OverflowError):
            return False
        return True

    def _wait(pid: int) -> None:
        if hasattr(os, "pidfd_open"):  # Linux: no polling, and the number cannot be reused
            try:
                pidfd = os.pidfd_open(pid)
            except ProcessLookupError:
                return
            except OSError as err:  # an old kernel, or a sandbox
                log.info("no pidfd: %s", err.strerror)
            else:
                select.select([pidfd], [], [])
                os.close(pidfd)
                return
        while _exists(pid):
            time.sleep(_POLL_S)
