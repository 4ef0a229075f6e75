"""Helix on a screen, with the configuration of the README. It has no ghost text."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import fetch
from .capabilities import need_capability
from .conftest import editor_environment, need
from .server_commands import REAL_SERVER, SCRIPTED_SERVER
from .snippets import put_on_path, snippet
from .terminal import Terminal
from .waiting import wait_until

CRAB = "\U0001f980"
ESCAPE, CTRL_X, CTRL_N, ENTER = "\x1b", "\x18", "\x0e", "\r"
Open = Callable[..., Terminal]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "work" / "a.py"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Where the scripted server writes its text when the editor says that it has saved."""
    return tmp_path / "saved"


@pytest.fixture
def open_helix(tmp_path: Path, file: Path, saved: Path) -> Iterator[Open]:
    """Give a function that opens Helix on the file; it is gone after the test."""
    helix, neovim = need("hx"), need("nvim")
    terminals: list[Terminal] = []

    def start(content: str, *, server: list[str] = SCRIPTED_SERVER) -> Terminal:
        file.parent.mkdir()
        file.write_bytes(content.encode())
        environment = editor_environment(helix, tmp_path / "home")
        config = Path(environment["XDG_CONFIG_HOME"]) / "helix"
        config.mkdir(parents=True)
        (config / "languages.toml").write_text(snippet("Helix", "toml"), "utf-8")
        (config / "config.toml").touch()
        environment["PATH"] = put_on_path(tmp_path / "bin", server)
        environment["SCRIPTED_SAVED"] = str(saved)
        terminal = Terminal(
            fetch.command(neovim),
            editor_environment(neovim, tmp_path / "nvim"),
            [*fetch.command(helix), "-v", str(file)],
            environment,
            str(file.parent),
        )
        terminals.append(terminal)
        terminal.wait("a.py")
        return terminal

    yield start
    for terminal in terminals:
        terminal.close()


def write(helix: Terminal, file: Path, saved: Path) -> None:
    """Write the file, and hold that the server has the same text."""
    saved.unlink(missing_ok=True)

    def is_told() -> bool:  # a server that still starts is told nothing, or has no document yet
        helix.send(":w!" + ENTER)
        return saved.exists() and saved.read_bytes() == file.read_bytes()

    wait_until(is_told, "the server was told of the save and has the same text", every_s=0.3)


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_the_server_has_the_text_of_the_screen_after_every_edit(
    open_helix: Open, file: Path, saved: Path, end: str
) -> None:
    helix = open_helix(f'crab = "{CRAB}"; mid = 1{end}first = 1{end}last = 3{end}')
    helix.wait("first = 1")
    write(helix, file, saved)  # then the server is there, and learns of what follows by changes
    helix.send("gg/mid" + ENTER, "c", f"é{CRAB}x", ESCAPE)  # between characters of four bytes
    helix.wait("é")
    write(helix, file, saved)
    helix.send("A", f"  # {CRAB}", ESCAPE)
    helix.wait("#")
    write(helix, file, saved)
    lines = [f'crab = "{CRAB}"; é{CRAB}x = 1  # {CRAB}', "first = 1", "last = 3", ""]
    assert file.read_bytes() == end.join(lines).encode()

    helix.send("o", f"{CRAB}{CRAB}", ENTER, "next", ESCAPE)  # a new line that is split
    helix.wait("next")
    write(helix, file, saved)

    helix.send("%s", "s" + ENTER, "c", "S", ESCAPE)  # several cursors at once
    helix.wait("firSt")
    write(helix, file, saved)
    assert file.read_bytes().count(b"S") == 2

    helix.send(",", "u")
    helix.wait("firSt", gone=True)
    write(helix, file, saved)


def test_quitting_ends_the_server(open_helix: Open, file: Path, saved: Path) -> None:
    helix = open_helix("first = 1\n")
    helix.wait("first = 1")
    write(helix, file, saved)
    pid = int(saved.with_suffix(".pid").read_text())
    helix.send(":q!" + ENTER)
    assert helix.wait_for_exit() == 0
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the server is gone")
    assert os.listdir(file.parent) == ["a.py"]


@pytest.mark.parametrize("begun", ["", "va"], ids=["nothing", "a word"])
def test_the_popup_offers_the_suggestions_and_enter_takes_one(
    open_helix: Open, file: Path, saved: Path, begun: str
) -> None:
    need_capability("completionProvider")
    helix = open_helix("first = 1\n")
    helix.wait("first = 1")
    write(helix, file, saved)  # then the server is there

    def is_taken() -> bool:  # Helix asks by itself too, and a popup that comes twice goes once
        helix.send(ESCAPE, ESCAPE, "%", "c", f"x = {begun}", CTRL_X)
        helix.wait("value")
        helix.send(CTRL_N, ENTER, ESCAPE, ESCAPE)
        write(helix, file, saved)
        return file.read_bytes() == b"x = value\n"

    wait_until(is_taken, "the suggestion was taken")


def test_a_selection_is_rewritten_and_undo_brings_its_bytes_back(
    open_helix: Open, file: Path
) -> None:
    need_capability("codeActionProvider")
    helix = open_helix("call = first\n")
    helix.wait("call = first")
    helix.send("ggwwve")

    def is_offered() -> bool:  # a server that still starts offers nothing
        helix.send(" a")
        return "Rewrite" in helix.screen()

    wait_until(is_offered, "the action is offered", every_s=0.3)
    helix.send(ENTER)
    helix.wait("call = second")
    helix.send("u", ":w!" + ENTER)
    wait_until(lambda: file.read_bytes() == b"call = first\n", "the file has its bytes again")


def test_a_quick_fix_mends_a_typo(open_helix: Open, file: Path) -> None:
    need_capability("codeActionProvider")
    helix = open_helix(
        "# You should recieve the message when it is there.\nx = 1\n", server=REAL_SERVER
    )
    helix.wait("misspelt")
    helix.send("gg", "/", "recieve" + ENTER, " a")
    helix.wait("Change")
    helix.send(ENTER)
    helix.wait("should receive the")
    helix.send("u", ":w!" + ENTER)
    wait_until(lambda: file.read_bytes().startswith(b"# You should recieve"), "undone and written")
