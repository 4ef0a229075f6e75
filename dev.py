#!/usr/bin/env python3
"""The tasks of this repository, for people and CI alike: ``python3 dev.py --help``.

Standard library only: it runs on a machine that has Python and nothing else prepared. Whatever it
installs goes into ``.venv`` beside it; it knows no package index, that is pip's configuration.
"""

from __future__ import annotations  # an older Python must come as far as being told that it is old

import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

USAGE = """usage: python3 dev.py COMMAND

  demo          fill holes in a file of this repository on the embedded model; writes nothing
  test [ARGS]   check, then the tests marked neither slow nor editor; ARGS go to pytest, as below
  setup         only make .venv, with the development tools
  check         ruff check, ruff format --check, mypy, lint-imports
  fix           ruff check --fix, ruff format
  e2e [ARGS]    only the tests that talk to a real server
  slow [ARGS]   only the tests marked slow
  editors [ARGS]  only the tests in real editors, which it fetches first (Debian on x86-64)
  vscode [ARGS]   only the tests of the extension in VS Code, which it fetches first: minutes, once
  all           test, slow, editors, vscode: what CI runs
  bench [ARGS]  speed and memory on this machine: dgemma-ls bench

Each first sees to it that .venv has what it needs: minutes the first time, nothing when nothing
changed. Delete .venv to start afresh."""

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
STAMP = VENV / "dev-stamp.json"
PYTEST = ("python", "-m", "pytest", "-m")  # the last -m is pytest's: which marks
FETCH_EDITORS = "tests/editors/fetch.py"
FETCH_VSCODE = "tests.editors.fetch_vscode"
CHECKS = (("ruff", "check"), ("ruff", "format", "--check"), ("mypy",), ("lint-imports",))

_BAD_INPUT = 2
_INTERRUPTED = 130  # 128 + SIGINT, as the shell has it
_PYTEST_FOUND_NO_TESTS = 5
_NO_EDITORS_HERE = 3  # as tests/editors/fetch.py has it


class StopError(Exception):
    """The command cannot go on: one sentence with the way out, and the exit code."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


class Stamp(NamedTuple):
    """What ``.venv`` was set up for."""

    key: str
    extras: frozenset[str]

    def serves(self, key: str, extras: Iterable[str]) -> bool:
        """Tell whether nothing changed and nothing more is needed."""
        return self.key == key and self.extras.issuperset(extras)


class Hole(NamedTuple):
    """A piece of a file that the demo cuts out: ``text`` right after ``before``."""

    before: str
    text: str


DEMO_FILE = "dgemma_ls/documents.py"
# One that the embedded model gets right, two where it offers a name in scope: what to expect of it.
DEMO_HOLES = (
    Hole('that is not open."""\n        document = ', "self._documents.get(uri)"),
    Hole("raise UnknownDocumentError(uri)\n        return ", "document.lines"),
    Hole("offset_at(*position, ", "encoding"),
)


def main(argv: Sequence[str]) -> int:
    """Run one command and give its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # for odd locales
    name, *args = argv or ["--help"]
    if {"-h", "--help"} & {name, *args[:1]}:
        print(USAGE)
        return 0
    try:
        if name not in COMMANDS:
            raise StopError(f"no command {name!r}; see dev.py --help", _BAD_INPUT)
        if args and name not in TAKING_ARGUMENTS:
            raise StopError(f"{name} takes no arguments, got {args[0]!r}", _BAD_INPUT)
        if sys.version_info[:2] < OLDEST_PYTHON:
            here, needed = (".".join(map(str, v)) for v in (sys.version_info[:3], OLDEST_PYTHON))
            raise StopError(f"Python {here} is too old, use {needed} or newer", _BAD_INPUT)
        set_up(*(() if name == "demo" else ("dev",)))  # so that newcomers see the demo sooner
        return COMMANDS[name](args)
    except StopError as err:
        print(f"dev.py: error: {err}", file=sys.stderr)
        return err.code
    except OSError as err:  # a program or folder that is not as the set-up left it
        print(f"dev.py: error: {err}; delete .venv and try again", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndev.py: interrupted", file=sys.stderr)
        return _INTERRUPTED


def set_up(*extras: str) -> None:
    """Make ``.venv`` and install this repository into it, unless that has been done.

    The stamp is written last, so whatever was interrupted is done again the next time.
    ``extras`` are the optional dependencies needed; those that are there already stay.
    """
    key, stamp = environment_key(ROOT), read_stamp(STAMP)
    if stamp is not None and stamp.serves(key, extras) and _tool("python").exists():
        return
    STAMP.unlink(missing_ok=True)
    wanted = set(extras)
    if not _venv_fits():
        _make_venv()
    elif stamp is not None:
        wanted |= stamp.extras
    target = f".[{','.join(sorted(wanted))}]" if wanted else "."
    what = "dgemma-ls and its development tools" if wanted else "dgemma-ls"
    _step(
        f"installing {what} into .venv (minutes the first time: torch is large)",
        [_tool("python"), "-m", "pip", "install", "--quiet", "--no-input", "--editable", target],
    )
    STAMP.write_text(json.dumps({"key": key, "extras": sorted(wanted)}), "utf-8")


def environment_key(root: Path) -> str:
    """Name what an installation depends on: the project's declaration, the Python, the place."""
    parts = ((root / "pyproject.toml").read_bytes(), sys.version.encode(), os.fsencode(root))
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def read_stamp(path: Path) -> Stamp | None:
    """Give the stamp of the last complete set-up, ``None`` if there is none that makes sense."""
    try:
        values = json.loads(path.read_text("utf-8"))
        return Stamp(str(values["key"]), frozenset(map(str, values["extras"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _venv_fits() -> bool:
    """Tell whether ``.venv`` is whole, of this Python, and was made here (it cannot be moved)."""
    try:
        lines = (VENV / "pyvenv.cfg").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return False
    same_python = f"version = {'.'.join(map(str, sys.version_info[:3]))}" in lines
    made_here = any(row.startswith("command = ") and row.endswith(str(VENV)) for row in lines)
    if not (same_python and made_here and _tool("python").exists()):
        return False
    return _run_captured([_tool("python"), "-c", "import pip"])[0] == 0


def _make_venv() -> None:
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            way_out = "apt install python3-venv (Debian, Ubuntu) or run dev.py with another Python"
            raise StopError(f"{sys.executable} has no module {module}; {way_out}", _BAD_INPUT)
    anew = " anew (it is incomplete, or was made elsewhere)" if VENV.exists() else ""
    _step(f"making .venv{anew}", [sys.executable, "-m", "venv", "--clear", VENV])


def _step(what: str, command: Sequence[str | Path]) -> None:
    """Run a part of the set-up in one line; its output shows only if it fails."""
    print(f"[dev] {what} ...", end=" ", flush=True)
    start = time.monotonic()
    code, output = _run_captured(command)
    print(f"{'FAILED' if code else 'done'}, {time.monotonic() - start:.1f} s", flush=True)
    if code != 0:
        print(output, file=sys.stderr)
        raise StopError("the set-up failed, see above; the next command will try it again")


def demo(args: Sequence[str]) -> int:
    """Cut holes into copies of a file of the repository and let the installed program fill them."""
    text = (ROOT / DEMO_FILE).read_text("utf-8")
    name = Path(DEMO_FILE).name
    for number, hole in enumerate(DEMO_HOLES, start=1):
        line, column = find_hole(text, hole)
        print(f"\n--- {number} of {len(DEMO_HOLES)}: {DEMO_FILE} without the marked text")
        for row, content in list(enumerate(text.split("\n"), start=1))[max(0, line - 3) : line]:
            print(f"{row:>5} | {content}")
        print(f"      | {' ' * (column - 1)}{'^' * len(hole.text)}")
        print(f"$ dgemma-ls fill {name} --at {line}:{column}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            start = text.index(hole.before + hole.text) + len(hole.before)
            copy = text[:start] + text[start + len(hole.text) :]
            Path(folder, name).write_text(copy, encoding="utf-8", newline="")
            code = _call("dgemma-ls", "fill", name, "--at", f"{line}:{column}", cwd=Path(folder))
        if code not in (0, 1):
            raise StopError("dgemma-ls could not answer, see above", code)
        if code == 1:
            print("Nothing is suggested here, which is an answer too: exit code 1.", flush=True)
    print(f"\nNothing was written. In your files: {_tool('dgemma-ls')} fill FILE --at LINE:COLUMN")
    return 0


def find_hole(text: str, hole: Hole) -> tuple[int, int]:
    """Give line and column, both from 1, of a hole that the text must have exactly once."""
    where = hole.before + hole.text
    if text.count(where) != 1:
        raise StopError(f"{DEMO_FILE} has no single {where!r} any more; mend DEMO_HOLES in dev.py")
    start = text.index(where) + len(hole.before)
    return text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)


def setup(args: Sequence[str]) -> int:
    """Say that everything is installed, as each command sees to that first."""
    print(f"[dev] {VENV} is ready")
    return 0


def fix(args: Sequence[str]) -> int:
    """Repair what ruff can repair, then format."""
    return max(_call("ruff", "check", "--fix"), _call("ruff", "format"))


def check(args: Sequence[str]) -> int:
    """Run all linters and the type checker, also after one has failed."""
    failed = 0
    for words in CHECKS:
        start = time.monotonic()
        code, output = _run_captured([_tool(words[0]), *words[1:]])
        verdict = f"FAILED\n{output}" if code else "ok"
        print(f"[dev] {' '.join(words)}: {time.monotonic() - start:.1f} s, {verdict}", flush=True)
        failed |= code != 0
    return failed


def test(args: Sequence[str]) -> int:
    """Run the checks, then the default suite, which runs also if a check has failed."""
    failed = check(())
    code = _call(*PYTEST, "not slow and not editor and not vscode", *args)
    if failed:
        print("[dev] FAILED: a check, see above the tests")
    return code or failed


def slow(args: Sequence[str]) -> int:
    """Run the slow tests; having none is fine."""
    code = _call(*PYTEST, "slow", *args)
    return 0 if code == _PYTEST_FOUND_NO_TESTS else code


def editors(args: Sequence[str]) -> int:
    """Fetch the editors and run their tests; where none can be had, each test says so and skips."""
    code = _call("python", FETCH_EDITORS)
    return _call(*PYTEST, "editor", *args) if code in (0, _NO_EDITORS_HERE) else code


def vscode(args: Sequence[str]) -> int:
    """Fetch VS Code and run the extension's tests in it; where it cannot be had, skip them all."""
    code = _call("python", "-m", FETCH_VSCODE)
    if code == _NO_EDITORS_HERE:
        return 0  # it has said why
    return _call(*PYTEST, "vscode", *args) if code == 0 else code


def e2e(args: Sequence[str]) -> int:
    """Run the tests that talk to a real server."""
    return _call(*PYTEST, "e2e", *args)


def bench(args: Sequence[str]) -> int:
    """Measure; in the caller's directory, as the arguments may name paths."""
    return _call("dgemma-ls", "bench", *args, cwd=Path.cwd())


def all_(args: Sequence[str]) -> int:
    """Run what CI runs."""
    return test(()) or slow(()) or editors(()) or vscode(())


_RUN = (demo, test, setup, check, fix, e2e, slow, editors, vscode, all_, bench)
COMMANDS = {run.__name__.strip("_"): run for run in _RUN}
TAKING_ARGUMENTS = ("test", "slow", "editors", "vscode", "e2e", "bench")


def _call(tool: str, *args: str, cwd: Path = ROOT) -> int:
    """Run a program of ``.venv`` and let it speak for itself."""
    code = subprocess.run([_tool(tool), *args], cwd=cwd, env=_environment()).returncode
    return code if code >= 0 else 128 - code  # killed by a signal: as the shell has it


def _run_captured(command: Sequence[str | Path]) -> tuple[int, str]:
    """Run a program in silence; give its exit code and all that it said."""
    pipe, same = subprocess.PIPE, subprocess.STDOUT
    done = subprocess.run(command, cwd=ROOT, env=_environment(), stdout=pipe, stderr=same)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _environment() -> dict[str, str]:
    """Give the environment of an activated ``.venv``."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    path = os.pathsep.join(filter(None, (str(BIN), kept.get("PATH"))))
    return {**kept, "VIRTUAL_ENV": str(VENV), "PATH": path, "PIP_USER": "0"}


def _tool(name: str) -> Path:
    return BIN / (f"{name}.exe" if os.name == "nt" else name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
