"""Vim on a screen, with ALE as its client and the configuration of the README."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import fetch
from .conftest import editor_environment, need
from .server_commands import REAL_SERVER, SCRIPTED_SERVER
from .snippets import put_on_path, snippet
from .terminal import Terminal
from .waiting import wait_until

ESCAPE, OMNI, ENTER = "\x1b", "\x18\x0f", "\r"
Open = Callable[..., Terminal]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "work" / "a.py"


@pytest.fixture
def open_vim(tmp_path: Path, file: Path) -> Iterator[Open]:
    """Give a function that opens Vim on the file; it is gone after the test."""
    vim, neovim = need("vim"), need("nvim")
    terminals: list[Terminal] = []

    def start(content: str, *, server: list[str] = SCRIPTED_SERVER) -> Terminal:
        file.parent.mkdir()
        file.write_bytes(content.encode())
        packages = vim.tree.root / "usr/share/vim/vimfiles"
        config = tmp_path / "vimrc"
        start = ["set nocompatible", "filetype plugin on", f"set packpath^={packages}"]
        config.write_text("\n".join([*start, snippet("Vim with ALE", "vim")]), "utf-8")
        environment = editor_environment(vim, tmp_path / "home")
        environment["PATH"] = put_on_path(tmp_path / "bin", server)
        terminal = Terminal(
            fetch.command(neovim),
            editor_environment(neovim, tmp_path / "nvim"),
            [*fetch.command(vim), "-u", str(config), "-i", "NONE", "-n", str(file)],
            environment,
            str(file.parent),
        )
        terminals.append(terminal)
        terminal.wait("a.py")
        return terminal

    yield start
    for terminal in terminals:
        terminal.close()


@pytest.mark.parametrize("begun", ["", "va"], ids=["nothing", "a word"])
def test_the_popup_offers_the_suggestions_and_enter_takes_one(
    open_vim: Open, file: Path, begun: str
) -> None:
    vim = open_vim("first = 1\n")

    def is_taken() -> bool:  # ALE asks by itself too, and a popup that comes twice goes once
        vim.send(ESCAPE, ESCAPE, ":%d" + ENTER, "i", f"x = {begun}", OMNI)
        for _ in range(10):
            if ("value" if begun else "third") in vim.screen():
                break
            vim.send("")  # a server that still starts offers nothing
        vim.send(ENTER, ESCAPE, ":w" + ENTER)
        return file.read_bytes() == b"x = value\n"

    wait_until(is_taken, "the file has the suggestion", every_s=0.2)


def test_a_typo_is_shown_and_the_document_left_alone(open_vim: Open, file: Path) -> None:
    before = "# You should recieve the message when it is there.\nx = 1\n"
    vim = open_vim(before, server=REAL_SERVER)
    vim.wait("misspelt")
    vim.send(":w" + ENTER)
    assert file.read_bytes() == before.encode()
