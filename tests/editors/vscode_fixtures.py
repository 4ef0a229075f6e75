"""What the tests in VS Code share: one extension and browser, code-servers, windows."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import fetch_vscode
from .server_commands import SCRIPTED_SERVER
from .vscode import CodeServer, Window, install_extension, launch_browser, write_program

Start = Callable[..., Window]


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Give a folder with a short name: a socket's path in it must be short too."""
    if (lack := fetch_vscode.missing()) is not None:
        pytest.skip(f"no VS Code: {lack}; python3 -m tests.editors.fetch_vscode")
    with tempfile.TemporaryDirectory(prefix="vs-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def extensions(folder: Path) -> Path:
    path = folder / "extensions"
    install_extension(fetch_vscode.EXTENSION, path)
    return path


@pytest.fixture(scope="session")
def browser(folder: Path) -> Iterator[Any]:
    with launch_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def servers(folder: Path, extensions: Path) -> Iterator[Callable[..., CodeServer]]:
    """Give a function that starts code-server with settings, once for the same ones."""
    started: dict[str, CodeServer] = {}

    def start(
        settings: dict[str, Any], *, more_extensions: Path | None = None, **options: Any
    ) -> CodeServer:
        key = repr((sorted(settings.items()), more_extensions, options))
        if key not in started:
            home = Path(tempfile.mkdtemp(dir=folder, prefix=""))
            where = extensions
            if more_extensions is not None:
                where = home / "extensions"
                shutil.copytree(extensions, where)
                shutil.copytree(more_extensions, where, dirs_exist_ok=True)
                (where / "extensions.json").unlink(missing_ok=True)  # then all are looked at
            started[key] = CodeServer(home, where, settings, **options)
        return started[key]

    yield start
    for server in started.values():
        server.end()
    for server in started.values():
        server.wait_for_end()
    if complaints := [line for server in started.values() for line in server.complaints()]:
        pytest.fail("\n".join(["the extension host complained:", *complaints]))


@pytest.fixture(name="start")
def start_window(
    folder: Path,
    browser: Any,
    servers: Callable[..., CodeServer],
    request: pytest.FixtureRequest,
) -> Iterator[Start]:
    """Give a function that opens a window on a file; it is gone after the test."""
    windows: list[Window] = []

    def open_window(
        content: str = "",
        *,
        server: list[str] = SCRIPTED_SERVER,
        name: str = "a.py",
        ready: bool = True,
        code: CodeServer | None = None,
        **settings: Any,
    ) -> Window:
        if code is None:
            code = servers({"dgemma.path": str(write_program(folder, server))} | settings)
        place = Path(tempfile.mkdtemp(dir=folder, prefix="work-"))
        (place / name).write_bytes(content.encode())
        page = browser.new_page(viewport={"width": 1100, "height": 700})
        window = Window(page, code, place / name)
        windows.append(window)
        if ready:
            window.wait_for_status("ready")
            window.focus_end()
        return window

    yield open_window
    shots = os.environ.get("VSCODE_SHOTS")
    for n, window in enumerate(windows):
        if shots and not window.page.is_closed():
            window.page.screenshot(path=f"{shots}/{request.node.name}-{n}.png")
        window.close()
