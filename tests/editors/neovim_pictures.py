"""Record features in the real Neovim as pictures: ``python -m tests.editors.neovim_pictures``.

Neovim runs without a terminal; this attaches as its user interface, presses keys, and draws the
screen's cells as SVG, a few frames a picture. The server and its model are the real ones. The
pictures lie in ``docs/pictures``; look at them before you keep them.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from . import fetch
from .conftest import PLUGIN, editor_environment
from .neovim import Neovim
from .screen import COLUMNS, ROWS, Screen, animated, catch
from .server_commands import REAL_SERVER, ROOT

PICTURES = ROOT / "docs" / "pictures"
SOURCE = ROOT / "examples" / "basket.py"

_LOOKS = """
vim.o.termguicolors, vim.o.number, vim.o.showmode, vim.o.showcmd, vim.o.ruler =
  true, true, false, false, false
vim.o.laststatus = 2
vim.o.statusline = " %t%=%{v:lua.require'dgemma'.status()} "
vim.cmd('syntax on')
vim.api.nvim_set_hl(0, 'ComplHint', { fg = '#9b9ea4', italic = true }) -- to be seen when small
vim.keymap.set('x', '<Space>f', '<Plug>(dgemma-fill)')
vim.notify = function(message) vim.api.nvim_echo({ { message } }, false, {}) end
"""
_READY = """
vim.wait(1000) -- the model begins to load
vim.wait(20000, function() return require('dgemma').status() == 'dgemma' end)
"""


class Recorder:
    """Neovim with somebody who looks at its screen."""

    def __init__(self, folder: Path, options: str = "") -> None:
        editor = next(it for it in fetch.EDITORS if it.name == "nvim")
        if not fetch.is_complete(editor.tree):
            raise SystemExit(
                "Neovim is not there; python3 dev.py editors (or tests/editors/fetch.py)"
            )
        file = folder / SOURCE.name
        file.write_bytes(SOURCE.read_bytes())
        self.nvim = Neovim(fetch.command(editor), editor_environment(editor, folder / "home"))
        self.screen = Screen()
        self.frames: list[str] = []
        self.nvim.rpc.ui_attach(COLUMNS, ROWS, rgb=True, ext_linegrid=True)
        self.nvim.set_up(PLUGIN, REAL_SERVER, options)
        self.nvim.lua(_LOOKS)
        self.nvim.open(file)
        self.nvim.lua(_READY)

    def frame(self) -> None:
        """Keep what is on the screen now."""
        self.frames.append(catch(self.nvim.rpc, self.screen))


def main(names: list[str]) -> int:
    """Record all pictures, or those that are named."""
    for name, options, play in PLAYS:
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            recorder = Recorder(Path(folder), options)
            try:
                play(recorder)
            finally:
                recorder.nvim.close()
        picture = animated(recorder.frames, title=f"dgemma-ls in Neovim: {name}")
        file = PICTURES / f"neovim-{name}.svg"
        file.write_text(picture, "utf-8")
        sys.stdout.write(f"{file.relative_to(ROOT)}: {len(picture.encode()):,} bytes\n")
    return 0


def _ghost(it: Recorder) -> None:
    """A hole is emptied, ghost text comes, Tab takes it."""
    it.nvim.keys("35Gzz$3h")
    it.frame()
    it.nvim.keys("ct)")
    it.nvim.wait_for_any_ghost(again="<Esc>a")
    it.frame()
    it.nvim.keys("<Tab>")
    it.nvim.wait_for_ghost(None)
    it.frame()


def _rewrite(it: Recorder) -> None:
    """A line is mended, by a command without an instruction."""
    it.nvim.keys("31Gzz^")
    it.frame()
    before = it.nvim.text()
    it.nvim.keys(":Dgemma rewrite")
    it.frame()
    it.nvim.keys("<CR>")
    it.nvim.keys("<CR>")
    it.nvim.wait(f"vim.fn.getline(31) ~= {before.splitlines()[30]!r}")
    it.frame()


def _fill(it: Recorder) -> None:
    """What is selected is filled anew: the hole of line 27."""
    it.nvim.keys("27Gzz$3hv2l")
    it.frame()
    it.nvim.keys("<Space>f")
    it.nvim.wait("not vim.fn.getline(27):find('___', 1, true)")
    it.frame()


def _typos(it: Recorder) -> None:
    """Typos are flagged; a command mends the document."""
    it.nvim.lua("vim.diagnostic.config({ virtual_text = true })")
    it.nvim.keys("30Gzz0")
    it.nvim.wait("#vim.diagnostic.get(0) > 2")
    it.frame()
    it.nvim.keys(":Dgemma fix")
    it.frame()
    it.nvim.keys("<CR>")
    it.nvim.wait("not vim.fn.getline(30):find('teh', 1, true)")
    it.nvim.wait("#vim.diagnostic.get(0) == 0")
    it.frame()


PLAYS: tuple[tuple[str, str, Callable[[Recorder], None]], ...] = (
    ("ghost", "", _ghost),
    ("rewrite", "strength = 0.15", _rewrite),
    ("fill", "", _fill),
    ("typos", "", _typos),
)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
