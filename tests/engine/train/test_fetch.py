"""With a pip that touches no network."""

import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dgemma_engine.train.corpus import CorpusRecipe, load_corpus_recipe
from dgemma_engine.train.fetch import call_pip, fetch
from dgemma_engine.train.sources import Package


class Pip:
    """Writes the file that is asked for."""

    def __init__(self, lacks: str = "nothing") -> None:
        self.calls: list[list[str]] = []
        self.lacks = lacks
        self._lock = threading.Lock()

    def __call__(self, arguments: Sequence[str]) -> str:
        with self._lock:
            self.calls.append(list(arguments))
        name, _, version = arguments[-1].partition("==")
        folder = Path(arguments[arguments.index("--dest") + 1])
        end = ".tar.gz" if "--no-binary" in arguments else "-py3-none-any.whl"
        (folder / f"{name.replace('-', '_')}-{version}{end}").touch()
        return "ERROR: No matching distribution" if name == self.lacks else ""


def package(name: str, version: str = "1.0") -> Package:
    return Package(name=name, version=version, licence="MIT")


@pytest.fixture
def recipe() -> CorpusRecipe:
    return replace(
        load_corpus_recipe(),
        packages=(package("a-b"), package("torch", "2.0+cpu")),
        documentation=(package("a-b"),),
        selection=(package("c"),),
        holdout=(package("d"),),
        never_train=frozenset(),
    )


def test_wheels_and_source_distributions_are_asked_for_by_their_exact_version(
    recipe: CorpusRecipe, tmp_path: Path
) -> None:
    pip, lines = Pip(), list[str]()
    told: list[tuple[float, float]] = []
    fetch(
        recipe,
        tmp_path / "packages",
        lines.append,
        progress=lambda done, total: told.append((done, total)),
        run_pip=pip,
    )
    assert sorted(path.name for path in (tmp_path / "packages").iterdir()) == [
        "a_b-1.0-py3-none-any.whl",
        "a_b-1.0.tar.gz",
        "c-1.0-py3-none-any.whl",
        "d-1.0-py3-none-any.whl",
    ]
    asked = {(call[-1], *call[2:4]) for call in pip.calls}
    assert asked == {
        ("a-b==1.0", "--only-binary", ":all:"),
        ("a-b==1.0", "--no-binary", "a-b"),
        ("c==1.0", "--only-binary", ":all:"),
        ("d==1.0", "--only-binary", ":all:"),
    }
    assert all(call[:2] == ["download", "--no-deps"] for call in pip.calls)
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    skipped = "skipped: torch==2.0+cpu: not on an index, taken from the running environment"
    assert lines[0] == skipped
    assert sorted(lines[1:]) == [
        "a-b==1.0 (source): fetched",
        "a-b==1.0: fetched",
        "c==1.0: fetched",
        "d==1.0: fetched",
    ]


def test_what_is_there_is_not_asked_for_again(recipe: CorpusRecipe, tmp_path: Path) -> None:
    fetch(recipe, tmp_path, lambda line: None, run_pip=Pip())
    (tmp_path / "c-1.0-py3-none-any.whl").unlink()
    again = Pip()
    fetch(recipe, tmp_path, lambda line: None, run_pip=again)
    assert [call[-1] for call in again.calls] == ["c==1.0"]


def test_a_failure_is_told_leaves_no_file_and_the_others_there(
    recipe: CorpusRecipe, tmp_path: Path
) -> None:
    lines: list[str] = []
    with pytest.raises(ValueError, match="1 of 5 files could not be fetched; run the step again"):
        fetch(recipe, tmp_path, lines.append, run_pip=Pip(lacks="c"))
    assert "c==1.0: ERROR: No matching distribution" in lines
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a_b-1.0-py3-none-any.whl",
        "a_b-1.0.tar.gz",
        "d-1.0-py3-none-any.whl",
    ]


def test_no_more_than_four_downloads_run_at_once(recipe: CorpusRecipe, tmp_path: Path) -> None:
    pip, at_once, most = Pip(), 0, 0
    lock, full = threading.Lock(), threading.Barrier(4)

    def slow(arguments: Sequence[str]) -> str:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        full.wait(timeout=10)  # goes on only when four are under way
        with lock:
            at_once -= 1
        return pip(arguments)

    many = tuple(package(f"p{n}") for n in range(5))
    fetch(replace(recipe, packages=many), tmp_path, lambda line: None, run_pip=slow)
    assert most == 4


def test_the_running_pythons_pip_is_called_and_its_last_complaint_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pip = tmp_path / "python"
    pip.write_text(
        f"#!{sys.executable}\nimport sys\n"
        "print('a hint', 'ERROR: no ' + sys.argv[-1], sep='\\n', file=sys.stderr)\n"
        "sys.exit(sys.argv[1:3] == ['-m', 'pip'])\n"
    )
    pip.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(pip))
    assert call_pip(["download", "x==1"]) == "ERROR: no x==1"
