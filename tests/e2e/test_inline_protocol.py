"""What clients send beside the plain request, on the real server around the fake engine."""

from typing import Any

import pytest

from .conftest import Wire

pytestmark = pytest.mark.e2e

URI = "file:///a.py"


@pytest.fixture
def uri(request: pytest.FixtureRequest) -> str:
    """A document that no other test knows."""
    return f"file:///{request.node.name}.py"


def texts(items: list[dict[str, Any]]) -> list[str]:
    return [item["insertText"] for item in items]


def status(wire: Wire) -> dict[str, Any]:
    result: dict[str, Any] = wire.request("dgemma/status")["result"]
    return result


def journal(wire: Wire, wait_for: str) -> list[str]:
    entries: list[str] = wire.request("fake/journal", {"wait_for": wait_for})["result"]
    return entries


def test_a_request_about_another_version_gets_an_empty_list(shared: Wire, uri: str) -> None:
    shared.open(uri, "x = \n")

    ahead = shared.answer(shared.start_inline(uri, 0, 4, version=2))
    now = shared.answer(shared.start_inline(uri, 0, 4, version=1))

    assert ahead["result"] == {"items": []}
    assert texts(now["result"]["items"]) == ["value", "other"]


def test_with_a_token_for_partial_results_all_items_go_by_progress(shared: Wire, uri: str) -> None:
    shared.open(uri, "x = \n")

    answer = shared.answer(shared.start_inline(uri, 0, 4, partialResultToken="part"))

    assert answer["result"] == {"items": []}
    progress = shared.message("$/progress")["params"]
    assert progress["token"] == "part"
    assert texts(progress["value"]) == ["value", "other"]
    assert progress["value"][0]["range"]["start"] == {"line": 0, "character": 4}


def test_what_is_typed_along_is_offered_on_without_the_engine(shared: Wire, uri: str) -> None:
    shared.open(uri, "typed = \n")
    first = shared.inline(uri, 0, 8)
    shared.type(uri, 0, 8, "va", version=2)

    (rest,) = shared.answer(shared.start_inline(uri, 0, 10, kind=2))["result"]["items"]

    assert rest["insertText"] == "lue"
    assert rest["command"] == first[0]["command"]
    starts = [entry for entry in journal(shared, "stable typed = ") if "start typed" in entry]
    assert starts == ["start typed = "]


def test_brackets_closed_by_the_editor_are_in_range_and_text(shared: Wire, uri: str) -> None:
    shared.open(uri, "f()\n")

    items = shared.inline(uri, 0, 2)

    span = {"start": {"line": 0, "character": 2}, "end": {"line": 0, "character": 3}}
    assert [(item["insertText"], item["range"]) for item in items] == [
        ("value)", span),
        ("other)", span),
    ]


def test_the_item_chosen_in_the_popup_gives_range_and_beginning(shared: Wire, uri: str) -> None:
    shared.open(uri, "x = my\n")
    chosen = {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 6}}

    answer = shared.answer(
        shared.start_inline(
            uri,
            0,
            6,
            context={
                "triggerKind": 2,
                "selectedCompletionInfo": {"range": chosen, "text": "my_"},
            },
        )
    )

    assert [(item["insertText"], item["range"]) for item in answer["result"]["items"]] == [
        ("my_value", chosen),
        ("my_other", chosen),
    ]
    assert "start x = my_" in journal(shared, "stable x = my_")


def test_a_draft_that_is_there_at_the_deadline_is_offered(wire: Wire) -> None:
    wire.initialize({"deadline_ms": 50})
    wire.open(URI, "slow = \n")
    journal(wire, "load embedded on dgemma-engine")

    answer = wire.answer(wire.start_inline(URI, 0, 7, kind=2))

    assert texts(answer["result"]["items"]) == ["value", "other"]
    assert "deadline slow = " in journal(wire, "deadline slow = ")
    wire.leave()


def test_what_happens_to_an_item_is_counted_and_can_be_asked_for(wire: Wire) -> None:
    commands = wire.initialize()["capabilities"]["executeCommandProvider"]["commands"]
    wire.open(URI, "x = \n")
    item = wire.inline(URI, 0, 4)[0]

    wire.notify("textDocument/didShowCompletion", {"item": item})
    wire.notify("textDocument/didPartiallyAcceptCompletion", {"item": item, "acceptedLength": 2})
    wire.notify("textDocument/didShowCompletion", {"item": {"insertText": "of another server"}})
    accepted = item["command"]
    assert accepted["command"] in commands
    wire.request(
        "workspace/executeCommand",
        {"command": accepted["command"], "arguments": accepted["arguments"]},
    )

    assert status(wire) == {
        "busy": False,
        "kind": "Normal",
        "message": "",
        "model": "embedded",
        "device": "auto",
        "counters": {"accepted": 1, "answered": 1, "partly_accepted": 1, "shown": 1},
    }
    bad = {"command": accepted["command"], "arguments": []}
    assert wire.request("workspace/executeCommand", bad)["error"]["code"] == -32602
    wire.leave()
    assert wire.notifications == []


def test_focus_on_another_document_ends_the_automatic_request(shared: Wire, uri: str) -> None:
    shared.open(uri, "slow = \n")
    request = shared.start_inline(uri, 0, 7, kind=2)
    journal(shared, "start slow = ")

    shared.notify("textDocument/didFocus", {"textDocument": None})
    shared.notify("textDocument/didFocus", {})
    shared.notify("textDocument/didFocus", {"textDocument": {"uri": "file:///b.py"}})

    assert shared.answer(request)["result"] == {"items": []}
    assert "cancelled slow = " in journal(shared, "cancelled slow = ")


def test_a_client_of_copilot_is_told_the_status(wire: Wire) -> None:
    wire.initialize({"editorInfo": {"name": "e", "version": "1"}, "editorPluginInfo": {}})
    loading = wire.message("didChangeStatus")["params"]
    ready = wire.message("didChangeStatus", number=2)["params"]
    wire.open(URI, "x = \n")
    wire.inline(URI, 0, 4)

    assert loading == {"busy": True, "kind": "Normal", "message": "Loading the model."}
    assert ready == {"busy": False, "kind": "Normal", "message": ""}
    assert wire.message("didChangeStatus", number=3)["params"]["busy"] is True
    assert wire.message("didChangeStatus", number=4)["params"]["busy"] is False
    wire.leave()
    assert {note["method"] for note in wire.notifications} == {"didChangeStatus"}


def test_a_client_of_copilot_is_told_that_there_is_no_model(wire: Wire) -> None:
    wire.initialize({"editorInfo": {"name": "e", "version": "1"}, "model": "missing"})

    assert wire.message("didChangeStatus", number=2)["params"] == {
        "busy": False,
        "kind": "Error",
        "message": "missing is no model folder; choose another",
    }
    wire.leave()


@pytest.mark.parametrize("accepts", [True, False])
def test_loading_is_shown_as_progress_if_the_client_lets_it(wire: Wire, accepts: bool) -> None:
    wire.initialize(capabilities={"window": {"workDoneProgress": True}})
    create = wire.message("window/workDoneProgress/create")
    token = create["params"]["token"]
    reply = {"result": None} if accepts else {"error": {"code": -32601, "message": "no"}}
    wire.send({"id": create["id"], **reply})
    wire.open(URI, "x = \n")
    assert texts(wire.inline(URI, 0, 4)) == ["value", "other"]

    if accepts:
        begin, end = (wire.message("$/progress", number=n)["params"] for n in (1, 2))
        assert begin == {"token": token, "value": {"kind": "begin", "title": "Loading the model"}}
        assert end == {"token": token, "value": {"kind": "end", "message": "Ready."}}
    wire.leave()
    assert len(wire.notifications) == (3 if accepts else 1)
