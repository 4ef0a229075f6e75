"""dev.py's own logic: what it does again, what it refuses. It installs nothing here."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def dev(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """dev.py, of a project in ``tmp_path``."""
    spec = importlib.util.spec_from_file_location("dev_under_test", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    venv = tmp_path / ".venv"
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", venv)
    monkeypatch.setattr(module, "BIN", venv / "bin")
    monkeypatch.setattr(module, "STAMP", venv / "dev-stamp.json")
    return module


class Machine:
    """Stands in for the programs that a set-up starts, and notes what they were asked."""

    def __init__(self, dev: ModuleType) -> None:
        self.dev = dev
        self.asked: list[str] = []
        self.pip_fails = False

    def run(self, command: Sequence[str | Path]) -> tuple[int, str]:
        words = [str(word) for word in command]
        if "venv" in words:
            self.asked.append("venv")
            (self.dev.VENV / "bin").mkdir(parents=True, exist_ok=True)
            (self.dev.VENV / "bin" / "python").touch()
            (self.dev.VENV / "pyvenv.cfg").write_text(
                f"version = {'.'.join(map(str, sys.version_info[:3]))}\n"
                f"command = python -m venv {self.dev.VENV}\n"
            )
        elif "install" in words:
            self.asked.append(words[-1])
            return (1, "no such index") if self.pip_fails else (0, "")
        return 0, ""

    def set_up(self, *extras: str) -> list[str]:
        """Set up and give what was asked for meanwhile."""
        self.asked = []
        self.dev.set_up(*extras)
        return self.asked


@pytest.fixture
def machine(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(dev)
    monkeypatch.setattr(dev, "_run_captured", machine.run)
    return machine


def test_set_up_does_nothing_when_nothing_changed(machine: Machine) -> None:
    assert machine.set_up("dev") == ["venv", ".[dev]"]
    assert machine.set_up("dev") == []
    assert machine.set_up() == []  # what the demo needs is there


def test_the_demo_installs_no_development_tools_and_the_tests_add_them(machine: Machine) -> None:
    assert machine.set_up() == ["venv", "."]
    assert machine.set_up("dev") == [".[dev]"]


def test_a_changed_pyproject_is_installed_again_with_the_same_extras(
    machine: Machine, tmp_path: Path
) -> None:
    machine.set_up("dev")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "new"\n')
    assert machine.set_up() == [".[dev]"]
    assert machine.set_up("dev") == []


def test_a_failed_installation_shows_its_output_and_is_tried_again(
    dev: ModuleType, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.pip_fails = True
    with pytest.raises(dev.StopError, match="failed"):
        machine.set_up("dev")
    assert "no such index" in capsys.readouterr().err
    machine.pip_fails = False
    assert machine.set_up("dev") == [".[dev]"]


def test_a_failed_change_leaves_doubt_even_when_it_is_taken_back(
    dev: ModuleType, machine: Machine, tmp_path: Path
) -> None:
    machine.set_up("dev")
    project = tmp_path / "pyproject.toml"
    before = project.read_text()
    project.write_text(before + "# changed\n")
    machine.pip_fails = True  # perhaps halfway through
    with pytest.raises(dev.StopError):
        machine.set_up("dev")
    project.write_text(before)
    machine.pip_fails = False
    assert machine.set_up("dev") == [".[dev]"]


def test_an_interrupted_set_up_is_done_again(
    dev: ModuleType, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(command: Sequence[str | Path]) -> tuple[int, str]:
        machine.run(command)
        if "install" in command:
            raise KeyboardInterrupt
        return 0, ""

    monkeypatch.setattr(dev, "_run_captured", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dev.set_up("dev")
    monkeypatch.setattr(dev, "_run_captured", machine.run)
    assert machine.set_up("dev") == [".[dev]"]


def _moved(venv: Path) -> None:
    cfg = venv / "pyvenv.cfg"
    cfg.write_text(cfg.read_text().replace(str(venv), "/elsewhere/.venv"))


def _other_python(venv: Path) -> None:
    cfg = venv / "pyvenv.cfg"
    cfg.write_text(cfg.read_text().replace("version = 3", "version = 2"))


def _no_python(venv: Path) -> None:
    (venv / "bin" / "python").unlink()


@pytest.mark.parametrize("harm", [_moved, _other_python, _no_python])
def test_an_environment_that_cannot_work_is_made_anew(
    machine: Machine, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    machine.set_up("dev")
    harm(tmp_path / ".venv")
    (tmp_path / "pyproject.toml").write_text("[project]\n# changed\n")
    assert machine.set_up() == ["venv", "."]


def test_the_key_depends_on_project_python_and_place(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def keys() -> Iterator[str]:
        yield dev.environment_key(tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(dev.sys, "version", "3.99")
            yield dev.environment_key(tmp_path)
        (tmp_path / "moved").mkdir()
        (tmp_path / "moved" / "pyproject.toml").write_text("[project]\n")
        yield dev.environment_key(tmp_path / "moved")
        (tmp_path / "pyproject.toml").write_text("[project]\n\n")
        yield dev.environment_key(tmp_path)

    assert len(set(keys())) == 4


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": "k"}', '{"key": "k", "extras": 1}', None])
def test_a_damaged_stamp_counts_as_none(dev: ModuleType, tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "stamp.json"
    if text is not None:
        path.write_text(text)
    assert dev.read_stamp(path) is None


def test_help_names_every_command_and_starts_nothing() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "dev.py"), "--help"], capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0
    listed = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")}
    expected = "demo test setup check fix e2e slow editors vscode all bench"
    assert listed == set(expected.split())


def test_every_listed_command_exists(dev: ModuleType) -> None:
    listed = {line.split()[0] for line in dev.USAGE.splitlines() if line.startswith("  ")}
    assert set(dev.COMMANDS) == listed
    with_arguments = {line.split()[0] for line in dev.USAGE.splitlines() if " [ARGS] " in line}
    assert set(dev.TAKING_ARGUMENTS) == with_arguments


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["tset"], "no command 'tset'; see dev.py --help"),
        (["--tset"], "no command '--tset'; see dev.py --help"),
        (["demo", "fast"], "demo takes no arguments, got 'fast'"),
    ],
)
def test_a_mistyped_command_is_told_in_one_sentence_before_any_set_up(
    dev: ModuleType,
    machine: Machine,
    capsys: pytest.CaptureFixture[str],
    argv: list[str],
    sentence: str,
) -> None:
    assert dev.main(argv) == 2
    assert capsys.readouterr().err == f"dev.py: error: {sentence}\n"
    assert machine.asked == []


def test_an_old_python_is_told_in_one_sentence(
    dev: ModuleType,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(dev, "OLDEST_PYTHON", (9, 9))
    assert dev.main(["setup"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "9.9 or newer" in line
    assert machine.asked == []


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told_in_one_sentence(
    dev: ModuleType,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    missing: str,
) -> None:
    monkeypatch.setattr(
        dev.importlib.util, "find_spec", lambda name: None if name == missing else object()
    )
    assert dev.main(["setup"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"no module {missing}" in line
    assert machine.asked == []


def test_slow_is_content_with_no_tests_and_with_nothing_else(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pytest_code, expected in [(0, 0), (5, 0), (1, 1), (2, 2)]:
        monkeypatch.setattr(dev, "_call", lambda *args, code=pytest_code: code)
        assert dev.slow([]) == expected


@pytest.mark.parametrize(
    ("fetch_code", "pytest_code", "expected", "n_calls"),
    [(0, 0, 0, 2), (0, 1, 1, 2), (3, 0, 0, 2), (1, 0, 1, 1)],
)
@pytest.mark.parametrize("stage", ["editors", "vscode"])
def test_editors_are_fetched_then_driven_unless_fetching_failed(
    dev: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    fetch_code: int,
    pytest_code: int,
    expected: int,
    n_calls: int,
) -> None:
    calls = []

    def call(*words: str) -> int:
        calls.append(words)
        return fetch_code if len(calls) == 1 else pytest_code

    monkeypatch.setattr(dev, "_call", call)
    assert dev.COMMANDS[stage](["-k", "one"]) == expected
    if stage == "vscode" and fetch_code == 3:
        n_calls = 1  # it says so once, in place of a line for each test
    fetching, mark = {
        "editors": (("python", "tests/editors/fetch.py"), "editor"),
        "vscode": (("python", "-m", "tests.editors.fetch_vscode"), "vscode"),
    }[stage]
    testing = ("python", "-m", "pytest", "-m", mark, "-k", "one")
    assert calls == [fetching, testing][:n_calls]
    assert (ROOT / dev.FETCH_EDITORS).is_file()
    assert (ROOT / (dev.FETCH_VSCODE.replace(".", "/") + ".py")).is_file()


def test_all_runs_what_ci_runs_and_stops_where_a_stage_fails(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = re.findall(r"^python3 dev.py (\w+) ", (ROOT / ".ci/run").read_text("utf-8"), re.M)
    assert stages
    ran: list[str] = []
    for name in dev.COMMANDS:
        if name != "all":
            monkeypatch.setattr(dev, name, lambda args, name=name: ran.append(name) or 0)
    assert dev.all_([]) == 0
    assert ran == stages
    monkeypatch.setattr(dev, stages[1], lambda args: 4)
    ran.clear()
    assert dev.all_([]) == 4
    assert ran == stages[:1]


@pytest.mark.parametrize(
    ("check_code", "pytest_code", "expected"), [(0, 0, 0), (1, 0, 1), (0, 4, 4), (1, 4, 4)]
)
def test_test_fails_if_a_check_or_a_test_does(
    dev: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    check_code: int,
    pytest_code: int,
    expected: int,
) -> None:
    calls = []
    monkeypatch.setattr(dev, "_run_captured", lambda command: (check_code, "complaint"))
    monkeypatch.setattr(dev, "_call", lambda *args: calls.append(args) or pytest_code)
    assert dev.test(["-k", "one"]) == expected
    marks = "not slow and not editor and not vscode"
    assert calls == [("python", "-m", "pytest", "-m", marks, "-k", "one")]


def test_the_demo_cuts_out_what_it_says(dev: ModuleType) -> None:
    text = (ROOT / dev.DEMO_FILE).read_text("utf-8")
    for hole in dev.DEMO_HOLES:
        line, column = dev.find_hole(text, hole)
        assert text.split("\n")[line - 1][column - 1 :].startswith(hole.text)


@pytest.mark.parametrize("text", ["nothing of the kind", "a = b; a = b"])
def test_the_demo_says_when_its_hole_is_gone(dev: ModuleType, text: str) -> None:
    with pytest.raises(dev.StopError, match="DEMO_HOLES"):
        dev.find_hole(text, dev.Hole("a = ", "b"))


@pytest.mark.parametrize(
    ("fill_code", "expected", "n_fills"), [(0, 0, 3), (1, 0, 3), (2, 2, 1), (70, 70, 1)]
)
def test_the_demo_takes_a_refusal_for_an_answer_and_an_error_for_the_end(
    dev: ModuleType,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    fill_code: int,
    expected: int,
    n_fills: int,
) -> None:
    file = tmp_path / dev.DEMO_FILE
    file.parent.mkdir(parents=True)
    file.write_text((ROOT / dev.DEMO_FILE).read_text("utf-8"), "utf-8")
    calls = []
    monkeypatch.setattr(dev, "_call", lambda *args, **options: calls.append(args) or fill_code)
    assert dev.main(["demo"]) == expected
    name = Path(dev.DEMO_FILE).name
    assert [call[:3] for call in calls] == [("dgemma-ls", "fill", name)] * n_fills
    assert machine.asked == ["venv", "."]
