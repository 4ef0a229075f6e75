"""The plugin's and the registries' files agree with each other and with the server. No editor."""

import dataclasses
import json
import re
import tomllib

import pytest

from dgemma_ls.settings import Settings

from .conftest import PLUGIN
from .server_commands import ROOT
from .snippets import README, snippet

REGISTRY = ROOT / "editors" / "registry"


def project() -> dict[str, str]:
    values: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return values


def names(text: str, pattern: str) -> list[str]:
    return re.findall(pattern, text, re.MULTILINE)


def test_options_have_the_same_names_in_code_types_and_help() -> None:
    code = (PLUGIN / "lua/dgemma/config.lua").read_text("utf-8").split("M.current")[0]
    types = (PLUGIN / "lua/dgemma/types.lua").read_text("utf-8")
    manual = (PLUGIN / "doc/dgemma.txt").read_text("utf-8")
    config, keys = types.split("dgemma.Config\n")[1].split("---@class (exact) dgemma.Keys\n")
    shown = manual.split("setup({\n")[1].split("})\n")[0]
    for indent, declared in (2, config), (4, keys.split("\n\n")[0]):
        fields = names(declared, r"^---@field (\w+)")
        assert len(fields) >= 6
        assert names(code, rf"^ {{{indent}}}(\w+) = ") == fields
        assert names(shown, rf"^ {{{indent + 4}}}(\w+) = ") == fields


def test_what_the_server_can_be_told_exists() -> None:
    types = (PLUGIN / "lua/dgemma/types.lua").read_text("utf-8")
    options = types.split("---@class dgemma.ServerOptions\n")[1].split("\n\n")[0]
    table = README.read_text("utf-8").split("## Options")[1]
    known = {field.name for field in dataclasses.fields(Settings)}
    assert set(names(options, r"^---@field (\w+)")) <= known
    assert set(names(table, r"^\| `(\w+)`")) <= known


def test_every_command_and_plug_of_the_plugin_is_in_its_help() -> None:
    manual = (PLUGIN / "doc/dgemma.txt").read_text("utf-8")
    commands = (PLUGIN / "lua/dgemma/command.lua").read_text("utf-8")
    start = (PLUGIN / "plugin/dgemma.lua").read_text("utf-8")
    subcommands = names(commands.split("local subcommands")[1], r"^  (\w+) = function")
    assert len(subcommands) == 9
    for name in subcommands:
        assert f"Dgemma {name}" in manual
    plugs = names(start, r"\['([\w-]+)'\] = ") + names(start, r"<Plug>\(dgemma-([\w-]+)\)")
    assert len(plugs) == 13
    for name in plugs:
        assert f"*<Plug>(dgemma-{name})*" in manual


def test_registries_name_the_package_version_and_program_of_this_project() -> None:
    mason = (REGISTRY / "mason/packages/dgemma-ls/package.yaml").read_text("utf-8")
    assert f"id: pkg:pypi/{project()['name']}@{project()['version']}\n" in mason
    assert "dgemma-ls" in project()["scripts"]
    assert f"- {project()['license']}\n" in mason
    fields = json.loads((REGISTRY / "open-vsx/package-fields.json").read_text("utf-8"))
    assert (fields["version"], fields["license"]) == (project()["version"], project()["license"])
    server = (PLUGIN / "lua/dgemma/server.lua").read_text("utf-8")
    assert f"local VERSION = '{project()['version']}'\n" in server


@pytest.mark.parametrize("heading", ["Zed", "Sublime Text", "Kate", "Vim"])
def test_configurations_that_are_json_can_be_read(heading: str) -> None:
    assert "dgemma-ls" in json.dumps(json.loads(snippet(heading, "json")))


def test_the_servers_of_kakoune_are_toml_below_a_hook() -> None:
    block = snippet("Kakoune", "kak")
    servers = tomllib.loads(block.split("lsp_servers %{\n")[1].split("    }\n")[0])
    assert servers == {"dgemma-ls": {"root_globs": [".git"], "args": ["--stdio"]}}
    assert block.count("{") == block.count("}")


def test_every_row_of_the_table_says_how_it_is_known() -> None:
    table = README.read_text("utf-8").split("## What works where")[1].split("\n## ")[0]
    rows = [row.split("|")[1:-1] for row in table.splitlines() if row.startswith("| ")][1:]
    assert len(rows) >= 11
    for _, *cells, how in rows:
        assert re.search(r"\]\(#[\w-]+\)", how)
        for cell in cells:
            known = ("tested", "configuration only", "not needed", "–")
            assert cell.strip().startswith(known), cell
