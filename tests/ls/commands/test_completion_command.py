import shutil
import subprocess

import pytest

from .fakes import Program


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_the_script_knows_commands_and_their_options(program: Program, shell: str) -> None:
    ran = program("completion", shell)

    assert ran.code == 0
    assert "attach" in ran.out
    assert "idle-timeout" in ran.out


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes_a_command(program: Program) -> None:
    script = program("completion", "bash").out
    ask = (
        "\nCOMP_WORDS=(dgemma-ls doc); COMP_CWORD=1; _shtab_dgemma_ls 2>/dev/null;"
        ' echo "found ${COMPREPLY[*]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script + ask], capture_output=True, encoding="utf-8", check=True
    )

    assert done.stdout.split() == ["found", "doctor"]


def test_an_unknown_shell_is_refused(program: Program) -> None:
    with pytest.raises(SystemExit) as caught:
        program("completion", "cmd.exe")

    assert caught.value.code == 2
