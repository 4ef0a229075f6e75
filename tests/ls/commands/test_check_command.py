import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.commands.check import sample_offsets

from .fakes import Program

CODE = "def f(a):\n    return g(a)\n\n\nclass C:\n    x = 1\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "a.py"
    file.write_text(CODE)
    return file


def fails(prefix: str, suffix: str) -> list[str]:
    raise RuntimeError("a wire is loose")


def test_every_place_is_reported_and_the_totals_add_up(program: Program, path: Path) -> None:
    ran = program("check", path, "--positions", 5)

    lines = ran.out.splitlines()
    assert ran.code == 0
    assert len([line for line in lines if line.startswith(f"{path}:")]) == 5
    assert "python: 0 syntax errors" in lines[-2]
    assert lines[-1].startswith("5 places: ")


def test_places_of_a_seed_are_the_same_and_of_another_are_not(program: Program, path: Path) -> None:
    def places(seed: int) -> list[tuple[int, int]]:
        ran = program("check", path, "--positions", 4, "--seed", seed, "--json")
        return [(place["line"], place["column"]) for place in json.loads(ran.out)["places"]]

    assert places(1) == places(1)
    assert len({tuple(places(seed)) for seed in range(5)}) > 1
    assert {asked["seed"] for asked in program.engine.asked} == {0, 1, 2, 3, 4}


def test_a_refusal_is_no_failure(program: Program, path: Path) -> None:
    program.engine.texts = ()
    ran = program("check", path, "--json")

    report = json.loads(ran.out)
    assert ran.code == 0
    assert report["totals"]["refused"] == len(report["places"]) > 0


def test_a_request_that_fails_is_told_and_the_others_go_on(program: Program, path: Path) -> None:
    program.engine.answer = lambda prefix, suffix: fails(prefix, suffix) if "C" in prefix else []
    ran = program("check", path, "--positions", 50, "--json")

    report = json.loads(ran.out)
    assert ran.code == 1
    assert report["totals"]["failed"] > 0
    assert report["totals"]["refused"] > 0
    details = {place["detail"] for place in report["places"] if place["outcome"] == "failed"}
    assert details == {"RuntimeError: a wire is loose"}


def test_a_gate_that_lets_a_broken_edit_through_is_found(
    program: Program, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.engine.texts = ("((",)
    monkeypatch.setattr("dgemma_ls.gate.check", lambda snapshot, edit: edit)
    ran = program("check", path, "--positions", 3)

    assert ran.code == 1
    assert "failed: the edit '((' breaks the parse" in ran.out


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_a_file_without_a_word_is_bad_input(program: Program, tmp_path: Path, text: str) -> None:
    (tmp_path / "empty.py").write_text(text)
    ran = program("check", tmp_path / "empty.py")

    assert ran.code == 2
    assert "nothing but white space" in ran.err
    assert program.loaded == []


def test_a_model_that_is_no_folder_is_bad_input(program: Program, path: Path) -> None:
    ran = program("check", path, "--model", "/no/where")

    assert ran.code == 2
    assert "/no/where is no model folder" in ran.err


@given(st.text(), st.integers(0, 30), st.integers(0, 10))
def test_sampled_places_follow_a_sign_and_are_sorted_and_distinct(
    text: str, n: int, seed: int
) -> None:
    offsets = sample_offsets(text, n, seed)

    assert offsets == sorted(set(offsets))
    assert len(offsets) <= n
    for offset in offsets:
        assert not text[offset - 1].isspace()
        assert not (text[offset - 1] + text[offset : offset + 1])[1:].isalnum() or not (
            text[offset - 1].isalnum()
        )
