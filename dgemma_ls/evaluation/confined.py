"""The inside of the sandbox: shuts the process in, then runs a program. Standard library only.

``sandbox.py`` starts this file as ``python -I -S -B confined.py PROGRAM CPU_SECONDS``. A process of
its own does it, rather than a ``preexec_fn``: that one runs between fork and exec of a process that
has torch's threads, where next to nothing is allowed.
"""

import contextlib
import os
import sys

PASSED, FAILED, TIMED_OUT, ISOLATED = 87, 1, 88, 89
"""Exit codes. A program that merely ends (with 0, as ``sys.exit()`` does) has not passed."""

PROBE = "--probe"
"""In the program's place: only say whether there is a way to cut the network off."""

MEMORY_BYTES = 1 << 30
FILE_BYTES = 1 << 20
_OPEN_FILES = 32
_CLOCK_TICKS = 0.1  # seconds; the limit and the usage are not measured by the same clock

_CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000


def main(program: str, cpu_seconds: int) -> int:
    """Run a program confined; give the exit code."""
    with open(program, encoding="utf-8") as file:
        source = file.read()
    _leave_network()
    # After unsharing, the first child is the first process of its own namespace: with it, the
    # kernel ends all that it has started, even what left the process group.
    child = os.fork()
    if not child:
        _run(source, cpu_seconds)  # does not return
    _, status, usage = os.wait4(child, 0)
    if usage.ru_utime + usage.ru_stime >= cpu_seconds - _CLOCK_TICKS:
        return TIMED_OUT
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else FAILED


def _run(source: str, cpu_seconds: int) -> None:
    code = FAILED
    try:
        _limit(cpu_seconds)
        exec(compile(source, "program.py", "exec"), {"__name__": "__main__"})  # noqa: S102
        code = PASSED
    except BaseException:  # noqa: BLE001, S110 - whatever it is, the program has not passed
        pass
    finally:
        os._exit(code)  # no thread and no atexit handler of the program gets another word


def _leave_network() -> bool:
    """Leave the namespaces of network and processes, where the system lets us."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):  # no Linux: no such function
        unshare = ctypes.CDLL(None).unshare
        both = _CLONE_NEWNET | _CLONE_NEWPID
        # Without privileges it takes a namespace of users; root may do without one.
        return bool(unshare(_CLONE_NEWUSER | both) == 0 or unshare(both) == 0)
    return False


def _limit(cpu_seconds: int) -> None:
    """Set what the process may use; a limit that the system does not know is left out."""
    import resource

    limits = {
        "RLIMIT_CPU": cpu_seconds,
        "RLIMIT_AS": MEMORY_BYTES,
        "RLIMIT_FSIZE": FILE_BYTES,
        "RLIMIT_NOFILE": _OPEN_FILES,
        "RLIMIT_NPROC": 0,
        "RLIMIT_CORE": 0,
    }
    for name, most in limits.items():
        with contextlib.suppress(OSError, ValueError, AttributeError):
            resource.setrlimit(getattr(resource, name), (most, most))


if __name__ == "__main__":
    if sys.argv[1] == PROBE:
        sys.exit(ISOLATED if _leave_network() else 0)
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
