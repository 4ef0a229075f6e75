"""Drives a program with a full screen: Neovim's terminal draws it and sends the keys."""

import contextlib
from collections.abc import Mapping, Sequence

import pynvim

from .neovim import PATIENCE_MS

_START = """
local command, env, cwd, columns, lines = ...
vim.o.columns, vim.o.lines = columns, lines
local buf = vim.api.nvim_create_buf(false, true)
vim.api.nvim_set_current_buf(buf)
vim.g.job = vim.fn.jobstart(command, { term = true, env = env, cwd = cwd,
  on_exit = function(_, code) vim.g.code = code end })
"""
_WAIT = """
local text, gone, patience = ...
local function there()
  local screen = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\\n')
  return (screen:find(text, 1, true) == nil) == gone
end
return (vim.wait(patience, there, 5))
"""
_SCREEN = "table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\\n')"


class Terminal:
    """One program on a screen, of 100 columns and 28 rows or so."""

    def __init__(
        self,
        neovim: Sequence[str],
        neovim_environment: Mapping[str, str],
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: str,
        *,
        watched: tuple[int, int] | None = None,
    ) -> None:
        """Start it.

        Args:
            neovim: the words that start Neovim, and its variables.
            command: the words that start the program, and its variables.
            folder: where the program starts.
            watched: columns and rows, where somebody looks (:mod:`tests.editors.screen`): the
                program then has the whole screen.
        """
        variables = [f"{name}={value}" for name, value in neovim_environment.items()]
        options = ["--embed", "--headless", "-u", "NONE", "-i", "NONE", "-n"]
        self.rpc = pynvim.attach("child", argv=["env", *variables, *neovim, *options])
        if watched is not None:
            self.rpc.ui_attach(*watched, rgb=True, ext_linegrid=True)
            self.rpc.exec_lua("vim.o.laststatus, vim.o.cmdheight, vim.o.termguicolors = 0, 0, true")
        size = (100, 30) if watched is None else watched
        self.rpc.exec_lua(_START, list(command), dict(environment), folder, *size)
        if watched is not None:
            self.rpc.command("startinsert")  # so that the cursor is the program's

    def screen(self) -> str:
        return str(self.rpc.exec_lua(f"return {_SCREEN}"))

    def wait(self, text: str, *, gone: bool = False) -> None:
        """Wait until a text is on the screen, or is not any more."""
        there = self.rpc.exec_lua(_WAIT, text, gone, PATIENCE_MS)
        assert there, f"{text!r} {'stays' if gone else 'never came'}:\n{self.screen()}"

    def send(self, *keys: str) -> None:
        """Send keys as bytes of a terminal, each on its own: Esc before a key would be Alt."""
        for some in keys:
            self.rpc.exec_lua("vim.fn.chansend(vim.g.job, ...) vim.wait(60)", some)

    def wait_for_exit(self) -> int:
        """Wait until the program has ended, and give its exit code."""
        code = (
            f"vim.wait({PATIENCE_MS}, function() return vim.g.code ~= nil end, 5) return vim.g.code"
        )
        return int(self.rpc.exec_lua(code))

    def close(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            self.rpc.command("qa!")
        self.rpc.close()
