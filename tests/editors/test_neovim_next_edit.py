"""Next edits in Neovim: where they are drawn, and what the keys do with them."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from .neovim import Neovim
from .server_commands import SCRIPTED_SERVER

SERVER = [sys.executable, "-m", "tests.editors.scripted_next_edits", "--stdio"]
EDITORS = ("nvim", "nvim-old", "nvim-0.11")
CRAB = "\U0001f980"
Open = Callable[..., Neovim]

_MARKS = """
local space = vim.api.nvim_get_namespaces()['dgemma.next_edit']
local get = vim.api.nvim_buf_get_extmarks
local found = {}
for _, mark in ipairs(space and get(0, space, 0, -1, { details = true }) or {}) do
  local row, col, more = mark[2], mark[3], mark[4]
  if more.hl_group then
    local last, to = more.end_row or row, more.end_col or 0
    local line = vim.api.nvim_buf_get_lines(0, row, row + 1, true)[1] .. '\\n'
    table.insert(found, { 'old', row, line:sub(col + 1, last > row and -1 or to) })
  elseif more.virt_lines then
    local lines = vim.tbl_map(function(line) return line[1][1] end, more.virt_lines)
    local where = more.virt_lines_above and 'above' or 'below'
    table.insert(found, { where, row, table.concat(lines, '\\n') })
  else
    local text = more.virt_text[1]
    table.insert(found, { text[2] == 'DgemmaEditHint' and 'hint' or 'new', row, text[1] })
  end
end
return found
"""


def document(
    start: tuple[int, int], end: tuple[int, int], text: str, *body: str, **more: Any
) -> str:
    """A document whose first line tells the server its next edit."""
    wanted = {"range": [start, end], "text": text, **more}
    return "\n".join([f"# next: {json.dumps(wanted)}", *body, ""])


@pytest.fixture(params=EDITORS)
def open_nvim(request: pytest.FixtureRequest, start_nvim: Open) -> Open:
    def start(content: str | bytes, *, server: list[str] = SERVER, **more: Any) -> Neovim:
        return start_nvim(content, editor=request.param, server=server, **more)

    return start


def drawn(nvim: Neovim) -> list[list[Any]]:
    return [list(it) for it in nvim.lua(_MARKS)]


def wait_for_drawn(nvim: Neovim, count: str = "> 0") -> list[list[Any]]:
    nvim.wait(f"#(function() {_MARKS} end)() {count}")
    return drawn(nvim)


def told(nvim: Neovim) -> list[list[Any]]:
    """What the server has heard of next edits, in their order."""
    code = "return vim.lsp.buf_request_sync(0, 'scripted/nextEdits', {}, 5000)"
    answers = nvim.lua(code)
    return next(iter(answers.values() if isinstance(answers, dict) else answers))["result"]


def names(nvim: Neovim) -> list[str]:
    return [it[0] for it in told(nvim)]


RENAME = document((3, 6), (3, 11), "total", "total = 1", "", "print(count)")


def test_after_a_change_the_next_one_is_drawn_and_changes_nothing(open_nvim: Open) -> None:
    nvim = open_nvim(RENAME)
    nvim.keys("2GA2<Esc>")
    marks = wait_for_drawn(nvim)
    assert ["old", 3, "count"] in marks
    assert ["new", 3, "total"] in marks
    assert ["hint", 1, " <Tab>: line 4 "] in marks
    assert nvim.text().endswith("total = 12\n\nprint(count)")
    assert [it[0] for it in told(nvim)] == ["asked", "shown"]


def test_one_key_goes_there_takes_it_and_one_undo_brings_the_bytes_back(open_nvim: Open) -> None:
    content = RENAME
    nvim = open_nvim(content)
    nvim.keys("2GA2<Esc>")
    wait_for_drawn(nvim)
    nvim.keys("<Tab>")
    nvim.wait("vim.fn.line('.') == 4")
    assert nvim.rpc.funcs.col(".") == 7
    assert nvim.text().endswith("print(count)")  # going there is not taking it
    nvim.keys("<Tab>")
    nvim.wait("vim.fn.getline(4) == 'print(total)'")
    wait_for_drawn(nvim, "== 0")
    version = told(nvim)[1][1]
    assert ["accepted", version] in told(nvim)
    nvim.keys("u")
    assert nvim.saved() == content.replace("total = 1", "total = 12").encode()
    nvim.keys("<C-o>")
    nvim.wait("vim.fn.line('.') == 2")


def test_a_dismissed_one_is_gone_and_the_server_is_told(open_nvim: Open) -> None:
    nvim = open_nvim(RENAME)
    nvim.keys("2GA2<Esc>")
    wait_for_drawn(nvim)
    nvim.keys("<Esc>")
    wait_for_drawn(nvim, "== 0")
    assert names(nvim) == ["asked", "shown", "rejected"]
    assert told(nvim)[1][1] == told(nvim)[2][1]


def test_without_one_the_keys_do_what_they_did_before(open_nvim: Open) -> None:
    nvim = open_nvim(RENAME)
    nvim.lua("vim.keymap.set('n', '<Tab>', 'x')")  # after ours: the user's own
    nvim.lua("require('dgemma.keys').map_edit()")
    before = nvim.text().splitlines()
    nvim.keys("2G0<Tab>")
    nvim.wait("vim.fn.getline(2) == 'otal = 1'")
    assert nvim.text().splitlines() == [before[0], "otal = 1", *before[2:]]


@pytest.mark.parametrize("change", ["ix", "rx", "dd", "u"])
def test_whatever_changes_the_text_takes_it_away(open_nvim: Open, change: str) -> None:
    nvim = open_nvim(RENAME)
    nvim.keys("2GA2<Esc>")
    wait_for_drawn(nvim)
    nvim.lua("require('dgemma.config').current.debounce_ms = 100000")
    nvim.keys(change)
    wait_for_drawn(nvim, "== 0")


def test_nothing_is_asked_after_an_undo(open_nvim: Open) -> None:
    nvim = open_nvim(RENAME)
    nvim.keys("2GA2<Esc>")
    wait_for_drawn(nvim)
    nvim.keys("u")
    nvim.lua("vim.wait(300)")
    assert names(nvim) == ["asked", "shown"]


def test_an_edit_of_another_version_is_not_shown(open_nvim: Open) -> None:
    nvim = open_nvim(document((1, 0), (1, 1), "y", "x = 1", ahead=1))
    nvim.keys("2GA2<Esc>")
    nvim.wait(f"(function() {_ASKED} end)()")
    assert drawn(nvim) == []
    assert names(nvim) == ["asked"]


_ASKED = """
local answers = vim.lsp.buf_request_sync(0, 'scripted/nextEdits', {}, 5000)
local _, answer = next(answers)
return #answer.result > 0
"""


def test_lines_that_become_more_stand_below_those_that_they_replace(open_nvim: Open) -> None:
    body = ("def f():", "    a = 1", "    b = 2", "    return a", "", "last = 3")
    nvim = open_nvim(document((2, 4), (3, 9), "a = b = 1\n    c = 3\n    d = 4", *body))
    nvim.keys("GA4<Esc>")
    marks = wait_for_drawn(nvim)
    new = [text for kind, _, text in marks if kind in ("below", "new")]
    assert new == ["b = ", "    c = 3\n    d = 4"], marks
    assert ["old", 3, "    b = 2\n"] in marks
    nvim.keys("<Tab>")
    nvim.wait("vim.fn.line('.') == 3")
    nvim.keys("<Tab>")
    nvim.wait("vim.fn.getline(5) == '    d = 4'")
    lines = ["def f():", "    a = b = 1", "    c = 3", "    d = 4", "    return a", "", "last = 34"]
    assert nvim.text().splitlines()[1:] == lines


def test_a_line_is_taken_out_whole(open_nvim: Open) -> None:
    nvim = open_nvim(document((2, 0), (3, 0), "", "first = 1", "import os", "last = 3"))
    nvim.keys("GA4<Esc>")
    marks = wait_for_drawn(nvim)
    assert ["old", 2, "import os\n"] in marks
    nvim.keys("<Tab><Tab>")
    nvim.wait("vim.fn.line('$') == 3")
    assert nvim.text().splitlines()[1:] == ["first = 1", "last = 34"]


def test_the_last_line_is_taken_out_whole_and_others_are_put_after_it(open_nvim: Open) -> None:
    nvim = open_nvim(document((3, 0), (4, 0), "x = 1\ny = 2\n", "first = 1", "", "last = 3"))
    nvim.keys("2GA4<Esc>")
    marks = wait_for_drawn(nvim)
    assert [it[2] for it in marks if it[0] == "below"] == ["x = 1", "y = 2"], marks
    nvim.keys("<Tab>")
    nvim.wait("vim.fn.line('.') == 4")
    nvim.keys("<Tab>")
    nvim.wait("vim.fn.line('$') == 5")
    assert nvim.saved().decode().split("\n")[1:] == ["first = 14", "", "x = 1", "y = 2", ""]


def test_after_characters_of_four_bytes_and_with_line_ends_of_windows_the_place_is_right(
    open_nvim: Open,
) -> None:
    first = document((2, 8), (2, 13), "total").rstrip("\n")
    content = f'{first}\r\nx = 1\r\n"{CRAB}é"; f(count)\r\n'
    nvim = open_nvim(content.encode())
    nvim.keys("2GA2<Esc>")
    marks = wait_for_drawn(nvim)
    assert ["old", 2, "count"] in marks
    nvim.keys("<Tab>")
    nvim.wait("vim.fn.line('.') == 3")
    nvim.keys("<Tab>")
    nvim.wait("vim.fn.getline(3):find('total', 1, true) ~= nil")
    expected = content.replace("x = 1", "x = 12").replace("f(count)", "f(total)")
    assert nvim.saved() == expected.encode()


def test_asked_by_hand_it_comes_without_a_change_or_is_said_not_to_be_there(
    open_nvim: Open,
) -> None:
    nvim = open_nvim(RENAME)
    nvim.rpc.command("Dgemma next")
    wait_for_drawn(nvim)
    nvim.keys("ggdd")
    nvim.wait(f"(function() {_ASKED_TWICE} end)()")
    wait_for_drawn(nvim, "== 0")
    nvim.rpc.command("Dgemma next")
    nvim.wait("vim.g.said[1] == 'dgemma: no next edit'")


_ASKED_TWICE = _ASKED.replace("> 0", "> 2")


def test_a_server_that_offers_none_is_not_asked_and_no_key_is_mapped(open_nvim: Open) -> None:
    nvim = open_nvim(RENAME, server=SCRIPTED_SERVER)
    nvim.lua(f"{_CLIENT}.server_capabilities.experimental = nil")
    nvim.lua(f"require('dgemma.next_edit').attach({_CLIENT}, 0)")
    assert nvim.rpc.funcs.maparg("<Tab>", "n") == ""
    nvim.rpc.command("Dgemma next")
    assert nvim.said() == ["dgemma: this server offers no next edits"]


_CLIENT = "vim.lsp.get_clients({bufnr=0})[1]"


def test_switched_off_by_the_option_none_is_asked_for(open_nvim: Open) -> None:
    nvim = open_nvim(RENAME, options="next_edit = false")
    nvim.keys("2GA2<Esc>")
    nvim.lua("vim.wait(300)")
    assert names(nvim) == []


def test_pausing_takes_it_away_and_none_comes_until_it_is_switched_on(open_nvim: Open) -> None:
    nvim = open_nvim(RENAME)
    nvim.keys("2GA2<Esc>")
    wait_for_drawn(nvim)
    nvim.rpc.command("Dgemma toggle")
    assert drawn(nvim) == []
    nvim.keys("2GA2<Esc>")
    nvim.lua("vim.wait(300)")
    assert names(nvim) == ["asked", "shown"]
    nvim.rpc.command("Dgemma toggle")
    nvim.keys("2GA2<Esc>")
    wait_for_drawn(nvim)
