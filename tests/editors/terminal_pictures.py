"""Record features in the real Helix and Emacs: ``python -m tests.editors.terminal_pictures``.

They run in Neovim's terminal, with the configurations of editors/README.md and the real server and
model. The pictures lie in ``docs/pictures``; look at them before you keep them.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from . import fetch
from .conftest import editor_environment
from .neovim_pictures import PICTURES, SOURCE
from .screen import COLUMNS, ROWS, Screen, animated, catch
from .server_commands import REAL_SERVER, ROOT
from .snippets import put_on_path, snippet
from .terminal import Terminal

ESCAPE, ENTER, CTRL_X = "\x1b", "\r", "\x18"
CTRL_ENTER = "\x1b[27;5;13~"
LOADED_S = 8  # generous: the model is loaded while nothing is asked

_HELIX = """
theme = "dark_plus"
[editor]
true-color = true
lsp.display-messages = false
"""
_EMACS = """
(setq inhibit-startup-screen t ring-bell-function #'ignore make-backup-files nil
      auto-save-default nil create-lockfiles nil native-comp-jit-compilation nil
      native-comp-enable-subr-trampolines nil python-indent-guess-indent-offset nil
      vc-handled-backends nil confirm-kill-emacs nil)
(menu-bar-mode -1)
(load-theme 'modus-vivendi t)
"""
_LSP_MODE = """
(require 'lsp-mode)
(setq lsp-auto-guess-root t lsp-session-file (expand-file-name "session" (getenv "HOME"))
      lsp-enabled-clients '(dgemma-ls) lsp-headerline-breadcrumb-enable nil
      lsp-enable-file-watchers nil lsp-modeline-code-actions-enable nil
      lsp-diagnostics-provider :none lsp-enable-suggest-server-download nil)
(lsp-workspace-folders-add default-directory)
(add-hook 'python-mode-hook #'lsp)
"""
_EGLOT = """
(require 'eglot)
(add-hook 'python-mode-hook #'eglot-ensure)
"""


class Recorder:
    """An editor of terminals with somebody who looks at its screen."""

    def __init__(self, folder: Path, name: str, configuration: str) -> None:
        editor, neovim = (_editor(it) for it in (name, "nvim"))
        file = folder / "work" / SOURCE.name
        file.parent.mkdir()
        file.write_bytes(SOURCE.read_bytes())
        environment = editor_environment(editor, folder / "home")
        environment |= {
            "PATH": put_on_path(folder / "bin", REAL_SERVER),
            "COLORTERM": "truecolor",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        }
        if name == "hx":
            config = Path(environment["XDG_CONFIG_HOME"]) / "helix"
            config.mkdir(parents=True)
            (config / "languages.toml").write_text(snippet("Helix", "toml"), "utf-8")
            (config / "config.toml").write_text(_HELIX, "utf-8")
            arguments: list[str] = []
        else:
            init = folder / "init.el"
            init.write_text(_EMACS + configuration, "utf-8")
            packages = sorted(editor.tree.root.glob("usr/share/emacs/site-lisp/elpa-src/*"))
            arguments = ["-nw", "-Q", *(word for it in packages for word in ("-L", str(it)))]
            arguments += ["-l", str(init)]
        self.screen = Screen()
        self.frames: list[str] = []
        self.terminal = Terminal(
            fetch.command(neovim),
            editor_environment(neovim, folder / "nvim"),
            [*fetch.command(editor), *arguments, str(file)],
            environment,
            str(file.parent),
            watched=(COLUMNS, ROWS),
        )
        self.terminal.wait(SOURCE.name)
        self.pause(LOADED_S)

    def pause(self, seconds: float) -> None:
        """Let things happen."""
        self.terminal.rpc.exec_lua(f"vim.wait({round(1000 * seconds)})")

    def send_until(self, text: str, *keys: str) -> None:
        """Send keys until a text is there: a server that is still busy offers nothing."""
        for _ in range(10):
            self.terminal.send(*keys)
            for _ in range(8):
                self.pause(0.5)
                if text in self.terminal.screen():
                    return
        self.terminal.wait(text)

    def frame(self) -> None:
        """Keep what is on the screen now."""
        self.frames.append(catch(self.terminal.rpc, self.screen))


def _editor(name: str) -> fetch.Editor:
    editor = next(it for it in fetch.EDITORS if it.name == name)
    if not fetch.is_complete(editor.tree):
        raise SystemExit(f"{name} is not there; python3 dev.py editors (or tests/editors/fetch.py)")
    return editor


def main(names: list[str]) -> int:
    """Record all pictures, or those that are named."""
    for name, (editor, configuration, play) in PLAYS.items():
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            recorder = Recorder(Path(folder), editor, configuration)
            try:
                play(recorder)
            finally:
                recorder.terminal.close()
        program = {"hx": "Helix", "emacs": "Emacs"}[editor]
        picture = animated(recorder.frames, title=f"dgemma-ls in {program}: {name}")
        file = PICTURES / f"{name}.svg"
        file.write_text(picture, "utf-8")
        sys.stdout.write(f"{file.relative_to(ROOT)}: {len(picture.encode()):,} bytes\n")
    return 0


def _helix_popup(it: Recorder) -> None:
    """A hole is emptied, Ctrl-x asks, Enter takes what is chosen."""
    it.terminal.send(":35" + ENTER, "z", "z", "/___" + ENTER)
    it.frame()
    it.terminal.send("c")
    it.send_until("self._items) text", CTRL_X)
    it.frame()
    it.terminal.send("\x0e", ENTER, ESCAPE)
    it.pause(0.5)
    it.frame()


def _helix_rewrite(it: Recorder) -> None:
    """A selected line is mended by a code action."""
    it.terminal.send(":31" + ENTER, "z", "z", "g", "s", "v", "g", "l")
    it.frame()
    it.send_until("selection (dgemma)", " ", "a")
    it.frame()
    it.terminal.send("\x0e", "\x0e", ENTER)  # the third: Mend
    it.terminal.wait("self._item.remove(items)", gone=True)
    it.pause(0.5)
    it.frame()


def _helix_typo(it: Recorder) -> None:
    """A typo is flagged, and mended by its quick-fix."""
    it.terminal.send(":30" + ENTER, "z", "z", "g", "h", "/teh" + ENTER)
    it.terminal.wait("“teh”")
    it.frame()
    it.send_until("Change “teh”", " ", "a")
    it.frame()
    it.terminal.send(ENTER)
    it.terminal.wait("teh basket", gone=True)
    it.pause(0.5)
    it.frame()


def _emacs_ghost(it: Recorder) -> None:
    """A hole is emptied, ghost text comes, Ctrl-Enter takes it."""
    it.terminal.send("\x1bgg35" + ENTER, "\x05", "\x02", "\x0c")  # M-g g 35, C-e, C-b, C-l
    it.frame()
    it.terminal.send("\x7f", "\x7f", "\x7f")
    for _ in range(10):  # a server that is still busy shows nothing
        it.pause(2)
        if it.terminal.screen().count("self._items") > 2:
            break
        it.terminal.send(" ", "\x7f")
    it.frame()
    it.terminal.send(CTRL_ENTER)
    it.pause(1)
    it.frame()


def _emacs_rewrite(it: Recorder) -> None:
    """A region is mended by a code action of eglot."""
    it.terminal.send("\x1bgg31" + ENTER, "\x0c", "\x1bm", "\x00", "\x05")  # M-m, C-SPC, C-e
    it.frame()
    it.terminal.send("\x1bxeglot-code-actions" + ENTER)
    it.pause(2)
    it.terminal.send("Mend", "\t")
    it.pause(1)
    it.frame()
    it.terminal.send(ENTER)
    it.terminal.wait("self._item.remove(items)", gone=True)
    it.pause(0.5)
    it.frame()


def _with(heading: str, more: str) -> str:
    return more + snippet(heading, "elisp")


PLAYS: dict[str, tuple[str, str, Callable[[Recorder], None]]] = {
    "helix-popup": ("hx", "", _helix_popup),
    "helix-rewrite": ("hx", "", _helix_rewrite),
    "helix-typo": ("hx", "", _helix_typo),
    "emacs-ghost": ("emacs", _with("Emacs with lsp-mode", _LSP_MODE), _emacs_ghost),
    "emacs-rewrite": ("emacs", _with("Emacs with eglot", _EGLOT), _emacs_rewrite),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
