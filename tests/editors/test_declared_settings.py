"""What the VS Code extension declares agrees with the server, the project and the registry."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from dgemma_ls.settings import Settings, read_settings

from .server_commands import ROOT
from .vscode_settings import PACKAGE, properties

EXTENSION = PACKAGE.parent
SOURCES = EXTENSION / "src"


@pytest.fixture(scope="module")
def package() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(PACKAGE.read_text("utf-8"))
    return value


def test_settings_have_the_servers_names_defaults_bounds_and_words(package: dict[str, Any]) -> None:
    declared = package["contributes"]["configuration"]["properties"]
    own = {"path", "share", "strength", "preview", "nextEdits", "disabled_languages"}
    servers = {name: it for name, it in declared.items() if name.split(".")[1] not in own}
    assert servers == properties(), "run: python -m tests.editors.vscode_settings"


def test_the_server_takes_every_default_as_it_is() -> None:
    options = {name.split(".")[1]: it["default"] for name, it in properties().items()}
    assert read_settings(options) == (Settings(), ())


def test_the_code_sends_all_of_the_servers_settings_and_no_other() -> None:
    code = (SOURCES / "options.ts").read_text("utf-8")
    for constant, scope in ("MACHINE_SETTINGS", "machine"), ("WINDOW_SETTINGS", "window"):
        (names,) = re.findall(rf"{constant} = \[(.*?)\]", code, re.DOTALL)
        declared = [name.split(".")[1] for name, it in properties().items() if it["scope"] == scope]
        assert re.findall(r'"(\w+)"', names) == declared


def test_what_a_workspace_must_not_choose_is_restricted(package: dict[str, Any]) -> None:
    declared = package["contributes"]["configuration"]["properties"]
    of_the_machine = {name for name, it in declared.items() if it.get("scope") == "machine"}
    untrusted = package["capabilities"]["untrustedWorkspaces"]
    assert set(untrusted["restrictedConfigurations"]) == of_the_machine
    assert {"dgemma.model", "dgemma.device", "dgemma.path"} <= of_the_machine


def test_every_command_has_a_key_a_handler_and_a_line_in_the_readme(
    package: dict[str, Any],
) -> None:
    contributes = package["contributes"]
    commands = {it["command"]: it["title"] for it in contributes["commands"]}
    keys = {it["command"]: it["key"] for it in contributes["keybindings"]}
    assert set(keys) == set(commands)
    assert len(set(keys.values())) == len(keys)
    handlers = (SOURCES / "extension.ts").read_text("utf-8").split("const handlers")[1]
    for command in commands:
        assert re.search(rf"^    {command.split('.')[1]}[:,]", handlers, re.MULTILINE), command
    readme = (EXTENSION / "README.md").read_text("utf-8")
    for command in "rewriteSelection", "fillHolesAtCursors", "fixTyposInDocument", "menu":
        title, key = commands[f"dgemma.{command}"], keys[f"dgemma.{command}"]
        (row,) = re.findall(rf"^\| .*\*\*dgemma: {re.escape(title)}\*\*.*$", readme, re.MULTILINE)
        assert key in row.lower()


def test_menus_and_walkthrough_name_what_is_there(package: dict[str, Any]) -> None:
    contributes = package["contributes"]
    commands = {it["command"] for it in contributes["commands"]}
    in_menus = {it["command"] for it in contributes["menus"]["dgemma.editor"]}
    (walkthrough,) = contributes["walkthroughs"]
    text = json.dumps(walkthrough)
    assert in_menus | set(re.findall(r"command:(dgemma\.\w+)", text)) <= commands
    for step in walkthrough["steps"]:
        assert (EXTENSION / step["media"]["svg"]).is_file()
        assert step["media"]["altText"]


def test_the_package_is_what_the_registry_is_told(package: dict[str, Any]) -> None:
    fields = json.loads((ROOT / "editors/registry/open-vsx/package-fields.json").read_text("utf-8"))
    assert {name: package[name] for name in fields} == fields
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert (package["version"], package["license"]) == (project["version"], project["license"])
    assert (EXTENSION / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert (EXTENSION / package["icon"]).read_bytes().startswith(b"\x89PNG")


def test_no_source_file_talks_to_a_network_or_counts_users() -> None:
    for file in sorted(SOURCES.glob("*.ts")):
        code = file.read_text("utf-8")
        assert not re.search(r"fetch\(|node:https?|node:net|elemetry|machineId", code), file.name
        assert len(code.splitlines()) <= 260, file.name


def test_files_that_are_packed_exist() -> None:
    lines = Path(EXTENSION / ".vscodeignore").read_text("utf-8").splitlines()
    named = [line.removeprefix("!") for line in lines if line.startswith("!")]
    assert all(list(EXTENSION.glob(name)) for name in named if not name.startswith("dist/"))
