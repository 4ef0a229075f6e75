"""Watching another process; what follows from its end is shown in tests/e2e."""

import os
import subprocess
import sys
import threading

import pytest

from dgemma_ls.watchdog import watch_process

_PATIENCE_S = 10.0  # only reached when a test fails

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts `sleep`")


@pytest.mark.parametrize("has_pidfd", [True, False])
def test_the_end_of_a_process_is_noticed_once(
    has_pidfd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_pidfd:
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    calls: list[str] = []
    called = threading.Event()

    def on_gone() -> None:
        calls.append(threading.current_thread().name)
        called.set()

    process = subprocess.Popen(["sleep", "600"])
    try:
        assert watch_process(process.pid, on_gone)
        assert not called.is_set()
    finally:
        process.kill()
        process.wait()

    assert called.wait(_PATIENCE_S)
    assert calls == ["dgemma-watchdog"]


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1, 2**80])
def test_a_number_that_is_no_process_here_is_not_watched(pid: int) -> None:
    assert not watch_process(pid, lambda: None)


def test_a_process_of_somebody_else_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end is still seen: a pidfd needs no permission to signal."""

    def forbid(pid: int, signal: int) -> None:
        raise PermissionError

    process = subprocess.Popen(["sleep", "600"])
    called = threading.Event()
    try:
        with monkeypatch.context() as patched:
            patched.setattr(os, "kill", forbid)
            assert watch_process(process.pid, called.set)
    finally:
        process.kill()
        process.wait()

    assert called.wait(_PATIENCE_S)
