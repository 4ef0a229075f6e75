import json
import tomllib

import pytest

from dgemma_engine.errors import CheckpointError
from dgemma_ls.languages import languages
from dgemma_ls.snippets import EDITORS, snippet_for

from .fakes import FakeEngine, Program


def test_all_is_well_in_the_environment_of_the_tests(program: Program) -> None:
    ran = program("doctor", "--json")
    report = json.loads(ran.out)
    findings = {finding["name"]: finding for finding in report["findings"]}

    assert ran.code == 0
    assert report["good"]
    assert "sha256" in findings["model files"]["detail"]
    assert "as listed" in findings["model files"]["detail"]
    assert findings["grammars"]["detail"] == ", ".join(languages())
    assert {"python", "torch", "device", "memory", "model"} <= findings.keys()


def test_each_finding_is_a_line(program: Program) -> None:
    ran = program("doctor")

    assert ran.code == 0
    assert "✓ torch" in ran.out
    assert "✗" not in ran.out.replace("with a cross", "")
    assert ran.out.rstrip().endswith("all is well")


def test_a_model_that_cannot_be_loaded_is_a_finding(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(model: str) -> FakeEngine:
        raise CheckpointError("model.safetensors: tensor x is missing; fetch it again")

    monkeypatch.setattr(program, "load", load)
    ran = program("doctor")

    assert ran.code == 1
    assert "✗ model        model.safetensors: tensor x is missing" in ran.out
    assert "✓ grammars" in ran.out  # it goes on


def test_a_broken_grammar_is_named(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_flaws(language: str, text: str) -> tuple[()]:
        if language == "python":
            raise ImportError("no such wheel")
        return ()

    monkeypatch.setattr("dgemma_ls.commands.doctor.find_flaws", find_flaws)
    ran = program("doctor")

    assert ran.code == 1
    assert "✗ grammars     python (ImportError) cannot be loaded" in ran.out


def test_a_model_folder_that_is_not_there_is_named(program: Program) -> None:
    ran = program("doctor", "--model", "/no/where")

    assert ran.code == 1
    assert "/no/where is no model folder" in ran.out


@pytest.mark.parametrize("editor", EDITORS)
def test_every_editors_snippet_starts_the_program(program: Program, editor: str) -> None:
    ran = program("doctor", "--editor", editor)

    snippet = snippet_for(editor, "/opt/dgemma-ls")
    assert "/opt/dgemma-ls" in snippet.text
    assert "COMMAND" not in snippet.text
    assert snippet.where in ran.out
    assert "attach" in ran.out


@pytest.mark.parametrize("editor", ["vscode", "sublime", "kate", "zed"])
def test_snippets_in_json_are_json(editor: str) -> None:
    assert isinstance(json.loads(snippet_for(editor, "c").text), dict)


def test_the_snippet_for_helix_is_toml() -> None:
    value = tomllib.loads(snippet_for("helix", "c").text)

    assert value["language-server"]["dgemma"] == {"command": "c", "args": ["attach"]}
