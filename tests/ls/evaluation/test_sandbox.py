"""Programs that end well, badly or not at all, and what they cannot do."""

import socket
import time
from pathlib import Path

import pytest

from dgemma_ls.evaluation.sandbox import Verdict, can_run, network_is_cut, run_program

pytestmark = pytest.mark.skipif(not can_run(), reason="the sandbox needs a POSIX system")


def test_a_program_that_runs_to_its_end_has_passed() -> None:
    assert run_program("import math\nassert math.gcd(4, 6) == 2\n") is Verdict.PASSED


@pytest.mark.parametrize(
    "program",
    [
        "assert False",
        "def f(:",
        "raise SystemExit",
        "import sys; sys.exit(0)",
        "import os; os._exit(0)",
        "import os, signal; os.kill(os.getppid(), signal.SIGKILL)\nassert False",
        "text = '\udc80'",
    ],
)
def test_a_program_that_leaves_early_has_failed(program: str) -> None:
    assert run_program(program) is Verdict.FAILED


@pytest.mark.parametrize(
    "program",
    [
        "input()",
        "block = bytearray(2 << 30)",
        "open('big', 'w').write('x' * (2 << 20))",
        "files = [open('program.py') for _ in range(99)]",
        "import numpy",
    ],
)
def test_what_it_is_not_given_makes_it_fail(program: str) -> None:
    assert run_program(program) is Verdict.FAILED


def test_it_finds_an_empty_folder_and_nothing_of_our_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("A_SECRET", "1")
    program = (
        "import os\nassert os.listdir() == ['program.py']\nassert 'A_SECRET' not in os.environ"
    )
    assert run_program(program) is Verdict.PASSED


def test_endless_work_and_endless_waiting_time_out() -> None:
    assert run_program("while True: pass", cpu_seconds=1) is Verdict.TIMED_OUT
    started = time.monotonic()
    assert run_program("import time; time.sleep(60)", wall_seconds=0.5) is Verdict.TIMED_OUT
    assert time.monotonic() - started < 30


def test_no_connection_leaves_it() -> None:
    if not network_is_cut():
        pytest.skip("this system does not let a process leave the network")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        program = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 5)"
        assert run_program(program) is Verdict.FAILED


def test_nothing_that_it_started_stays_behind(tmp_path: Path) -> None:
    if not network_is_cut():
        pytest.skip("this system gives a process no namespace of its own")
    trace = tmp_path / "trace"
    program = f"""
import os, time
try:
    child = os.fork()
except OSError:  # not allowed: as good
    child = 1
if not child:
    os.setsid()
    time.sleep(0.5)
    open({str(trace)!r}, "w").close()
"""
    assert run_program(program) is Verdict.PASSED
    time.sleep(0.8)
    assert not trace.exists()
