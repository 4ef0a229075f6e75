"""Which model the server has, in the real VS Code: another one, and one that is not there."""

import shutil
from pathlib import Path

from .server_commands import REAL_SERVER, ROOT
from .vscode import Window
from .vscode_fixtures import Start

EMBEDDED = ROOT / "engine" / "dgemma_engine" / "embedded"


def wait_for_model(window: Window, model: str) -> None:
    """Wait until the item in the status bar says that this is the model."""
    said = [""]

    def says_so() -> bool:
        said[0] = window.status_tooltip()
        return f"Model: {model}\n" in said[0]

    window.wait(says_so, f"the model is {model}", lambda: said[0])


def choose_folder(window: Window, folder: Path) -> None:
    """Type a folder into the dialog, which listens once it has listed where it is."""
    widget = window.page.locator(".quick-input-widget")
    button = widget.get_by_text("Use This Model")
    button.wait_for(state="visible")
    rows = widget.locator(".monaco-list-row")
    rows.get_by_text("..", exact=True).wait_for()
    widget.locator("input.input").fill(str(folder))
    rows.get_by_text(folder.name, exact=True).wait_for()
    button.click()


def test_another_model_is_chosen_from_the_menu_and_the_status_bar_names_it(
    start: Start, folder: Path
) -> None:
    other = folder / "other-model"
    shutil.copytree(EMBEDDED, other)
    window = start(server=REAL_SERVER, **{"window.title": "models"})  # its settings will change
    wait_for_model(window, "embedded")
    window.press("Control+Alt+g", "g")
    window.choose("Switch model…")
    window.choose("A folder…")
    choose_folder(window, other)
    wait_for_model(window, str(other))
    window.wait_for_status("ready")
    window.press("Control+Alt+g", "m")  # and back, by its key
    window.choose("embedded")
    wait_for_model(window, "embedded")
    window.wait_for_status("ready")


def test_a_model_that_is_not_there_is_named_with_the_way_back(start: Start) -> None:
    window = start(server=REAL_SERVER, ready=False, **{"dgemma.model": "/nowhere/model"})
    window.wait_for_status("/nowhere/model: no such folder")
    assert window.wait_for_notification("/nowhere/model") == (
        "dgemma: /nowhere/model: no such folder; "
        'give the folder that holds config.json and the weights, or "embedded"'
    )
    window.page.locator(".notification-list-item").get_by_text("Switch Model…").click()
    window.choose("embedded")
    wait_for_model(window, "embedded")
    window.wait_for_status("ready")
