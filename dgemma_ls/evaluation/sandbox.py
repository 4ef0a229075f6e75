"""Runs a program that a model wrote a part of, away from everything else, and says how it ended.

A fresh interpreter in isolated mode, an empty environment, an empty folder that is thrown away, no
input; limits on processor time, memory, file size, open files and (but for root) processes; no
network and no process left behind where the system allows that (:func:`network_is_cut`). What it
does not do: hide files. The program may read and write what the user may.
"""

import contextlib
import enum
import os
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from dgemma_ls.evaluation import confined

CPU_SECONDS = 5
_WALL_PER_CPU = 3  # a busy machine gives a process less than all of a processor


class Verdict(enum.Enum):
    """How a program ended."""

    PASSED = "passed"
    """It ran to its last line."""
    FAILED = "failed"
    """It raised, left early, crashed or met a limit."""
    TIMED_OUT = "timed out"


_VERDICTS = {confined.PASSED: Verdict.PASSED, confined.TIMED_OUT: Verdict.TIMED_OUT}


def can_run() -> bool:
    """Say whether this system has what the sandbox is made of."""
    return os.name == "posix"


@cache
def network_is_cut() -> bool:
    """Say whether programs run without network, and leave no process behind for sure."""
    with tempfile.TemporaryDirectory() as folder:
        return _start(folder, confined.PROBE, wall_seconds=30) == confined.ISOLATED


def run_program(
    source: str, *, cpu_seconds: int = CPU_SECONDS, wall_seconds: float | None = None
) -> Verdict:
    """Run a Python program.

    Args:
        source: all of it.
        cpu_seconds: processor time, at least 1.
        wall_seconds: time by the clock; thrice the processor time by default.
    """
    if wall_seconds is None:
        wall_seconds = _WALL_PER_CPU * cpu_seconds
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder, "program.py")
        path.write_text(source, encoding="utf-8", errors="surrogatepass")
        code = _start(folder, str(path), str(cpu_seconds), wall_seconds=wall_seconds)
    return Verdict.TIMED_OUT if code is None else _VERDICTS.get(code, Verdict.FAILED)


def _start(folder: str, *arguments: str, wall_seconds: float) -> int | None:
    """Run ``confined.py`` and give its exit code, ``None`` when it took too long."""
    process = subprocess.Popen(  # noqa: S603 - our own file; what it runs is the point
        [sys.executable, "-I", "-S", "-B", confined.__file__, *arguments],
        cwd=folder,
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(wall_seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):  # nobody is left: the usual case
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
