"""Suggestions in the popup of editors without ghost text."""

from typing import Any

import pytest

from .conftest import Wire

pytestmark = pytest.mark.e2e

URI = "file:///a.py"
GHOST_TEXT = {"textDocument": {"inlineCompletion": {"dynamicRegistration": False}}}


def complete(wire: Wire, line: int, character: int) -> dict[str, Any]:
    position = {"line": line, "character": character}
    params = {"textDocument": {"uri": URI}, "position": position, "context": {"triggerKind": 1}}
    answer: dict[str, Any] = wire.request("textDocument/completion", params)
    return answer


@pytest.mark.parametrize(
    ("capabilities", "options", "there"),
    [
        ({}, None, True),
        (GHOST_TEXT, None, False),
        (GHOST_TEXT, {"completion": "on"}, True),
        ({}, {"completion": "off"}, False),
        ({}, {"editorInfo": {"name": "e"}}, False),
    ],
)
def test_the_popup_is_for_editors_without_ghost_text_unless_asked_for(
    wire: Wire, capabilities: dict[str, Any], options: Any, there: bool
) -> None:
    offered = wire.initialize(options, capabilities=capabilities)["capabilities"]
    wire.open(URI, "x = \n")

    assert ("completionProvider" in offered) is there
    answer = complete(wire, 0, 4)
    assert ("result" in answer) is there
    if not there:
        assert answer["error"]["code"] == -32601
    wire.leave()


def test_each_candidate_is_an_item_behind_those_of_other_servers(wire: Wire) -> None:
    wire.initialize()
    wire.open(URI, "x = my_\n")

    result = complete(wire, 0, 7)["result"]

    assert result["isIncomplete"] is True
    first, second = result["items"]
    assert first == {
        "label": "my_value",
        "kind": 1,
        "sortText": "~00",
        "filterText": "my_value",
        "preselect": False,
        "insertTextFormat": 1,
        "textEdit": {
            "range": {
                "start": {"line": 0, "character": 4},  # with the begun word
                "end": {"line": 0, "character": 7},
            },
            "newText": "my_value",
        },
        "command": first["command"],
        "data": first["data"],
    }
    assert second["sortText"] == "~01"
    wire.leave()


def test_an_item_is_described_when_it_is_looked_at(wire: Wire) -> None:
    wire.initialize()
    wire.open(URI, "a = 1\nx = \n")
    item = complete(wire, 1, 4)["result"]["items"][0]

    resolved = wire.request("completionItem/resolve", item)["result"]

    assert resolved == {
        **item,
        "documentation": {
            "kind": "markdown",
            "value": "```diff\n- x = \n+ x = value\n```\n\nDenoised by the model.",
        },
    }
    unknown = {**item, "data": "s99"}
    assert wire.request("completionItem/resolve", unknown)["result"] == unknown
    wire.leave()


def test_typing_along_needs_no_engine_here_either(wire: Wire) -> None:
    wire.initialize()
    wire.open(URI, "x = \n")
    complete(wire, 0, 4)
    wire.type(URI, 0, 4, "o", version=2)

    (item,) = complete(wire, 0, 5)["result"]["items"]

    assert (item["label"], item["filterText"]) == ("other", "other")
    assert item["textEdit"]["newText"] == "other"
    journal = wire.request("fake/journal", {"wait_for": "stable x = "})["result"]
    assert [entry for entry in journal if entry.startswith("start")] == ["start x = "]
    wire.leave()


TAKES = {"textDocument": {"completion": {"dynamicRegistration": True}}}


def configure(wire: Wire, setting: str) -> None:
    wire.notify(
        "workspace/didChangeConfiguration", {"settings": {"dgemma": {"completion": setting}}}
    )


def accept(wire: Wire, method: str, *, number: int = 1) -> dict[str, Any]:
    """Take a registration, or the end of one; gives its parameters."""
    message = wire.message(method, number=number)
    wire.send({"id": message["id"], "result": None})
    return message["params"]


def test_an_editor_that_takes_registrations_follows_the_setting(wire: Wire) -> None:
    both = {"textDocument": TAKES["textDocument"] | GHOST_TEXT["textDocument"]}
    offered = wire.initialize(capabilities=both)["capabilities"]
    assert "completionProvider" not in offered
    wire.open(URI, "x = \n")
    assert complete(wire, 0, 4)["error"]["code"] == -32601

    configure(wire, "on")
    (registration,) = accept(wire, "client/registerCapability")["registrations"]
    assert registration["method"] == "textDocument/completion"
    assert registration["registerOptions"]["resolveProvider"] is True
    assert len(complete(wire, 0, 4)["result"]["items"]) == 2

    configure(wire, "off")
    (gone,) = accept(wire, "client/unregisterCapability")["unregisterations"]
    assert (gone["id"], gone["method"]) == (registration["id"], registration["method"])
    assert complete(wire, 0, 4)["result"]["items"] == []

    configure(wire, "on")
    accept(wire, "client/registerCapability", number=2)
    wire.leave()


def test_a_setting_that_changes_before_the_editor_has_answered_counts_in_the_end(
    wire: Wire,
) -> None:
    wire.initialize(capabilities=TAKES)
    configure(wire, "off")
    configure(wire, "on")
    configure(wire, "off")

    accept(wire, "client/registerCapability")
    accept(wire, "client/unregisterCapability")
    wire.leave()
    assert len(wire.notifications) == 2


def test_an_editor_that_takes_none_has_an_empty_popup_while_it_is_off(wire: Wire) -> None:
    wire.initialize()
    wire.open(URI, "x = \n")
    configure(wire, "off")
    assert complete(wire, 0, 4)["result"]["items"] == []

    configure(wire, "auto")
    assert len(complete(wire, 0, 4)["result"]["items"]) == 2
    wire.leave()
    assert wire.notifications == []


def test_the_begun_word_is_counted_in_the_editors_units(wire: Wire) -> None:
    wire.initialize()
    wire.open(URI, "\U0001f980 = \U0001d4cd_\n")  # the word begins with a letter of two units

    first = complete(wire, 0, 8)["result"]["items"][0]

    begins, ends = (first["textEdit"]["range"][it]["character"] for it in ("start", "end"))
    assert (begins, ends) == (5, 8)
    assert first["textEdit"]["newText"].startswith("\U0001d4cd_")
    wire.leave()
