"""Notes what real editors declare: ``python3 -m tests.editors.record_profiles [NAME…]``.

Writes ``tests/e2e/profiles/NAME.json`` for each editor that has been fetched.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from . import fetch, fetch_vscode
from .conftest import PLUGIN, editor_environment
from .neovim import Neovim
from .server_commands import ROOT
from .snippets import put_on_path, snippet
from .terminal import Terminal
from .waiting import wait_until

PROFILES = ROOT / "tests" / "e2e" / "profiles"
NOTING_SERVER = [sys.executable, str(Path(__file__).with_name("noting_server.py"))]


def editor(name: str) -> fetch.Editor:
    found = next(it for it in fetch.EDITORS if it.name == name)
    if not fetch.is_complete(found.tree):
        raise SystemExit(f"{name} is not there; python3 tests/editors/fetch.py")
    return found


def record_neovim(folder: Path, noted: Path) -> None:
    program = editor("nvim")
    nvim = Neovim(fetch.command(program), editor_environment(program, folder / "home"))
    nvim.set_up(PLUGIN, [*NOTING_SERVER, str(noted)])
    nvim.rpc.command(f"edit {folder / 'a.py'}")
    wait_until(noted.exists, "Neovim starts the server")
    nvim.close()


def record_emacs(folder: Path, noted: Path) -> None:
    program = editor("emacs")
    config = folder / "config.el"
    config.write_text(snippet("Emacs with eglot", "elisp"), "utf-8")
    form = '(t-eglot (getenv "FILE"))'
    words = [*fetch.command(program), "-Q", "--batch"]
    words += ["-l", str(Path(__file__).with_name("harness.el")), "-l", str(config), "--eval", form]
    path = put_on_path(folder / "bin", [*NOTING_SERVER, str(noted)])
    own = {"PATH": path, "FILE": str(folder / "a.py")}
    environment = {**editor_environment(program, folder / "home"), **own}
    subprocess.run(words, env=environment, cwd=folder, check=True, timeout=120)


def record_helix(folder: Path, noted: Path) -> None:
    program, neovim = editor("hx"), editor("nvim")
    environment = editor_environment(program, folder / "home")
    config = Path(environment["XDG_CONFIG_HOME"]) / "helix"
    config.mkdir(parents=True)
    (config / "languages.toml").write_text(snippet("Helix", "toml"), "utf-8")
    environment["PATH"] = put_on_path(folder / "bin", [*NOTING_SERVER, str(noted)])
    terminal = Terminal(
        fetch.command(neovim),
        editor_environment(neovim, folder / "nvim"),
        [*fetch.command(program), str(folder / "a.py")],
        environment,
        str(folder),
    )
    wait_until(noted.exists, "Helix starts the server")
    terminal.close()


def record_vscode(folder: Path, noted: Path) -> None:
    from .vscode import CodeServer, Window, install_extension, launch_browser, write_program

    if (lack := fetch_vscode.missing()) is not None:
        raise SystemExit(f"no VS Code: {lack}; python3 -m tests.editors.fetch_vscode")
    install_extension(fetch_vscode.EXTENSION, folder / "extensions")
    program = write_program(folder, [*NOTING_SERVER, str(noted)])
    code = CodeServer(folder, folder / "extensions", {"dgemma.path": str(program)})
    with launch_browser() as browser:
        Window(browser.new_page(), code, folder / "a.py")
        wait_until(noted.exists, "VS Code starts the server")
    code.close()


RECORDERS: Mapping[str, Callable[[Path, Path], None]] = {
    "neovim": record_neovim,
    "emacs": record_emacs,
    "helix": record_helix,
    "vscode": record_vscode,
}


def main(names: list[str]) -> None:
    PROFILES.mkdir(exist_ok=True)
    for name in names or RECORDERS:
        with tempfile.TemporaryDirectory(prefix="p-", ignore_cleanup_errors=True) as place:
            folder = Path(place)
            (folder / "a.py").write_text("x = \n", "utf-8")
            noted = folder / "noted.json"
            RECORDERS[name](folder, noted)
            text = noted.read_text("utf-8")
            assert place not in text, "what one machine says of itself"
            json.loads(text)
            (PROFILES / f"{name}.json").write_text(text, "utf-8")
            print(name)


if __name__ == "__main__":
    main(sys.argv[1:])
