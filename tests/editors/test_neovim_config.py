"""The files that Neovim's own client reads: the plugin's, and that for nvim-lspconfig."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import PLUGIN
from .neovim import Neovim
from .server_commands import SCRIPTED_SERVER
from .snippets import put_on_path

FOR_LSPCONFIG = PLUGIN.parent / "registry" / "nvim-lspconfig"
Open = Callable[..., Neovim]


def test_the_file_for_nvim_lspconfig_starts_the_server(start_nvim: Open) -> None:
    nvim = start_nvim("\n", set_up=False)
    nvim.lua(
        "local registry, cmd = ... vim.opt.runtimepath:prepend(registry) vim.cmd('filetype on')"
        " vim.lsp.config('dgemma_ls', { cmd = cmd }) vim.lsp.enable('dgemma_ls')"
        " vim.lsp.inline_completion.enable()",
        str(FOR_LSPCONFIG),
        SCRIPTED_SERVER,
    )
    nvim.open(nvim.file)
    nvim.keys("Ax = ")
    nvim.wait_for_ghost("value")


@pytest.mark.parametrize("folder", [PLUGIN, FOR_LSPCONFIG], ids=["plugin", "lspconfig"])
def test_neovim_knows_every_field_of_the_configuration_and_has_nothing_against_it(
    start_nvim: Open, tmp_path: Path, folder: Path
) -> None:
    nvim = start_nvim("\n", set_up=False)
    path = put_on_path(tmp_path / "bin", SCRIPTED_SERVER)
    nvim.lua("vim.env.PATH, _G.folder = ... vim.opt.runtimepath:prepend(folder)", path, str(folder))
    fields = nvim.lua("return vim.tbl_keys(dofile(folder .. '/lsp/dgemma_ls.lua'))")
    assert {"cmd", "root_markers"} <= set(fields)
    assert set(fields) <= fields_of_configurations(nvim)
    nvim.lua("vim.lsp.enable('dgemma_ls')")
    nvim.rpc.command("checkhealth vim.lsp")
    about = nvim.text().split("Enabled Configurations")[1].split("\nvim.lsp: ")[0]
    assert "dgemma_ls" in about
    assert not re.search(r"WARNING|ERROR", about), about


def fields_of_configurations(nvim: Neovim) -> set[str]:
    """Give the fields that Neovim's own types say a server's configuration may have."""
    lua = Path(nvim.lua("return vim.env.VIMRUNTIME"), "lua", "vim")
    fields: set[str] = set()
    for file, name in ("lsp.lua", "vim.lsp.Config"), ("lsp/client.lua", "vim.lsp.ClientConfig"):
        about = re.split(rf"--- @class {re.escape(name)}\b", (lua / file).read_text("utf-8"))[1]
        block = about[: re.search(r"\n[^-]|--- @class|\n\n", about).start()]
        fields |= set(re.findall(r"^--- @field (\w+)", block, re.MULTILINE))
    assert len(fields) > 20
    return fields
