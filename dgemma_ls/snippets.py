"""How to start the server from editors: what a user pastes into a configuration file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """What one editor needs.

    Attributes:
        where: the file or place it goes to.
        text: what to paste; ``COMMAND`` stands for the program.
        note: what the editor can and cannot show.
    """

    where: str
    text: str
    note: str


def snippet_for(editor: str, command: str) -> Snippet:
    """Give an editor's snippet with the program's path in it.

    Raises:
        KeyError: if there is none; ask :data:`EDITORS`.
    """
    found = _SNIPPETS[editor]
    return Snippet(where=found.where, text=found.text.replace("COMMAND", command), note=found.note)


_GHOST = "shows suggestions as ghost text"
_NO_GHOST = "shows no ghost text from language servers; completion, actions and diagnostics work"

_SNIPPETS = {
    "neovim": Snippet(
        where="~/.config/nvim/init.lua (Neovim 0.12 or later)",
        note=_GHOST,
        text="""\
vim.lsp.config('dgemma_ls', { cmd = { 'COMMAND', 'attach' }, root_markers = { '.git' } })
vim.lsp.enable('dgemma_ls')
vim.lsp.inline_completion.enable()
vim.keymap.set('i', '<Tab>', function()
  if not vim.lsp.inline_completion.get() then return '<Tab>' end
end, { expr = true })""",
    ),
    "helix": Snippet(
        where="~/.config/helix/languages.toml (once per language)",
        note=_NO_GHOST,
        text="""\
[language-server.dgemma]
command = "COMMAND"
args = ["attach"]

[[language]]
name = "python"
language-servers = ["dgemma"]  # beside those that you have""",
    ),
    "emacs": Snippet(
        where="~/.emacs.d/init.el (eglot; lsp-mode has lsp-inline-completion for ghost text)",
        note=_NO_GHOST,
        text="""\
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '(prog-mode . ("COMMAND" "attach"))))""",
    ),
    "vscode": Snippet(
        where="the settings of a generic language client extension",
        note=_GHOST,
        text='{ "command": "COMMAND", "args": ["attach"], "transport": "stdio" }',
    ),
    "sublime": Snippet(
        where="Preferences > Package Settings > LSP > Settings (package LSP)",
        note=_NO_GHOST,
        text="""\
{ "clients": { "dgemma-ls": {
    "enabled": true, "command": ["COMMAND", "attach"], "selector": "source"
} } }""",
    ),
    "kate": Snippet(
        where="Settings > Configure Kate > LSP Client > User Server Settings",
        note=_NO_GHOST,
        text="""\
{ "servers": { "python": {
    "command": ["COMMAND", "attach"], "highlightingModeRegex": "^Python$"
} } }""",
    ),
    "zed": Snippet(
        where="settings.json; Zed starts servers only for extensions, so one has to name it",
        note=_NO_GHOST,
        text="""\
{ "lsp": { "dgemma-ls": { "binary": {
    "path": "COMMAND", "arguments": ["attach"]
} } } }""",
    ),
}

EDITORS = tuple(_SNIPPETS)
