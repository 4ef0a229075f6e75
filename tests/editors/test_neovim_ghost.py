"""Ghost text in Neovim, drawn by Neovim 0.12 and by the plugin, on 0.12, 0.11 and 0.10."""

from collections.abc import Callable

import pytest

from .neovim import GHOST, SPACES, Neovim
from .server_commands import REAL_SERVER

DRAWN_BY = {
    "0.12, native": ("nvim", "ghost = 'native'"),
    "0.12, own": ("nvim", "ghost = 'own'"),
    "0.11, own": ("nvim-0.11", "ghost = 'own'"),
    "0.10, own": ("nvim-old", "ghost = 'own'"),
}
NATIVE, OWN = "0.12, native", "0.12, own"
CRAB = "\U0001f980"
Open = Callable[..., Neovim]


@pytest.fixture(params=DRAWN_BY.values(), ids=DRAWN_BY.keys())
def open_nvim(request: pytest.FixtureRequest, start_nvim: Open) -> Open:
    editor, options = request.param
    return lambda content="", **more: start_nvim(content, editor=editor, options=options, **more)


def only(*names: str) -> pytest.MarkDecorator:
    """Run a test with some of the four only."""
    chosen = {name: DRAWN_BY[name] for name in names}
    return pytest.mark.parametrize("open_nvim", chosen.values(), ids=chosen.keys(), indirect=True)


def test_what_is_typed_gets_ghost_text_and_tab_puts_it_into_the_file(open_nvim: Open) -> None:
    nvim = open_nvim("first = 1\n\nlast = 3\n")
    nvim.keys("2GAx = ")
    nvim.wait_for_ghost("value")
    assert nvim.text() == "first = 1\nx = \nlast = 3"  # seeing it changes nothing
    nvim.keys("<Tab>")
    nvim.wait_for_text("first = 1\nx = value\nlast = 3")
    nvim.wait_for_ghost(None)
    assert nvim.saved() == b"first = 1\nx = value\nlast = 3\n"


def test_the_embedded_model_suggests_in_a_file_of_python(open_nvim: Open) -> None:
    source = "def add(first, second):\n    return first + second\n\n\ndef sub(first, second):\n"
    nvim = open_nvim(source, server=REAL_SERVER)
    nvim.keys("Go    return first - ")
    ghost = nvim.wait_for_any_ghost(again="<Esc>A")
    nvim.keys("<Tab>")
    expected = f"{source}    return first - {ghost}"
    nvim.wait_for_text(expected)
    assert nvim.saved() == f"{expected}\n".encode()


def test_tab_is_a_tab_where_nothing_is_suggested(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    nvim.keys("Anothing<Tab>here")
    nvim.wait_for_text("nothing\there")


def test_keys_go_through_the_suggestions_and_back(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    nvim.keys("Ax = ")
    nvim.wait_for_ghost("value")
    for key, text in [("]", "other"), ("]", "third"), ("]", "value"), ("[", "third")]:
        nvim.keys(f"<M-{key}>")
        nvim.wait_for_ghost(text)
    nvim.keys("<Tab>")
    assert nvim.saved() == b"x = third\n"


def test_a_dismissed_suggestion_is_gone_and_tab_no_longer_takes_it(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    nvim.keys("Ax = ")
    nvim.wait_for_ghost("value")
    nvim.keys("<C-]>")
    nvim.wait_for_ghost(None)
    nvim.keys("<Tab>1")
    nvim.wait_for_text("x = \t1")


def test_leaving_insert_mode_takes_ghost_text_away_and_writes_none_of_it(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    nvim.keys("Ax = ")
    nvim.wait_for_ghost("value")
    nvim.keys("<Esc>")
    nvim.wait_for_ghost(None)
    assert nvim.saved() == b"x = \n"


def test_typing_the_suggestion_leaves_the_rest_of_it_and_tab_adds_only_that(
    open_nvim: Open,
) -> None:
    nvim = open_nvim("\n")
    nvim.keys("Ax = ")
    nvim.wait_for_ghost("value")
    for typed, rest in [("v", "alue"), ("a", "lue"), ("l", "ue")]:
        nvim.keys(typed)
        assert nvim.ghost() == rest  # at once, without a flicker
    nvim.keys("<Tab>")
    assert nvim.saved() == b"x = value\n"


_RECORD = """
local names = ...
_G.frames = {}
vim.api.nvim_set_decoration_provider(vim.api.nvim_create_namespace('frames'), {
  on_start = function()
    local ghost = (function(...) %s end)(names)
    table.insert(_G.frames, { vim.fn.getline('.'), ghost == vim.NIL and '' or ghost[3] })
  end,
})
"""


def test_what_is_typed_through_never_leaves_the_screen(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    nvim.rpc.ui_attach(80, 24, rgb=True, ext_linegrid=True)  # else nothing is drawn
    nvim.keys("Ax = ")
    nvim.wait_for_ghost("value")
    nvim.lua(_RECORD % GHOST, list(SPACES))
    for key in "valu":
        nvim.keys(key)
        nvim.lua("vim.wait(300) vim.cmd.redraw()")  # longer than Neovim's own debounce
    frames = [tuple(frame) for frame in nvim.lua("return _G.frames")]
    assert len(set(frames)) >= 4
    assert {line + ghost for line, ghost in frames} == {"x = value"}, frames


def test_typing_something_else_makes_the_suggestion_unacceptable_at_once(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    nvim.keys("Ax = ")
    nvim.wait_for_ghost("value")
    nvim.keys("w<Tab>")  # before a new answer can come
    nvim.lua("vim.wait(50)")
    assert nvim.text().rstrip("\t") == "x = w"  # 0.12's own cannot give the key back


def test_word_by_word(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    nvim.keys("Acall = ")
    rest = "first.second(third)"
    for word in ["first", ".", "second", "(", "third"]:
        nvim.wait_for_ghost(rest)
        rest = rest.removeprefix(word)
        nvim.keys("<M-Right>")
        nvim.wait_for_text("call = " + "first.second(third)".removesuffix(rest))
    assert nvim.saved() == b"call = first.second(third\n"


def test_line_by_line(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    nvim.keys("Ablock = ")
    nvim.wait_for_ghost("[\n    1,\n    2,\n]")
    nvim.keys("<M-C-Right>")
    nvim.wait_for_text("block = [")
    nvim.wait_for_ghost("\n    1,\n    2,\n]")
    nvim.keys("<Tab>")
    nvim.wait_for_text("block = [\n    1,\n    2,\n]")


@only(OWN, "0.10, own")
def test_after_a_line_of_several_the_rest_is_shown_at_once(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    nvim.keys("Ablock = ")
    nvim.wait_for_ghost("[\n    1,\n    2,\n]")
    for _ in range(2):
        nvim.keys("<M-C-Right>")
    nvim.wait_for_text("block = [\n    1,")
    assert nvim.ghost() == "\n    2,\n]"
    nvim.keys("<Tab>")
    nvim.wait_for_text("block = [\n    1,\n    2,\n]")


def test_undo_takes_the_accepted_text_back_alone_then_what_was_typed(open_nvim: Open) -> None:
    before = "first = 1\n\nlast = 3\n"
    nvim = open_nvim(before)
    nvim.keys("2GAx = ")
    nvim.wait_for_ghost("value")
    nvim.keys("<Tab>")
    nvim.wait_for_text("first = 1\nx = value\nlast = 3")
    nvim.keys("<Esc>u")
    nvim.wait_for_text("first = 1\nx = \nlast = 3")
    nvim.keys("u")
    assert nvim.saved() == before.encode()


def test_line_ends_of_windows_stay_and_come_along(open_nvim: Open) -> None:
    nvim = open_nvim(b"first = 1\r\n\r\nlast = 3\r\n")
    nvim.keys("2GAblock = ")
    nvim.wait_for_any_ghost()  # Neovim 0.12 shows the server's CR as ^M
    nvim.keys("<Tab>")
    nvim.wait_for_text("first = 1\nblock = [\n    1,\n    2,\n]\nlast = 3")
    assert nvim.saved() == b"first = 1\r\nblock = [\r\n    1,\r\n    2,\r\n]\r\nlast = 3\r\n"


def test_after_characters_of_four_bytes_the_place_is_right(open_nvim: Open) -> None:
    nvim = open_nvim(f'"{CRAB}{CRAB}"; \n')
    nvim.keys(f'A"é{CRAB}"; x = ')
    nvim.wait_for_ghost("value")
    nvim.keys("v<Tab>")
    assert nvim.saved().decode() == f'"{CRAB}{CRAB}"; "é{CRAB}"; x = value\n'


def test_pausing_stops_ghost_text_until_it_is_switched_on(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    nvim.rpc.command("Dgemma toggle")
    assert nvim.lua("return require('dgemma').status()") == "dgemma off"
    nvim.keys("Ax = ")
    nvim.lua("vim.wait(400)")
    assert nvim.ghost() is None
    nvim.keys("<Esc>")
    nvim.rpc.command("Dgemma toggle")
    nvim.keys("A")
    nvim.wait_for_ghost("value")
    assert nvim.said() == ["dgemma: ghost text is off", "dgemma: ghost text is on"]


@only(NATIVE)
def test_the_late_answer_of_a_cancelled_request_takes_nothing_away(open_nvim: Open) -> None:
    nvim = open_nvim("\n")
    nvim.keys("Ax = ")
    nvim.wait_for_ghost("value")
    nvim.lua(  # what Neovim announces when a cancelled request is answered after a newer one
        "local data = { client_id = vim.lsp.get_clients()[1].id, request_id = 0,"
        " request = { type = 'complete', method = 'textDocument/inlineCompletion' } }"
        " vim.api.nvim_exec_autocmds('LspRequest', { buffer = 0, modeline = false, data = data })"
    )
    nvim.keys("<Tab>")
    nvim.wait_for_text("x = value")
