"""Time the way from nothing to the first suggestion: ``python -m tests.editors.install_timing``.

For each editor it goes through the steps of docs/install.md with an empty home and a new virtual
environment, and says how long each step took, up to the first suggestion of the embedded model on
the editor's screen. Torch is linked from the environment that runs this, as its download is a
matter of the network (and of the build that is chosen); all other packages are downloaded anew.

With ``--parts`` it says instead what ``pip install .`` spends its time on, done one by one.
"""

import contextlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pynvim

from . import fetch
from .conftest import editor_environment
from .neovim import GHOST, PATIENCE_MS, SPACES
from .server_commands import ROOT
from .snippets import snippet
from .terminal import Terminal

SOURCE = "examples/basket.py"
_INIT = """
vim.opt.runtimepath:prepend('{plugin}')
require('dgemma').setup()
"""
_EMACS = """
(progn
  (t-eglot (getenv "FILE"))
  (goto-char (point-min)) (search-forward "item in ___") (delete-char -3)
  (let (items)
    (t-wait "suggested" (lambda ()
      (eglot--signal-textDocument/didChange)
      (setq items (let ((c (eglot-completion-at-point))) (all-completions "" (nth 2 c))))))
    (t-tell :first (car items))))
"""


def main() -> int:
    """Go the way with each editor, or only the first step, in parts."""
    if sys.argv[1:] == ["--parts"]:
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder)
            _go("pip install .", _parts(here, _checkout(here)))
        return 0
    for name, steps in WAYS.items():
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder)
            checkout = _checkout(here)
            _go(name, [(what, partial(step, here, checkout)) for what, step in steps])
    return 0


def _go(name: str, steps: Sequence[tuple[str, Callable[[], str]]]) -> None:
    total = 0.0
    for number, (what, step) in enumerate(steps, start=1):
        start = time.monotonic()
        said = step()
        took = time.monotonic() - start
        total += took
        sys.stdout.write(f"{name} {number}. {what}: {took:.1f} s{said}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{name}: {len(steps)} steps, {total:.1f} s\n")


def _checkout(folder: Path) -> Path:
    """A copy of the repository as it is committed."""
    archive = folder / "repository.tar"
    subprocess.run(["git", "archive", "-o", str(archive), "HEAD"], cwd=ROOT, check=True)
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "dgemma-ls", filter="data")
    return folder / "dgemma-ls"


def _install(folder: Path, checkout: Path) -> str:
    """``pip install .`` in a new environment that has torch."""
    _make_environment(folder)
    _pip(folder, checkout, "install", ".")
    return ""


def _parts(folder: Path, checkout: Path) -> list[tuple[str, Callable[[], str]]]:
    """What ``pip install .`` does in a new environment, as steps."""
    report, wheels = folder / "report.json", folder / "wheels"

    def build() -> str:
        _pip(folder, checkout, "wheel", "--no-deps", "--wheel-dir", str(wheels), ".")
        return f", {next(wheels.glob('*.whl')).stat().st_size / 1e6:.1f} MB"

    def resolve() -> str:
        wheel = str(next(wheels.glob("*.whl")))
        _pip(folder, checkout, "install", "--dry-run", "--report", str(report), wheel)
        return f", {len(wanted())} packages"

    def wanted() -> list[str]:
        metadata = (it["metadata"] for it in json.loads(report.read_text("utf-8"))["install"])
        return [f"{it['name']}=={it['version']}" for it in metadata if it["name"] != "dgemma-ls"]

    def download() -> str:
        _pip(folder, checkout, "download", "--no-deps", "--dest", str(wheels), *wanted())
        return f", {sum(it.stat().st_size for it in wheels.iterdir()) / 1e6:.0f} MB with ours"

    def unpack() -> str:
        paths = [str(it) for it in sorted(wheels.iterdir())]
        _pip(folder, checkout, "install", "--no-index", "--no-deps", "--no-compile", *paths)
        return ""

    def compile_all() -> str:
        (site,) = (folder / "venv").glob("lib/python3*/site-packages")
        ours = [str(it) for it in site.iterdir() if not it.is_symlink() and it.name != "pip"]
        python = str(folder / "venv" / "bin" / "python")
        subprocess.run([python, "-m", "compileall", "-q", *ours], check=True)
        return ""

    return [
        ("an environment", lambda: _make_environment(folder)),
        ("our wheel, its builder downloaded", build),
        ("resolve", resolve),
        ("download", download),
        ("unpack", unpack),
        ("compile to bytecode", compile_all),
    ]


def _make_environment(folder: Path) -> str:
    """Make one that has torch."""
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    (site,) = venv.glob("lib/python3*/site-packages")
    for path in _torch_files():
        if not (site / path.name).exists():
            (site / path.name).symlink_to(path)
    return ""


def _pip(folder: Path, checkout: Path, *words: str) -> None:
    command = [str(folder / "venv" / "bin" / "pip"), *words, "--no-cache-dir", "-qq"]
    environment = {key: it for key, it in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run(command, cwd=checkout, env=environment, check=True)


def _torch_files() -> Iterator[Path]:
    """What torch and all that it needs put into ``site-packages``, by their first folders."""
    wanted, seen = ["torch"], set[str]()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform
        tops = {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}
        yield from (Path(str(distribution.locate_file(top))) for top in tops - {"__pycache__"})
        needed = [it for it in distribution.requires or () if "extra ==" not in it]
        wanted += [match[0] for it in needed if (match := re.match(r"[\w.-]+", it))]


def _environment(editor: fetch.Editor, folder: Path) -> dict[str, str]:
    environment = editor_environment(editor, folder / "home")
    path = os.pathsep.join([str(folder / "venv" / "bin"), "/usr/bin", "/bin"])
    return environment | {"PYTHONPATH": "", "PATH": path}


def _configure_neovim(folder: Path, checkout: Path) -> str:
    init = folder / "home" / "config" / "nvim" / "init.lua"
    init.parent.mkdir(parents=True)
    init.write_text(_INIT.format(plugin=checkout / "editors" / "nvim"), "utf-8")
    return ""


def _type_in_neovim(folder: Path, checkout: Path) -> str:
    editor = _editor("nvim")
    variables = [f"{name}={value}" for name, value in _environment(editor, folder).items()]
    command = ["env", *variables, *fetch.command(editor), "--embed", "--headless"]
    rpc = pynvim.attach("child", argv=command)
    try:
        rpc.command(f"edit {checkout / SOURCE}")
        rpc.input("35G$3hct)")
        shown = f"(function(...) {GHOST} end)(...)"
        wait = f"return (vim.wait(1000, function() return {shown} ~= vim.NIL end, 5))"
        wait = wait.replace("(...) ~=", "(_G.spaces) ~=")
        rpc.exec_lua("_G.spaces = ...", list(SPACES))
        for _ in range(PATIENCE_MS // 500):
            if rpc.exec_lua(wait):
                break
            rpc.input("<Esc>a")
        return f", {rpc.exec_lua(f'return ({shown})[3]', list(SPACES))!r}"
    finally:
        _quit(rpc)


def _configure_helix(folder: Path, checkout: Path) -> str:
    config = folder / "home" / "config" / "helix" / "languages.toml"
    config.parent.mkdir(parents=True)
    config.write_text(snippet("Helix", "toml"), "utf-8")
    return ""


def _type_in_helix(folder: Path, checkout: Path) -> str:
    editor, neovim = _editor("hx"), _editor("nvim")
    terminal = Terminal(
        fetch.command(neovim),
        editor_environment(neovim, folder / "nvim"),
        [*fetch.command(editor), str(checkout / SOURCE)],
        _environment(editor, folder),
        str(checkout),
    )
    try:
        terminal.wait("basket.py")
        terminal.send(":35\r", "gh", "/___\r", "c")
        for _ in range(20):
            terminal.send("\x18")  # Ctrl-x
            for _ in range(10):
                terminal.rpc.exec_lua("vim.wait(200)")
                if match := re.search(r"(\S+) +text\b", terminal.screen()):
                    return f", {match[1]!r}"
        raise SystemExit(f"Helix showed nothing:\n{terminal.screen()}")
    finally:
        terminal.close()


def _configure_emacs(folder: Path, checkout: Path) -> str:
    (folder / "init.el").write_text(snippet("Emacs with eglot", "elisp"), "utf-8")
    return ""


def _type_in_emacs(folder: Path, checkout: Path) -> str:
    editor = _editor("emacs")
    harness = Path(__file__).with_name("harness.el")
    words = [*fetch.command(editor), "-Q", "--batch", "-l", str(harness)]
    done = subprocess.run(
        [*words, "-l", str(folder / "init.el"), "--eval", _EMACS],
        env=_environment(editor, folder) | {"FILE": str(checkout / SOURCE)},
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    return f", {done.stdout.strip()}"


def _editor(name: str) -> fetch.Editor:
    editor = next(it for it in fetch.EDITORS if it.name == name)
    if not fetch.is_complete(editor.tree):
        raise SystemExit(f"{name} is not there; python3 dev.py editors (or tests/editors/fetch.py)")
    return editor


def _quit(rpc: pynvim.Nvim) -> None:
    with contextlib.suppress(OSError, EOFError):
        rpc.command("qa!")
    rpc.close()


Step = tuple[str, Callable[[Path, Path], str]]
_PIP: Step = ("pip install . (torch is there)", _install)
WAYS: dict[str, tuple[Step, ...]] = {
    "Neovim": (_PIP, ("two lines in init.lua", _configure_neovim), ("type", _type_in_neovim)),
    "Helix": (_PIP, ("languages.toml", _configure_helix), ("type, Ctrl-x", _type_in_helix)),
    "Emacs": (_PIP, ("two lines in init.el", _configure_emacs), ("type, C-M-i", _type_in_emacs)),
}


if __name__ == "__main__":
    sys.exit(main())
