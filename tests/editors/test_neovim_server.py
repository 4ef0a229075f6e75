"""What the Neovim plugin does around ghost text: start, restart, status, actions, health."""

import contextlib
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import PLUGIN
from .neovim import Neovim
from .server_commands import REAL_SERVER, SCRIPTED_SERVER
from .waiting import wait_until

EDITORS = ("nvim", "nvim-0.11", "nvim-old")
Open = Callable[..., Neovim]
TOLD = "#vim.tbl_filter(function(it) return vim.startswith(it, 'dgemma') end, vim.g.said) == {}"
FIRST_CLIENT = "vim.lsp.get_clients({bufnr=0})[1]"


@pytest.fixture(params=EDITORS)
def open_nvim(request: pytest.FixtureRequest, start_nvim: Open) -> Open:
    return lambda content="", **more: start_nvim(content, editor=request.param, **more)


def need_command(nvim: Neovim, command: str) -> None:
    """Skip a test of a command that the server does not advertise."""
    provider = nvim.lua(f"return {FIRST_CLIENT}.server_capabilities.executeCommandProvider")
    if command not in (provider or {}).get("commands", []):
        pytest.skip(f"the server does not advertise {command} yet")


def test_a_killed_server_comes_back_and_says_so(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    first = nvim.kill_server()
    nvim.wait(f"{TOLD.format(1)} and ({FIRST_CLIENT} or {{}}).initialized")
    assert nvim.said() == ["dgemma: the server ended (signal 9) and was started again"]
    assert nvim.server_pid() != first
    nvim.keys("Ax = ")
    nvim.wait_for_ghost("value")
    nvim.keys("<Tab>")
    assert nvim.saved() == b"x = value\n"


def test_a_server_that_keeps_dying_stays_off_and_restart_brings_it_back(open_nvim: Open) -> None:
    nvim = open_nvim("\n", options="max_restarts = 1")
    nvim.kill_server()
    nvim.wait(f"{TOLD.format(1)} and ({FIRST_CLIENT} or {{}}).initialized")
    nvim.kill_server()
    nvim.wait(TOLD.format(2))
    assert "2 times within a minute and stays off" in nvim.said()[1]
    assert nvim.lua("return require('dgemma').status()") == ""
    assert nvim.lua("return #vim.lsp.get_clients()") == 0
    nvim.rpc.command("Dgemma restart")
    nvim.wait(f"({FIRST_CLIENT} or {{}}).initialized")


def test_a_restart_by_hand_is_no_death_and_keeps_the_text(open_nvim: Open) -> None:
    nvim = open_nvim("x = 1\n")
    first = nvim.server_pid()
    nvim.keys("othe = 2<Esc>")
    nvim.rpc.command("Dgemma restart")
    nvim.wait(f"{TOLD.format(1)} and ({FIRST_CLIENT} or {{}}).initialized")
    assert nvim.said() == ["dgemma: restarted"]
    assert nvim.server_pid() != first
    nvim.keys("ox = ")
    nvim.wait_for_ghost("value")


def shared(tmp_path: Path) -> list[str]:
    """The words that start, or find, one server for all editors of a test."""
    program = [sys.executable, "-m", "dgemma_ls", "attach"]
    return [*program, "--at", str(tmp_path / "s"), "--idle-timeout", "20"]


def serving(tmp_path: Path) -> list[int]:
    """The processes that hold the model, of the servers at the test's place."""
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().decode().split("\0")
            if str(tmp_path / "s") in words and "serve" in words:
                found.append(int(process.name))
    return found


@pytest.fixture
def ended_servers(tmp_path: Path) -> Iterator[None]:
    """End what the editors of a test have shared, and see that it is gone."""
    yield
    for pid in serving(tmp_path):
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not serving(tmp_path), "the shared server is gone")


@pytest.mark.usefixtures("ended_servers")
def test_two_instances_share_one_engine_process_and_both_survive_its_death(
    start_nvim: Open, tmp_path: Path
) -> None:
    source = "def add(first, second):\n    return first + second\n\n\ndef sub(first, second):\n"
    editors = [start_nvim(source, server=shared(tmp_path), editor=it) for it in EDITORS[:2]]
    for nvim in editors:
        nvim.keys("Go    return first - ")
        assert nvim.wait_for_any_ghost(again="<Esc>A")
    (first,) = serving(tmp_path)
    for nvim in editors:
        nvim.keys("<Esc>")
    os.kill(first, signal.SIGKILL)
    for nvim in editors:
        nvim.wait(f"{TOLD.format(1)} and ({FIRST_CLIENT} or {{}}).initialized")
        assert nvim.said() == ["dgemma: the server ended (exit code 1) and was started again"]
        nvim.keys("A")
        assert nvim.wait_for_any_ghost(again="<Esc>A")
    (second,) = serving(tmp_path)
    assert second != first


def test_files_of_two_projects_share_one_server(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    first = nvim.server_pid()
    for name in ("one", "two"):
        (nvim.file.parent / name / ".git").mkdir(parents=True)
        other = nvim.file.parent / name / "b.py"
        other.write_text("\n")
        nvim.open(other)
        assert nvim.server_pid() == first
    nvim.keys("Ax = ")
    nvim.wait_for_ghost("value")


def test_quitting_ends_the_server_without_a_word(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    nvim.lua(
        "vim.api.nvim_create_autocmd('VimLeave', {callback = function()"
        " vim.fn.writefile(vim.g.said, vim.fn.stdpath('cache') .. '/said') end})"
    )
    said = nvim.lua("vim.fn.mkdir(vim.fn.stdpath('cache'), 'p') return vim.fn.stdpath('cache')")
    pid = nvim.server_pid()
    nvim.close()
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the server is gone")
    words = Path(said, "said").read_text("utf-8")
    assert "ended" not in words  # the plugin's word
    assert "quit" not in words  # Neovim's


def test_the_status_line_shows_that_the_server_is_there_and_what_it_says(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    component = "return require('dgemma').status()"
    assert nvim.lua(component).startswith("dgemma")
    # In one go, as the server may say something itself at any time.
    told = f"{FIRST_CLIENT}.handlers.didChangeStatus(nil, ...) {component}"
    assert nvim.lua(told, {"busy": True, "message": "", "kind": "Normal"}) == "dgemma …"
    inactive = {"busy": False, "message": "too large", "kind": "Inactive"}
    assert nvim.lua(told, inactive) == "dgemma too large"
    nvim.rpc.command("enew")
    assert nvim.lua(component) == ""


def test_a_key_that_was_mapped_before_keeps_its_meaning_without_a_suggestion(
    open_nvim: Open,
) -> None:
    nvim = open_nvim("\n", options="keys = false")
    nvim.lua("vim.keymap.set('i', '<Tab>', function() return 'mine' end, { expr = true })")
    nvim.lua("require('dgemma').setup({ cmd = ... })", SCRIPTED_SERVER)
    nvim.keys("A<Tab>")
    nvim.wait_for_text("mine")
    nvim.keys("<CR>x = ")
    nvim.wait_for_ghost("value")
    nvim.keys("<Tab>")
    nvim.wait_for_text("mine\nx = value")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("{ gost = 'own' }", 'no option "gost"; there are cmd, '),
        ("{ debounce_ms = 'soon' }", 'debounce_ms must be a number, not "soon"'),
        ("{ ghost = 'mine' }", "ghost must be 'auto', 'native' or 'own', not \"mine\""),
    ],
)
def test_a_mistyped_option_is_told_in_one_sentence(
    start_nvim: Open, options: str, sentence: str
) -> None:
    nvim = start_nvim("\n")
    message = nvim.lua(f"return select(2, pcall(require('dgemma').setup, {options}))")
    assert sentence in message


def test_enabling_the_server_alone_is_enough_for_ghost_text(start_nvim: Open) -> None:
    nvim = start_nvim("\n", set_up=False)
    nvim.lua(
        "local plugin, cmd = ... vim.opt.runtimepath:prepend(plugin) vim.cmd('filetype on')"
        " vim.cmd.runtime('plugin/dgemma.lua')"
        " vim.lsp.config('dgemma_ls', { cmd = cmd }) vim.lsp.enable('dgemma_ls')"
        " vim.keymap.set('i', '<C-y>', '<Plug>(dgemma-accept)')",
        str(PLUGIN),
        SCRIPTED_SERVER,
    )
    nvim.open(nvim.file)
    nvim.keys("Ax = ")
    nvim.wait_for_ghost("value")
    nvim.keys("<C-y>")
    assert nvim.saved() == b"x = value\n"


def test_health_finds_all_well(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    nvim.rpc.command("checkhealth dgemma")
    report = nvim.text()
    assert "ERROR" not in report
    assert "WARNING" not in report
    for line in ("OK dgemma-ls (scripted)", "OK inline completion: yes", "OK accept: <Tab>"):
        assert line in report


def test_health_says_what_is_wrong_and_what_to_do(open_nvim: Open) -> None:
    nvim = open_nvim("\n", options="keys = { accept = false }")
    nvim.lua("for _, it in ipairs(vim.lsp.get_clients()) do it.stop(it) end")
    nvim.wait("#vim.lsp.get_clients() == 0")
    nvim.lua("require('dgemma.config').current.cmd = { 'no-such-program' }")
    nvim.lua(
        "if vim.lsp.config then vim.lsp.config('dgemma_ls', { cmd = { 'no-such-program' } }) end"
    )
    nvim.lua("vim.keymap.set('i', '<M-]>', 'mine')")
    nvim.rpc.command("checkhealth dgemma")
    report = nvim.text()
    for line in (
        "ERROR no-such-program is not an executable on the PATH",
        "pip install dgemma-ls",
        "WARNING no server is running",
        "WARNING next: <M-]> is mapped to something else",
        "accept: no key",
    ):
        assert line in report


def test_what_the_server_cannot_do_is_said_not_swallowed(open_nvim: Open) -> None:
    nvim = open_nvim("x = 1\n")
    nvim.lua(f"{FIRST_CLIENT}.server_capabilities.executeCommandProvider = nil")
    nvim.rpc.command("Dgemma fix")
    assert nvim.said() == ["dgemma: this server has no command dgemma.fixDocument"]
    nvim.rpc.command("Dgemma fxi")
    assert nvim.said()[1].startswith('dgemma: no command "fxi"; there are cancel, fill, fix, ')


def test_a_selection_is_rewritten_and_one_undo_brings_its_bytes_back(open_nvim: Open) -> None:
    before = "x = 1\ncall = first\n"
    nvim = open_nvim(before)
    need_command(nvim, "dgemma.rewrite")
    nvim.lua("vim.ui.input = function(options, done) done('shorter') end")
    nvim.lua("vim.keymap.set('x', 'R', '<Plug>(dgemma-rewrite)')")
    nvim.keys("jwwveR")
    nvim.wait("vim.fn.getline(2) ~= 'call = first'")
    nvim.keys("u")
    assert nvim.saved() == before.encode()


def test_a_hole_is_filled_at_the_cursor(open_nvim: Open) -> None:
    nvim = open_nvim("x = \n")
    need_command(nvim, "dgemma.fillHoles")
    nvim.keys("A")
    nvim.rpc.command("Dgemma fill")
    nvim.wait_for_text("x = value")


def test_a_document_is_fixed_and_one_undo_brings_its_bytes_back(start_nvim: Open) -> None:
    before = "# You should recieve the message when it is there.\nx = 1\n"
    nvim = start_nvim(before)
    need_command(nvim, "dgemma.fixDocument")
    nvim.rpc.command("Dgemma fix")
    nvim.wait("vim.fn.getline(1) == '# You should receive the message when it is there.'")
    nvim.keys("u")
    assert nvim.saved() == before.encode()


def test_mending_a_document_can_be_cancelled_and_leaves_every_byte(open_nvim: Open) -> None:
    # Words in no order, so that there is much to doubt.
    rng = random.Random(0)
    words = "the a you your message when where were than then to too there is it of for form from"
    lines = (" ".join(rng.choices(words.split(), k=12)) for _ in range(3000))
    before = "".join(f"# {line}.\nx{n} = {n}\n" for n, line in enumerate(lines))
    nvim = open_nvim(before, server=REAL_SERVER)
    nvim.wait("require('dgemma').status() == 'dgemma'")  # the model is there
    nvim.rpc.command("Dgemma fix")
    nvim.lua("vim.wait(500)")
    assert nvim.text() + "\n" == before  # else it was too fast for this test
    nvim.rpc.command("Dgemma cancel")
    assert nvim.said() == ["dgemma: cancelled"]
    nvim.lua("vim.wait(1500)")
    nvim.rpc.command("Dgemma cancel")
    assert nvim.said() == ["dgemma: cancelled", "dgemma: nothing is running"]
    assert nvim.saved() == before.encode()


def test_the_help_is_found(start_nvim: Open) -> None:
    nvim = start_nvim("\n")
    folder = nvim.lua(
        "local to = vim.fn.stdpath('data') .. '/help/doc' vim.fn.mkdir(to, 'p')"
        " vim.uv.fs_copyfile(... .. '/doc/dgemma.txt', to .. '/dgemma.txt')"
        " vim.opt.runtimepath:append(vim.fs.dirname(to)) return to",
        str(PLUGIN),
    )
    nvim.rpc.command(f"helptags {folder}")  # an error if a tag is there twice
    for tag in ("dgemma", "dgemma.setup()", ":Dgemma", "<Plug>(dgemma-accept-word)"):
        nvim.rpc.command(f"help {tag}")
        assert nvim.rpc.current.buffer.name.endswith("dgemma.txt")
