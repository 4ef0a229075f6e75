"""Neovim's screen as somebody sees it who attaches as its user interface, drawn as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

import pynvim

COLUMNS, ROWS = 76, 14
FRAME_S = 2.0

_CHAR, _LINE, _MARGIN = 8.4, 19, 12


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


def catch(rpc: pynvim.Nvim, screen: Screen) -> str:
    """Bring a screen up to date, and draw it."""
    rpc.exec_lua("vim.wait(150) vim.cmd('redraw!')")
    rpc.exec_lua(f"vim.schedule(function() vim.rpcnotify({rpc.channel_id}, 'drawn') end)")
    while (message := rpc.next_message())[1] != "drawn":
        for name, *calls in message[2] if message[1] == "redraw" else []:
            for args in calls:
                screen.take(name, args)
    return "\n".join(drawn(screen))


def drawn(screen: Screen) -> Iterator[str]:
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


def animated(frames: Sequence[str], *, title: str) -> str:
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
