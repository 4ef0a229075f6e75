"""Real editors on the real server process. They are skipped where they have not been fetched."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import fetch
from .neovim import Neovim
from .server_commands import ROOT, SCRIPTED_SERVER
from .vscode_fixtures import browser, extensions, folder, servers, start_window  # noqa: F401

PLUGIN = ROOT / "editors" / "nvim"
# Of the default suite: quick, and what they hold together is changed elsewhere.
NEED_NO_EDITOR = {"test_declared_settings.py", "test_files.py", "test_registries.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder: ``vscode`` or ``editor``, each a stage of its own."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.path.name not in NEED_NO_EDITOR:
            name = "vscode" if item.path.name.startswith("test_vscode") else "editor"
            item.add_marker(name)


def need(name: str) -> fetch.Editor:
    """Give an editor, or skip the test and say how to get it."""
    editor = next(it for it in fetch.EDITORS if it.name == name)
    if not fetch.is_complete(editor.tree):
        pytest.skip(f"{name} is not there; python3 dev.py editors (or tests/editors/fetch.py)")
    return editor


def editor_environment(editor: fetch.Editor, home: Path) -> dict[str, str]:
    """Give an editor its own home, and its children the packages of the checkout."""
    folders = {"HOME": home} | {
        f"XDG_{it}_HOME": home / it.lower() for it in ("CONFIG", "DATA", "STATE", "CACHE")
    }
    paths = os.pathsep.join([str(ROOT), str(ROOT / "engine")])
    variables = {name: str(path) for name, path in folders.items()}
    return {**variables, "PYTHONPATH": paths, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | (
        fetch.environment(editor)
    )


@pytest.fixture
def start_nvim(tmp_path: Path) -> Iterator[Callable[..., Neovim]]:
    """Give a function that starts Neovim with the plugin on a file; it is gone after the test."""
    editors: list[Neovim] = []

    def start(
        content: str | bytes = "",
        *,
        editor: str = "nvim",
        server: list[str] = SCRIPTED_SERVER,
        name: str = "a.py",
        options: str = "",
        set_up: bool = True,
    ) -> Neovim:
        program = need(editor)
        file = tmp_path / "work" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        nvim = Neovim(fetch.command(program), editor_environment(program, tmp_path / "home"))
        editors.append(nvim)
        nvim.file = file
        if set_up:
            nvim.set_up(PLUGIN, server, options)
            nvim.open(file)
        return nvim

    yield start
    for nvim in editors:
        nvim.close()
