"""Emacs on a screen, with lsp-mode and the configuration of the README: ghost text by itself.

Ghost text hangs on idle timers there, which never run in batch mode.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import fetch
from .conftest import editor_environment, need
from .server_commands import SCRIPTED_SERVER
from .snippets import put_on_path, snippet
from .terminal import Terminal
from .waiting import wait_until

SAVE, QUIT, NEXT = "\x18\x13", "\x07", "\x0e"  # C-x C-s, C-g, C-n
CTRL_ENTER = "\x1b[27;5;13~"  # as terminals send it that tell it from Enter
CTRL_J = "\n"  # for others
QUIET = """
(setq inhibit-startup-screen t make-backup-files nil auto-save-default nil create-lockfiles nil
      vc-handled-backends nil enable-local-variables nil native-comp-jit-compilation nil
      native-comp-enable-subr-trampolines nil)
(load "lsp-mode-autoloads")  ; as the package manager does
(require 'lsp-mode)
(setq lsp-auto-guess-root t lsp-session-file (expand-file-name "session" (getenv "HOME"))
      lsp-enabled-clients '(dgemma-ls) lsp-enable-file-watchers nil
      lsp-enable-suggest-server-download nil lsp-headerline-breadcrumb-enable nil
      lsp-diagnostics-provider :none lsp-completion-provider :none)
(lsp-workspace-folders-add default-directory)
(add-hook 'python-mode-hook #'lsp)
"""
# As docs/troubleshooting.md has it.
OTHER_KEY = """
(define-key lsp-inline-completion-active-map (kbd "C-j") #'lsp-inline-completion-accept)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "work" / "a.py"


@pytest.fixture
def save(emacs: Terminal, file: Path, tmp_path: Path) -> Callable[[], bytes]:
    """Give a function that saves, and gives the bytes, which the server has as well."""
    told = tmp_path / "saved"

    def write() -> bytes:
        told.unlink(missing_ok=True)
        emacs.send(" ", "\x7f", SAVE)  # a change, else nothing is written
        wait_until(told.exists, "the server was told of the save")
        assert told.read_bytes() == file.read_bytes()
        return file.read_bytes()

    return write


@pytest.fixture
def emacs(tmp_path: Path, file: Path) -> Iterator[Terminal]:
    """Emacs on a file of two lines, connected, the cursor in the empty second one."""
    editor, neovim = need("emacs"), need("nvim")
    file.parent.mkdir()
    file.write_bytes(b"first = 1\n")
    config = tmp_path / "init.el"
    config.write_text(QUIET + snippet("Emacs with lsp-mode", "elisp") + OTHER_KEY, "utf-8")
    packages = sorted(editor.tree.root.glob("usr/share/emacs/site-lisp/elpa-src/*"))
    paths = [word for it in packages for word in ("-L", str(it))]
    environment = editor_environment(editor, tmp_path / "home")
    Path(environment["HOME"]).mkdir()
    environment["PATH"] = put_on_path(tmp_path / "bin", SCRIPTED_SERVER)
    environment["SCRIPTED_SAVED"] = str(tmp_path / "saved")
    terminal = Terminal(
        fetch.command(neovim),
        editor_environment(neovim, tmp_path / "nvim"),
        [*fetch.command(editor), "-nw", "-Q", *paths, "-l", str(config), str(file)],
        environment,
        str(file.parent),
    )
    try:
        terminal.wait("first = 1")
        terminal.wait("initialized successfully")
        terminal.send("\x1b>")  # M->
        yield terminal
    finally:
        terminal.close()


@pytest.mark.parametrize("key", [CTRL_ENTER, CTRL_J], ids=["C-return", "C-j"])
def test_ghost_text_comes_by_itself_after_the_last_key_and_is_taken(
    emacs: Terminal, save: Callable[[], bytes], key: str
) -> None:
    emacs.send("x", " ", "=", " ")
    emacs.wait("x = value")
    emacs.send(key)
    assert save() == b"first = 1\nx = value\n"


def test_another_key_types_and_asks_again(emacs: Terminal, save: Callable[[], bytes]) -> None:
    emacs.send("x", " ", "=", " ")
    emacs.wait("x = value")
    emacs.send("o")
    emacs.wait("x = other")
    emacs.send("!")
    emacs.wait("other", gone=True)
    assert save() == b"first = 1\nx = o!\n"


def test_the_next_suggestion_is_shown_and_dismissed(
    emacs: Terminal, save: Callable[[], bytes]
) -> None:
    emacs.send("x", " ", "=", " ")
    emacs.wait("x = value")
    emacs.send(NEXT)
    emacs.wait("x = other")
    emacs.send(QUIT)
    emacs.wait("other", gone=True)
    assert save() == b"first = 1\nx = \n"
