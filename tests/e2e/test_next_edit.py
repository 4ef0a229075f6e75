"""Next edits as a client of GitHub's Copilot server asks for them."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import REAL_SERVER, Wire

pytestmark = pytest.mark.e2e

CRAB = "\U0001f980"
SOURCE = (
    "def area(width):\r\n"
    f"    total = width * 2; crab = '{CRAB}'; print(total)\r\n"
    "    return total\r\n"
)
UNITS = {"utf-8": 4, "utf-16": 2, "utf-32": 1}  # of the crab
_numbers = iter(range(1000))


class Document:
    """A document in the editor, which counts its versions."""

    def __init__(self, wire: Wire, text: str = SOURCE) -> None:
        self.wire, self.uri, self.version = wire, f"file:///next{next(_numbers)}.py", 1
        wire.open(self.uri, text)

    def replace(self, line: int, start: int, end: int, text: str) -> None:
        self.version += 1
        span = {
            "start": {"line": line, "character": start},
            "end": {"line": line, "character": end},
        }
        document = {"uri": self.uri, "version": self.version}
        changes = {"textDocument": document, "contentChanges": [{"range": span, "text": text}]}
        self.wire.notify("textDocument/didChange", changes)

    def start(self, line: int = 1, character: int = 4, **more: Any) -> int:
        document = {"uri": self.uri, "version": self.version} | more
        position = {"line": line, "character": character}
        params = {"textDocument": document, "position": position}
        return self.wire.start("textDocument/copilotInlineEdit", params)

    def ask(self, line: int = 1, character: int = 4, **more: Any) -> list[dict[str, Any]]:
        edits: list[dict[str, Any]] = self.wire.answer(self.start(line, character, **more))[
            "result"
        ]["edits"]
        return edits

    def apply(self, edit: dict[str, Any]) -> None:
        assert edit["textDocument"] == {"uri": self.uri, "version": self.version}
        span = edit["range"]
        start, end = span["start"], span["end"]
        assert start["line"] == end["line"]
        self.replace(start["line"], start["character"], end["character"], edit["text"])

    def run(self, command: dict[str, Any], name: str | None = None) -> None:
        params = {"command": name or command["command"], "arguments": command["arguments"]}
        assert "error" not in self.wire.request("workspace/executeCommand", params)

    def shown(self, edit: dict[str, Any]) -> None:
        item = {"command": {"arguments": edit["command"]["arguments"]}}
        self.wire.notify("textDocument/didShowInlineEdit", {"item": item})


def renamed(wire: Wire) -> Document:
    """Open a document and rename a variable where it is defined."""
    document = Document(wire)
    document.replace(1, 4, 9, "product")
    return document


def counters(wire: Wire) -> dict[str, int]:
    found: dict[str, int] = wire.request("dgemma/status")["result"]["counters"]
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_a_rename_is_offered_place_by_place_until_it_is_done(wire: Wire, encoding: str) -> None:
    capabilities = wire.initialize(encoding=encoding)["capabilities"]
    assert capabilities["experimental"]["copilotInlineEditProvider"] is True
    document = renamed(wire)
    (edit,) = document.ask()
    column = len("    product = width * 2; crab = ''; print(") + UNITS[encoding]
    assert edit["text"] == "product"
    assert edit["range"] == {
        "start": {"line": 1, "character": column},
        "end": {"line": 1, "character": column + 5},
    }
    assert edit["command"]["command"] == "dgemma.acceptInlineEdit"
    document.shown(edit)
    document.apply(edit)
    document.run(edit["command"])
    (last,) = document.ask()
    assert last["range"]["start"] == {"line": 2, "character": 11}
    document.apply(last)
    document.run(last["command"])
    assert document.ask() == []
    assert counters(wire)["next_edits_accepted"] == 2
    assert counters(wire)["next_edits_shown"] == 1
    wire.leave()


def test_an_offer_moves_along_with_typing_elsewhere(shared: Wire) -> None:
    document = renamed(shared)
    (edit,) = document.ask()
    document.shown(edit)
    document.replace(0, 0, 0, "# a note\r\n")
    (moved,) = document.ask(2)
    assert moved["command"] == edit["command"]
    assert moved["textDocument"]["version"] == document.version
    assert moved["range"]["start"]["line"] == edit["range"]["start"]["line"] + 1


def test_an_offer_is_dropped_when_typing_reaches_it(shared: Wire) -> None:
    document = renamed(shared)
    (edit,) = document.ask()
    line, start = edit["range"]["start"]["line"], edit["range"]["start"]["character"]
    document.replace(line, start + 1, start + 2, "X")
    (other,) = document.ask()
    assert other["range"]["start"]["line"] == 2


def test_a_rejected_offer_is_not_made_again_and_after_two_none_is(shared: Wire) -> None:
    document = renamed(shared)
    (first,) = document.ask()
    document.run(first["command"], "dgemma.rejectInlineEdit")
    (second,) = document.ask()
    assert second["range"] != first["range"]
    document.run(second["command"], "dgemma.rejectInlineEdit")
    assert document.ask() == []


def test_an_offer_that_was_shown_and_is_asked_for_again_was_not_wanted(shared: Wire) -> None:
    document = renamed(shared)
    (first,) = document.ask()
    (again,) = document.ask()
    assert again == first  # nobody saw it
    document.shown(first)
    (second,) = document.ask()
    assert second["range"] != first["range"]


def test_nothing_is_offered_where_nothing_was_renamed(shared: Wire) -> None:
    document = Document(shared)
    assert document.ask() == []
    document.replace(2, 16, 16, "  # so")
    assert document.ask() == []


def test_another_version_than_the_servers_gets_nothing(shared: Wire) -> None:
    document = renamed(shared)
    assert document.ask(version=1) == []
    assert len(document.ask()) == 1


def test_a_newer_request_takes_the_older_ones_place_and_both_are_answered(shared: Wire) -> None:
    document = renamed(shared)
    numbers = [document.start() for _ in range(5)]
    answers = [shared.answer(number)["result"]["edits"] for number in numbers]
    assert len(answers[-1]) == 1


def test_unknown_documents_ids_and_items_do_no_harm(shared: Wire) -> None:
    params = {"textDocument": {"uri": "file:///none.py", "version": 1}}
    position = {"line": 0, "character": 0}
    answer = shared.request("textDocument/copilotInlineEdit", {**params, "position": position})
    assert answer["result"] == {"edits": []}
    for command in "dgemma.acceptInlineEdit", "dgemma.rejectInlineEdit":
        params = {"command": command, "arguments": ["e99999"]}
        assert shared.request("workspace/executeCommand", params)["result"] is None
    for item in None, {}, {"command": {"arguments": []}}, {"command": {"arguments": [7]}}:
        shared.notify("textDocument/didShowInlineEdit", {"item": item})


def test_the_setting_switches_it_off(wire: Wire) -> None:
    wire.initialize({"next_edits": "off"})
    assert renamed(wire).ask() == []
    wire.leave()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    wire = Wire(REAL_SERVER, tmp_path_factory.mktemp("real") / "stderr.txt")
    try:
        wire.initialize({"deadline_ms": 60_000})
        yield wire
        wire.leave()
    finally:
        wire.destroy()


def test_with_the_real_model_a_rename_goes_through_and_the_program_stays_whole(real: Wire) -> None:
    text = (
        "def area(width, height):\n    total = width * height\n    print(total)\n    return total\n"
    )
    document = Document(real, text)
    document.replace(1, 4, 9, "product")
    lines = text.replace("total =", "product =").splitlines()
    for _ in range(2):
        (edit,) = document.ask()
        place = edit["range"]
        line = place["start"]["line"]
        start, end = place["start"]["character"], place["end"]["character"]
        lines[line] = lines[line][:start] + edit["text"] + lines[line][end:]
        document.apply(edit)
        document.run(edit["command"])
        ast.parse("\n".join(lines))
    assert "\n".join(lines) + "\n" == text.replace("total", "product")
    assert document.ask() == []


def test_a_start_with_an_unknown_word_keeps_the_default(start_server: Callable[..., Wire]) -> None:
    wire = start_server()
    wire.initialize({"next_edits": "sometimes"})
    assert "next_edits" in wire.message("window/showMessage")["params"]["message"]
    assert len(renamed(wire).ask()) == 1
    wire.leave()


def test_no_text_of_a_document_is_logged(
    start_server: Callable[..., Wire], stderr_file: Path
) -> None:
    wire = start_server()
    wire.initialize()
    document = Document(wire, SOURCE.replace("total", "canary_name"))
    document.replace(1, 4, 15, "canary_other")
    assert len(document.ask()) == 1
    wire.leave()
    assert "canary" not in stderr_file.read_text()
