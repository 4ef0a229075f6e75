"""The extension's own checks and tests, on the Node that is fetched; and what is in its package."""

import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from . import fetch_vscode


def npm(*words: str) -> str:
    if (lack := fetch_vscode.missing()) is not None:
        pytest.skip(f"no VS Code: {lack}; python3 -m tests.editors.fetch_vscode")
    done = subprocess.run(
        ["npm", "run", "--silent", *words],
        cwd=fetch_vscode.EXTENSION,
        env=fetch_vscode.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_types_and_style_have_no_complaint() -> None:
    assert npm("check") == ""


def test_the_parts_that_know_no_editor_pass_their_tests() -> None:
    assert "fail 0" in npm("test")


def test_the_package_holds_the_bundle_and_nothing_of_its_making(tmp_path: Path) -> None:
    file = tmp_path / "dgemma-ls.vsix"
    npm("package", "--", "-o", str(file))
    with zipfile.ZipFile(file) as package:
        names = {name.removeprefix("extension/") for name in package.namelist()}
        manifest = json.loads(package.read("extension/package.json"))
    assert manifest["main"] == "./dist/extension.js"
    assert "dist/extension.js" in names
    assert not [name for name in names if "node_modules" in name or name.endswith((".ts", ".map"))]
    assert file.stat().st_size < 300_000


def manifest() -> dict[str, Any]:
    package: dict[str, Any] = json.loads((fetch_vscode.EXTENSION / "package.json").read_text())
    return package


def test_every_command_has_a_title_and_is_reached_by_key() -> None:
    contributes = manifest()["contributes"]
    keys = {it["command"]: it["key"] for it in contributes["keybindings"]}
    for command in contributes["commands"]:
        assert command["title"].strip(), command
        assert command["category"] == "dgemma", command
        assert keys.get(command["command"]), command
    assert set(keys) == {it["command"] for it in contributes["commands"]}


def test_the_readme_tells_the_key_and_the_title_of_every_command() -> None:
    contributes = manifest()["contributes"]
    keys = {it["command"]: it["key"] for it in contributes["keybindings"]}
    expected = {
        f"dgemma: {it['title']}": keys[it["command"]].replace("escape", "esc")
        for it in contributes["commands"]
    }
    readme = (fetch_vscode.EXTENSION / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| \*\*([^|*]+)\*\* \|$", readme, re.MULTILINE)
    told = {title: key.removeprefix("by itself, or ").lower() for key, title in rows}
    assert told == expected


def test_no_key_is_given_twice_and_menus_name_commands_that_are_there() -> None:
    contributes = manifest()["contributes"]
    keys = [it["key"] for it in contributes["keybindings"]]
    assert len(keys) == len(set(keys))
    commands = {it["command"] for it in contributes["commands"]}
    entries = [it for menu in contributes["menus"].values() for it in menu]
    assert {it["command"] for it in entries if "command" in it} <= commands


def test_every_command_has_a_handler_and_every_setting_a_description() -> None:
    package = manifest()
    wiring = (fetch_vscode.EXTENSION / "src" / "extension.ts").read_text("utf-8")
    for command in package["contributes"]["commands"]:
        name = command["command"].removeprefix("dgemma.")
        assert re.search(rf"^    {name}(:|,)", wiring, re.MULTILINE), name
    for name, setting in package["contributes"]["configuration"]["properties"].items():
        assert setting["markdownDescription"], name


def test_it_runs_beside_the_files_and_says_what_it_does_without_trust() -> None:
    package = manifest()
    assert package["extensionKind"] == ["workspace"]  # remote, WSL, containers: where the files are
    assert package["capabilities"]["untrustedWorkspaces"]["supported"] == "limited"
    restricted = package["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    properties = package["contributes"]["configuration"]["properties"]
    by_machine = {name for name, it in properties.items() if it.get("scope") == "machine"}
    assert by_machine == set(restricted)


def test_every_step_of_the_walkthrough_can_be_ticked_and_has_a_picture() -> None:
    (walkthrough,) = manifest()["contributes"]["walkthroughs"]
    commands = {it["command"] for it in manifest()["contributes"]["commands"]}
    for step in walkthrough["steps"]:
        assert (fetch_vscode.EXTENSION / step["media"]["svg"]).is_file(), step["id"]
        assert step["media"]["altText"], step["id"]
        assert step["completionEvents"], step["id"]
        for event in step["completionEvents"]:
            kind, _, name = event.partition(":")
            assert kind == "onContext" or name in commands, event


def test_the_package_asks_for_nothing_that_is_not_stable() -> None:
    package = manifest()
    assert "enabledApiProposals" not in package
    assert not [it for it in package if "telemetry" in it.lower()]
