"""The table of what is promised names tests that exist, for every row."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "conformance.md"
NAME = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def exists(file: str, test: str) -> bool:
    path = ROOT / file
    if not path.is_file():
        return False
    functions = ast.walk(ast.parse(path.read_text("utf-8")))
    return not test or any(
        isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef) and it.name == test
        for it in functions
    )


def test_every_test_that_is_named_exists() -> None:
    named = NAME.findall(PAGE.read_text("utf-8"))
    assert len(named) > 80
    assert [f"{file}::{test}" for file, test in named if not exists(file, test)] == []


def test_every_row_names_one() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    bodies = [line for line in rows if not re.match(r"\| (#|part) \|", line)]
    assert [line for line in bodies if not NAME.search(line)] == []


def test_a_misspelt_name_is_found() -> None:
    assert exists("tests/test_conformance.py", "test_a_misspelt_name_is_found")
    assert not exists("tests/test_conformance.py", "test_a_mispelt_name")
    assert not exists("tests/test_conformity.py", "")
