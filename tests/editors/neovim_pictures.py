"""Record features in the real Neovim as pictures: ``python -m tests.editors.neovim_pictures``.

Neovim runs without a terminal; this attaches as its user interface, presses keys, and draws the
screen's cells as SVG, a few frames a picture. The server and its model are the real ones. The
pictures lie in ``docs/pictures``; look at them before you keep them.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from . import fetch
from .conftest import PLUGIN, editor_environment
from .neovim import Neovim
from .server_commands import REAL_SERVER, ROOT

PICTURES = ROOT / "docs" / "pictures"
SOURCE = ROOT / "examples" / "basket.py"
COLUMNS, ROWS = 76, 14
FRAME_S = 2.0

_CHAR, _LINE, _MARGIN = 8.4, 19, 12
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


@dataclass
class Screen:
    """Neovim's grid as its events (``:help ui-linegrid``) leave it."""

    cells: list[list[tuple[str, int]]] = field(
        default_factory=lambda: [[(" ", 0)] * COLUMNS for _ in range(ROWS)]
    )
    looks: dict[int, Mapping[str, Any]] = field(default_factory=lambda: {0: {}})
    colors: tuple[int, int] = (0xFFFFFF, 0)
    cursor: tuple[int, int] = (0, 0)

    def take(self, event: str, args: Sequence[Any]) -> None:
        """Follow one event."""
        match event:
            case "default_colors_set":
                self.colors = (args[0], args[1])
            case "hl_attr_define":
                self.looks[args[0]] = args[1]
            case "grid_clear":
                self.cells = [[(" ", 0)] * COLUMNS for _ in range(ROWS)]
            case "grid_cursor_goto":
                self.cursor = (args[1], args[2])
            case "grid_line":
                self._line(args[1], args[2], args[3])
            case "grid_scroll":
                self._scroll(*args[1:6])

    def _line(self, row: int, column: int, cells: Sequence[Sequence[Any]]) -> None:
        look = 0
        for text, *more in cells:
            look = more[0] if more else look
            for _ in range(more[1] if len(more) > 1 else 1):
                self.cells[row][column] = (text, look)
                column += 1

    def _scroll(self, top: int, bottom: int, left: int, right: int, rows: int) -> None:
        before = [line[:] for line in self.cells]
        for row in range(top, bottom):
            if top <= row + rows < bottom:
                self.cells[row][left:right] = before[row + rows][left:right]


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
        rpc = self.nvim.rpc
        self.nvim.lua("vim.wait(150) vim.cmd('redraw!')")
        self.nvim.lua(f"vim.schedule(function() vim.rpcnotify({rpc.channel_id}, 'drawn') end)")
        while (message := rpc.next_message())[1] != "drawn":
            for name, *calls in message[2] if message[1] == "redraw" else []:
                for args in calls:
                    self.screen.take(name, args)
        self.frames.append("\n".join(_drawn(self.screen)))


def main() -> int:
    """Record all pictures."""
    for name, options, play in PLAYS:
        with tempfile.TemporaryDirectory() as folder:
            recorder = Recorder(Path(folder), options)
            try:
                play(recorder)
            finally:
                recorder.nvim.close()
        picture = _animated(recorder.frames, title=f"dgemma-ls in Neovim: {name}")
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


PLAYS: tuple[tuple[str, str, Callable[[Recorder], None]], ...] = (
    ("ghost", "", _ghost),
    ("rewrite", "strength = 0.15", _rewrite),
    ("fill", "", _fill),
)


def _drawn(screen: Screen) -> Iterator[str]:
    """Draw the cells of a screen, one element for each run of the same look."""
    foreground, background = screen.colors
    for row, line in enumerate(screen.cells):
        y = _MARGIN + row * _LINE
        looks = [(look, (row, column) == screen.cursor) for column, (_, look) in enumerate(line)]
        column = 0
        for (look, is_cursor), run in groupby(looks):
            length = len(list(run))
            text = "".join(cell for cell, _ in line[column : column + length])
            x, width = _MARGIN + column * _CHAR, length * _CHAR
            column += length
            style = screen.looks.get(look, {})
            ink, paper = style.get("foreground", foreground), style.get("background", background)
            if style.get("reverse", False) != is_cursor:
                ink, paper = paper, ink
            if paper != background:
                yield (
                    f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_LINE}" '
                    f'fill="#{paper:06x}"/>'
                )
            if text.strip():
                weight = ' font-weight="700"' if style.get("bold") else ""
                slant = ' font-style="italic"' if style.get("italic") else ""
                yield (
                    f'<text x="{x:.1f}" y="{y + 14}" textLength="{width:.1f}" '
                    f'fill="#{ink:06x}"{weight}{slant} xml:space="preserve">{escape(text)}</text>'
                )


def _animated(frames: Sequence[str], *, title: str) -> str:
    """Show one frame after the other, for ever; all at rest shows the last."""
    width, height = COLUMNS * _CHAR + 2 * _MARGIN, ROWS * _LINE + 2 * _MARGIN
    share = 100 / len(frames)
    length_s = FRAME_S * len(frames)
    rules = [
        "text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }",
        f"@keyframes turn {{ 0% {{ visibility: visible }} {share:.2f}% {{ visibility: hidden }} }}",
        *(
            f".f{at} {{ visibility: hidden; animation: turn {length_s}s step-end "
            f"{FRAME_S * at}s infinite }}"
            for at in range(len(frames) if len(frames) > 1 else 0)
        ),
        f"@media (prefers-reduced-motion: reduce) {{ g {{ animation: none !important }} "
        f".f{len(frames) - 1} {{ visibility: visible }} }}",
    ]
    groups = "\n".join(f'<g class="f{at}">\n{frame}\n</g>' for at, frame in enumerate(frames))
    style = "\n".join(rules)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
        f'width="{width:.0f}" height="{height}" role="img">\n<title>{escape(title)}</title>\n'
        f'<style>{style}</style>\n<rect width="100%" height="100%" rx="6" fill="#14161b"/>\n'
        f"{groups}\n</svg>\n"
    )


if __name__ == "__main__":
    sys.exit(main())
