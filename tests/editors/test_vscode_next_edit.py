"""The next edit in the real VS Code: where it is drawn, and what Tab and Escape do."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from .server_commands import SCRIPTED_SERVER
from .vscode import Window, write_program
from .vscode_fixtures import Start

SERVER = [word.replace("scripted_server.py", "scripted_vscode.py") for word in SCRIPTED_SERVER]
TEXT = "new_name = 1\n" + "\n" * 60 + "print(old_name)\n"

READ_STRUCK = """() => {
  const isStruck = it => getComputedStyle(it).textDecorationLine.includes('line-through');
  return [...document.querySelectorAll('.view-lines .view-line span')]
    .filter(it => it.childElementCount === 0 && isStruck(it)).map(it => it.textContent).join('');
}"""
READ_ADDED = """() => [...document.querySelectorAll('.view-lines .view-line span')]
  .map(it => getComputedStyle(it, '::after').content).filter(it => it !== 'none' && it !== 'normal')
  .map(it => it.slice(1, -1).replaceAll('\\u00a0', ' ')).join('|')"""
LISTEN = """() => {
  const heard = window.dgemmaHeard = [];
  const bar = document.querySelector('.part.statusbar');
  new MutationObserver(() => {
    for (const it of bar.querySelectorAll('[role=alert]')) {
      const label = it.getAttribute('aria-label');
      if (heard.at(-1) !== label) heard.push(label);
    }
  }).observe(bar, {attributes: true, childList: true, subtree: true});
}"""

Journal = Callable[[str], list[Any]]


@pytest.fixture
def journal(folder: Path, request: pytest.FixtureRequest) -> tuple[str, Journal]:
    """Give a program that keeps a journal, and a function that reads its values of a name."""
    file = folder / f"{request.node.name}.jsonl"
    program = write_program(folder, SERVER, f"export SCRIPTED_JOURNAL={file}\n")

    def read(name: str) -> list[Any]:
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        return [it[name] for it in map(json.loads, lines) if name in it]

    return str(program), read


def added(window: Window) -> str:
    text: str = window.page.evaluate(READ_ADDED)
    return text


def struck(window: Window) -> str:
    text: str = window.page.evaluate(READ_STRUCK)
    return text


def wait_for(window: Window, old: str, new: str) -> None:
    """Wait until this is struck out and that is put behind something."""
    window.wait(
        lambda: (struck(window), added(window)) == (old, new),
        f"{old!r} struck out, {new!r} added",
        lambda: str((struck(window), added(window))),
    )


def wait_for_note(window: Window, read: Callable[[], list[Any]]) -> None:
    """Wait until the server was told of the edit, once."""
    window.wait(lambda: read() == ["the-one-edit"], "a note of the edit", lambda: str(read()))


def test_the_next_edit_is_pointed_to_and_two_tabs_make_it(
    start: Start, journal: tuple[str, Journal]
) -> None:
    program, read = journal
    window = start(TEXT, **{"dgemma.path": program})
    window.press("Control+Home", "End")
    window.type(" ")
    wait_for(window, "", "  ⇥ line 62")
    window.press("Tab")
    wait_for(window, "old_name", "new_name")
    assert window.page.locator(".cgmr").count() >= 1
    window.press("Tab")
    window.wait_for_line("print(new_name)")
    wait_for(window, "", "")
    saved = TEXT.replace("= 1", "= 1 ").replace("old_name", "new_name").encode()
    assert window.save() == saved
    window.wait(
        lambda: read("accepted") == ["the-one-edit"], "accepted", lambda: str(read("shown"))
    )
    assert read("shown") == ["new_name"]
    window.press("Control+z")
    window.wait_for_line("print(old_name)")
    assert window.save() == TEXT.replace("= 1", "= 1 ").encode()


def test_escape_sends_it_away_and_tab_indents_again(
    start: Start, journal: tuple[str, Journal]
) -> None:
    program, read = journal
    window = start("print(old_name)\n", **{"dgemma.path": program})
    window.press("Control+Home", "End")
    window.type(" ")
    wait_for(window, "old_name", "new_name")
    window.press("Escape")
    wait_for(window, "", "")
    window.wait(
        lambda: read("rejected") == ["the-one-edit"], "rejected", lambda: str(read("shown"))
    )
    window.press("Control+End", "Tab")
    assert window.save() == b"print(old_name) \n    "


def test_it_goes_when_one_types_and_undoing_asks_for_none(
    start: Start, journal: tuple[str, Journal]
) -> None:
    program, read = journal
    window = start("print(old_name)\n", **{"dgemma.path": program})
    window.press("Control+Home", "End")
    window.type(" ")
    wait_for(window, "old_name", "new_name")
    window.type("#")
    wait_for(window, "", "")
    wait_for(window, "old_name", "new_name")
    window.press("Control+z")
    wait_for(window, "", "")
    n_asked = len(read("asked"))
    window.page.wait_for_timeout(1000)  # more than twice the rest after which it asks
    assert len(read("asked")) == n_asked
    assert struck(window) == ""


def test_ghost_text_goes_first_on_its_line(start: Start, journal: tuple[str, Journal]) -> None:
    program, _ = journal
    window = start("old_name, x =", **{"dgemma.path": program})
    window.type(" ")
    window.wait_for_ghost("value")
    window.page.wait_for_timeout(1000)
    assert struck(window) == ""
    window.press("Tab")
    wait_for(window, "old_name", "new_name")
    assert window.save() == b"old_name, x = value"


def test_it_is_asked_for_by_a_key_where_it_is_off(
    start: Start, journal: tuple[str, Journal]
) -> None:
    program, read = journal
    window = start("print(old_name)\n", **{"dgemma.path": program, "dgemma.nextEdits": False})
    window.press("Control+Home", "End")
    window.type(" ")
    window.page.wait_for_timeout(1000)
    assert read("asked") == []
    window.press("Control+Alt+g", "n")
    wait_for(window, "old_name", "new_name")


def wait_until_heard(window: Window, labels: list[str]) -> None:
    """Wait until these alerts, and no others, have been in the status bar since ``LISTEN`` ran."""
    heard = partial(window.page.evaluate, "window.dgemmaHeard")
    window.wait(lambda: heard() == labels, f"heard {labels}", lambda: str(heard()))


def wait_for_alert(window: Window, label: str) -> None:
    """Wait until the accessibility tree has an alert of ours with this label; empty for none."""
    accessibility = window.page.context.new_cdp_session(window.page)

    def alerts() -> list[tuple[str, str]]:
        return [
            (
                node["name"]["value"],
                *(it["value"]["value"] for it in node["properties"] if it["name"] == "live"),
            )
            for node in accessibility.send("Accessibility.getFullAXTree")["nodes"]
            if node["role"]["value"] == "alert" and "next edit" in node["name"]["value"].lower()
        ]

    # Assertive: it is read at once, as what the editor itself says of ghost text.
    expected = [(label, "assertive")] if label else []
    window.wait(lambda: alerts() == expected, f"an alert {label!r}", lambda: str(alerts()))
    accessibility.detach()


def test_a_screen_reader_hears_where_it_is_what_it_changes_and_what_tab_does(
    start: Start, journal: tuple[str, Journal]
) -> None:
    settings = {"dgemma.path": journal[0], "editor.accessibilitySupport": "on"}
    window = start(TEXT, **settings)
    window.page.evaluate(LISTEN)
    window.press("Control+Home", "End")
    window.type(" ")
    what = "Next edit in line 62: old_name becomes new_name."
    expected = [f"{what} Tab goes there, Escape dismisses it."]
    wait_until_heard(window, expected)
    wait_for_alert(window, expected[0])
    window.press("Tab")
    expected.append(f"{what} Tab makes it, Escape dismisses it.")
    wait_until_heard(window, expected)
    window.press("Tab")
    window.wait_for_line("print(new_name)")
    wait_for_alert(window, "")
    window.press("Control+Alt+g", "n")
    wait_until_heard(window, [*expected, "No next edit here"])
    wait_for_alert(window, "")


def test_a_server_that_cannot_is_never_asked(start: Start) -> None:
    window = start("print(old_name)\n")
    window.type(" ")
    window.page.wait_for_timeout(1000)
    assert struck(window) == ""
    assert "copilotInlineEdit" not in window.log_text()
