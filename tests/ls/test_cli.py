"""The program's front: help, options that do not go together, and how little ``attach`` loads."""

import subprocess
import sys
from pathlib import Path

import pytest

from dgemma_ls.cli import _COMMANDS, build_parser, main

ROOT = Path(__file__).parents[2]


def test_the_help_names_every_command_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])

    assert caught.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    for name, entry in _COMMANDS.items():
        assert sum(line.split() == [name, *entry.help.split()] for line in lines) == 1


@pytest.mark.parametrize(
    "name", [name for name, entry in _COMMANDS.items() if not entry.parses_itself]
)
def test_every_command_describes_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])

    assert caught.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.startswith(f"usage: dgemma-ls {name}")
    assert "." in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tcp", "127.0.0.1:0", "--stdio"], "not allowed with"),
        (["--token-file", "t"], "--token-file goes with --tcp or --ws"),
        (["serve", "--idle-timeout", "soon"], "'soon' is not a number of seconds"),
        (["frob"], "invalid choice: 'frob'"),
    ],
)
def test_arguments_that_make_no_sense_are_named(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tcp", "7777"], "'7777' is not HOST:PORT"),
        (["--ws", "example.org:1"], "add --token-file FILE, or use 127.0.0.1"),
        (["--tcp", "127.0.0.1:0", "--token-file", "/no/token"], "cannot read the token in /no/tok"),
        (["attach", "--remote", "127.0.0.1:9"], "no dgemma-ls answers at 127.0.0.1:9"),
    ],
)
def test_a_users_mistake_is_one_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2

    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.startswith("dgemma-ls: error: ")
    assert complaint.count("\n") == 1


def test_a_short_token_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = tmp_path / "token"
    token.write_text("1234\n")
    token.chmod(0o600)

    assert main(["--tcp", "127.0.0.1:0", "--token-file", str(token)]) == 2
    assert "16 visible ASCII characters or more" in capsys.readouterr().err


def test_a_command_is_parsed_without_importing_the_others() -> None:
    parser = build_parser(expanded=["attach"])

    assert parser.parse_args(["attach", "--idle-timeout", "3"]).idle_timeout == 3.0


def test_attach_loads_neither_torch_nor_the_protocol() -> None:
    code = (
        "import sys; from dgemma_ls.cli import main; main(['attach', '--remote', '127.0.0.1:9']);"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import dgemma_ls.commands.attach\n{code}"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )

    loaded = set(done.stdout.split())
    assert "filelock" in loaded
    assert not loaded & {"torch", "numpy", "pygls", "lsprotocol", "rich", "huggingface_hub"}
