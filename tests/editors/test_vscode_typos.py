"""Typos in the real VS Code: mended at once, one by one, and with a cancel that leaves all be."""

import pytest

from .capabilities import need_command
from .server_commands import REAL_SERVER
from .vscode_fixtures import Start

SENTENCE = "This sentense has teh usual typos in it, and we recieve them every day.\n"
# Long enough that looking for typos takes longer than pressing a button.
LONG = "\n".join(f"In part {n} of the text, {SENTENCE}" for n in range(1500))


@pytest.fixture(autouse=True)
def _needs_the_command() -> None:
    need_command("dgemma.fixDocument")


def test_fixing_typos_is_taken_back_by_one_undo(start: Start) -> None:
    window = start(SENTENCE, server=REAL_SERVER, name="a.md")
    window.press("Control+Alt+g", "t")
    window.page.locator(".tab.dirty").first.wait_for(state="attached")
    fixed = window.save()
    assert fixed != SENTENCE.encode()
    window.press("Control+z")
    window.page.locator(".tab.dirty").first.wait_for(state="attached")
    assert window.save() == SENTENCE.encode()


def test_a_search_shows_its_progress_and_cancelling_it_changes_nothing(start: Start) -> None:
    window = start(LONG, server=REAL_SERVER, name="long.md")
    window.press("Control+Alt+g", "t")
    toast = window.page.locator(".notification-list-item", has_text="Looking for typos").first
    toast.wait_for(state="visible")
    bar = window.page.locator(".notification-toast .monaco-progress-container")
    bar.first.wait_for(state="attached")
    toast.get_by_role("button", name="Cancel").click()
    toast.wait_for(state="detached")
    window.wait_for_status("ready")
    assert window.page.locator(".notification-list-item").count() == 0
    assert window.page.locator(".tab.dirty").count() == 0
    assert window.file.read_bytes() == LONG.encode()
    window.focus_end()
    window.type("We recieve it.")
    assert window.save() == (LONG + "We recieve it.").encode()


def test_each_typo_can_be_looked_at_and_left_out(start: Start) -> None:
    window = start(SENTENCE, server=REAL_SERVER, name="a.md")
    window.press("Control+Alt+g", "v")
    panel = window.page.locator(".bulk-edit-panel")
    boxes = panel.locator(".monaco-list-row", has_text="recieve").locator(".edit-checkbox")
    boxes.first.wait_for(state="visible")
    toast = window.page.locator(".notification-list-item")
    toast.first.wait_for(state="detached")  # the search is over
    rows = panel.locator(".monaco-list-row", has_text="usual")
    assert rows.count() == 2
    rows.first.locator(".edit-checkbox").click()
    panel.get_by_text("Apply").click()
    window.page.locator(".tab.dirty").first.wait_for(state="attached")
    assert window.save() == SENTENCE.replace("sentense", "sentence").encode()


def test_a_review_that_is_discarded_changes_nothing_and_complains_of_nothing(start: Start) -> None:
    window = start(SENTENCE, server=REAL_SERVER, name="a.md")
    window.press("Control+Alt+g", "v")
    panel = window.page.locator(".bulk-edit-panel")
    panel.locator(".edit-checkbox").first.wait_for(state="visible")
    panel.get_by_text("Discard").click()
    window.focus_end()
    window.type("x")
    assert window.save() == (SENTENCE + "x").encode()
    window.page.locator(".notification-list-item").first.wait_for(state="detached")


def test_a_quick_fix_mends_one_where_it_stands(start: Start) -> None:
    window = start(SENTENCE, server=REAL_SERVER, name="a.md")
    window.page.locator("[class*=squiggly]").first.wait_for(state="attached")
    fix = window.page.locator(".action-widget").get_by_text("to “sentence”").first
    window.open(fix, "Control+Home", *["Control+ArrowRight"] * 2, "Control+.")
    window.press("Enter")
    window.wait_for_line(SENTENCE.replace("sentense", "sentence").strip())
    assert window.save() == SENTENCE.replace("sentense", "sentence").encode()
