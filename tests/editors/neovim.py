"""Drives a headless Neovim with real keys, over its own RPC."""

import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pynvim

PATIENCE_MS = 20_000  # only reached when a test fails
SPACES = ("nvim.lsp.inline_completion", "dgemma.ghost")  # where ghost text is drawn

_SET_UP = """
local plugin, cmd, options = ...
vim.opt.runtimepath:prepend(plugin)
vim.cmd('filetype on')
vim.cmd.runtime('plugin/dgemma.lua')
vim.g.said = {}
vim.notify = function(message)
  vim.g.said = vim.list_extend(vim.g.said, { message })
end
local chosen = assert(load('return {' .. options .. '}'))()
chosen.cmd = cmd
require('dgemma').setup(chosen)
"""

GHOST = """
for _, name in ipairs(...) do
  local space = vim.api.nvim_get_namespaces()[name]
  local marks = space
    and vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { details = true }) or {}
  for _, mark in ipairs(marks) do
    local lines = { mark[4].virt_text and mark[4].virt_text[1][1] or '' }
    for _, row in ipairs(mark[4].virt_lines or {}) do table.insert(lines, row[1][1]) end
    return { mark[2], mark[3], table.concat(lines, '\\n') }
  end
end
return vim.NIL
"""

_WAIT = "return (vim.wait({}, function() return {} end, 5))"


class Neovim:
    """One editor process; ``lua`` and ``keys`` are all that a test needs."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        variables = [f"{name}={value}" for name, value in environment.items()]
        options = ["--embed", "--headless", "-u", "NONE", "-i", "NONE", "-n"]
        self.rpc = pynvim.attach("child", argv=["env", *variables, *command, *options])
        self.file = Path()
        self.server: list[str] = []
        self.closed = False

    def set_up(self, plugin: Path, server: Sequence[str], options: str = "") -> None:
        self.server = list(server)
        self.lua(_SET_UP, str(plugin), self.server, options)

    def open(self, file: Path) -> None:
        """Edit a file and wait until the server serves it."""
        self.file = file
        self.rpc.command(f"edit {file}")
        self.wait("(vim.lsp.get_clients({bufnr=0})[1] or {}).initialized")

    def lua(self, code: str, *args: Any) -> Any:
        return self.rpc.exec_lua(code, *args)

    def wait(self, expression: str) -> None:
        """Wait inside Neovim, whose event loop goes on, until a Lua expression holds."""
        if not self.lua(_WAIT.format(PATIENCE_MS, expression)):
            raise AssertionError(f"never: {expression}; {self.describe()}")

    def keys(self, keys: str) -> None:
        """Type, in Neovim's notation; what they start has run when this returns."""
        self.rpc.input(keys)
        self.lua("vim.wait(0)")

    def ghost(self) -> str | None:
        """The ghost text on the screen, None if there is none."""
        found = self.lua(GHOST, list(SPACES))
        return None if found is None else str(found[2])

    def wait_for_ghost(self, text: str | None) -> None:
        expected = (
            "vim.NIL" if text is None else f"[=[\n{text}]=]"
        )  # Lua drops the first line break
        spaces = "{" + ",".join(f"'{name}'" for name in SPACES) + "}"
        self.wait(
            f"(function() local g = (function(...) {GHOST} end)({spaces});"
            f" return (g == vim.NIL and vim.NIL or g[3]) == {expected} end)()"
        )

    def wait_for_any_ghost(self, *, again: str = "") -> str:
        """Wait for ghost text, whatever it is, and give it.

        Args:
            again: keys to type each second without: a server that still loads its model answers
                that it has nothing.
        """
        names = "{" + ",".join(f"'{name}'" for name in SPACES) + "}"
        shown = f"(function(...) {GHOST} end)({names}) ~= vim.NIL"
        for _ in range(PATIENCE_MS // 1000 if again else 0):
            if self.lua(_WAIT.format(1000, shown)):
                break
            self.keys(again)
        self.wait(shown)
        text = self.ghost()
        assert text is not None
        return text

    def text(self) -> str:
        return "\n".join(self.lua("return vim.api.nvim_buf_get_lines(0, 0, -1, true)"))

    def wait_for_text(self, text: str) -> None:
        self.wait(
            f"table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\\n') == [=[\n{text}]=]"
        )

    def said(self) -> list[str]:
        """What the plugin told the user. Neovim has its own words about a server that ended."""
        return [it for it in self.rpc.vars.get("said", []) if it.startswith("dgemma")]

    def saved(self) -> bytes:
        """Leave insert mode, write the file, and give its bytes."""
        self.keys("<Esc>")
        self.rpc.command("write")
        return self.file.read_bytes()

    def server_pid(self) -> int:
        """The process of the language server, by its first words."""
        pid = self.rpc.funcs.getpid()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        servers = [
            int(child)
            for child in children
            if Path(f"/proc/{child}/cmdline").read_text("utf-8").split("\0")[1:2]
            == self.server[1:2]
        ]
        assert len(servers) == 1, f"servers {servers} among {children}; {self.describe()}"
        return servers[0]

    def kill_server(self) -> int:
        pid = self.server_pid()
        os.kill(pid, signal.SIGKILL)
        return pid

    def describe(self) -> str:
        messages = self.rpc.command_output("messages")
        return f"ghost {self.ghost()!r}, text {self.text()!r}, said {self.said()}, {messages}"

    def close(self) -> None:
        """Quit; once more does no harm."""
        if self.closed:
            return
        self.closed = True
        with contextlib.suppress(OSError, EOFError):
            self.rpc.command("qa!")
        self.rpc.close()
