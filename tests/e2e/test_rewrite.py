"""Rewriting and filling holes, as editors of different abilities see it."""

import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import PATIENCE_S, Wire

pytestmark = pytest.mark.e2e

URI = "file:///a.py"
SOURCE = 'crab = "\U0001f980"; call(alpha, 1)\nother = slow\n'
CRAB = 'crab = "\U0001f980"; '
COLUMN = len(CRAB) + 1  # UTF-16
AT = {"line": 0, "character": COLUMN}
SELECTION = {"start": AT, "end": {"line": 0, "character": COLUMN + len("call(alpha, 1)")}}
SLOW = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 12}}
NOWHERE = {"line": 0, "character": 0}

ABLE: dict[str, Any] = {
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {
            "documentChanges": True,
            "changeAnnotationSupport": {},
            "metadataSupport": True,
        },
    },
    "textDocument": {
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}},
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
            "disabledSupport": True,
            "honorsChangeAnnotations": True,
            "tagSupport": {"valueSet": [1]},
        }
    },
}
PLAIN: dict[str, Any] = {
    "workspace": {"applyEdit": True},
    "textDocument": {
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}
    },
}
# What ``call(alpha, 1)`` in capitals differs by.
CALL = {"start": AT, "end": {"line": 0, "character": COLUMN + 4}}
ALPHA = {
    "start": {"line": 0, "character": COLUMN + 5},
    "end": {"line": 0, "character": COLUMN + 10},
}


def opened(wire: Wire, capabilities: dict[str, Any], source: str = SOURCE, **more: Any) -> Wire:
    wire.initialize(capabilities=capabilities, **more)
    wire.open(URI, source)
    return wire


def actions(wire: Wire, selection: dict[str, Any] = SELECTION, **context: Any) -> list[Any]:
    params = {
        "textDocument": {"uri": URI},
        "range": selection,
        "context": {"diagnostics": [], **context},
    }
    return wire.request("textDocument/codeAction", params)["result"]


def start_command(wire: Wire, command: str, argument: Any = None, **more: Any) -> int:
    arguments = {} if argument is None else {"arguments": [argument]}
    params = {"command": command, **arguments, **more}
    return wire.start("workspace/executeCommand", params)


def start_rewrite(wire: Wire, selection: dict[str, Any] = SELECTION, **more: Any) -> int:
    return start_command(wire, "dgemma.rewrite", {"uri": URI, "range": selection, **more})


def answer_edit(wire: Wire, *, number: int = 1, **result: Any) -> dict[str, Any]:
    """Wait for the server's edit and answer it; gives its parameters."""
    request = wire.message("workspace/applyEdit", number=number)
    wire.send({"id": request["id"], "result": {"applied": True, **result}})
    return request["params"]


def journal(wire: Wire, wait_for: str) -> list[str]:
    return wire.request("fake/journal", {"wait_for": wait_for})["result"]


def test_a_selection_offers_stubs_and_only_the_chosen_one_is_worked_out(wire: Wire) -> None:
    opened(wire, ABLE)
    offered = actions(wire)
    assert [action["title"].split()[0] for action in offered] == [
        *("Rewrite", "Polish", "Mend", "Replace"),
    ]
    assert all("edit" not in action and "command" not in action for action in offered)
    assert {action["kind"] for action in offered} == {"refactor.rewrite.dgemma"}
    assert all(action["tags"] == [1] for action in offered)

    resolved = wire.request("codeAction/resolve", offered[0])["result"]

    (change,) = resolved["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": URI, "version": 1}
    assert [(edit["range"], edit["newText"]) for edit in change["edits"]] == [
        (CALL, "CALL"),
        (ALPHA, "ALPHA"),
    ]
    (annotation,) = resolved["edit"]["changeAnnotations"].values()
    assert annotation["label"] == "Rewrite selection (dgemma)"
    assert not annotation["needsConfirmation"]
    assert "rewrite call(alpha, 1) 0.7 None" in journal(wire, "rewrite call(alpha, 1) 0.7 None")
    wire.leave()


def test_a_client_that_resolves_nothing_gets_commands(wire: Wire) -> None:
    opened(wire, PLAIN)
    command = actions(wire)[2]["command"]
    number = wire.start("workspace/executeCommand", command)
    params = answer_edit(wire)
    assert wire.answer(number)["result"] is None
    # It knows no versions, and none of what came with them.
    assert params["label"] == "Mend selection (dgemma)"
    assert params["edit"] == {
        "changes": {URI: [{"range": CALL, "newText": "CALL"}, {"range": ALPHA, "newText": "ALPHA"}]}
    }
    wire.leave()


def test_a_client_of_old_that_knows_commands_alone_gets_those(wire: Wire) -> None:
    opened(wire, {"workspace": {"applyEdit": True}})
    assert {action["command"] for action in actions(wire)} == {"dgemma.rewrite"}
    wire.leave()


def test_a_client_that_can_neither_resolve_nor_apply_is_offered_nothing(wire: Wire) -> None:
    opened(wire, {})
    assert actions(wire) == []
    error = wire.answer(start_rewrite(wire))["error"]
    assert error["code"] == -32803
    wire.leave()


@pytest.mark.parametrize(
    ("only", "offered"),
    [
        (["refactor"], 4),
        (["refactor.rewrite.dgemma"], 4),
        (["quickfix"], 0),
        (["refactor.rewrite.dgemmalike", "source"], 0),
    ],
)
def test_a_client_that_filters_gets_what_it_wants(
    wire: Wire, only: list[str], offered: int
) -> None:
    opened(wire, ABLE)
    assert len(actions(wire, only=only)) == offered
    wire.leave()


def test_a_cursor_is_no_selection(wire: Wire) -> None:
    opened(wire, ABLE)
    assert actions(wire, {"start": AT, "end": AT}) == []
    wire.leave()


def test_an_engine_that_does_not_load_disables_the_actions_with_the_reason(wire: Wire) -> None:
    opened(wire, ABLE, options={"model": "missing"})
    wire.message("window/showMessage")
    assert {action["disabled"]["reason"] for action in actions(wire)} == {
        "missing is no model folder; choose another"
    }
    wire.leave()


def test_a_selection_longer_than_a_canvas_is_disabled_with_the_limit(wire: Wire) -> None:
    opened(wire, ABLE, source="value = " + "a + " * 30 + "a\n")
    selection = {"start": NOWHERE, "end": {"line": 0, "character": 100}}
    end_s = time.monotonic() + PATIENCE_S
    while "disabled" not in (offered := actions(wire, selection))[0]:
        assert time.monotonic() < end_s, "the server asked once, and the engine is idle"
    (reason,) = {action["disabled"]["reason"] for action in offered}
    assert reason == "The selection has 99 tokens, one canvas holds 64; select less."
    error = wire.answer(start_rewrite(wire, selection))["error"]
    assert error["code"] == -32803
    assert "one canvas holds 64" in error["message"]
    wire.leave()


def test_the_command_edits_the_version_it_saw_in_one_step_for_undo(wire: Wire) -> None:
    opened(wire, ABLE)
    number = start_rewrite(wire, strength=0.4, maxChanged=3)
    params = answer_edit(wire)
    assert params["label"] == "Polish selection (dgemma)"
    assert params["metadata"] == {"isRefactoring": True}
    (change,) = params["edit"]["documentChanges"]
    assert change["textDocument"]["version"] == 1
    assert wire.answer(number)["result"] is None
    assert "rewrite call(alpha, 1) 0.4 3" in journal(wire, "rewrite call(alpha, 1) 0.4 3")
    wire.leave()


def test_at_full_strength_the_selection_is_filled_anew(wire: Wire) -> None:
    opened(wire, ABLE)
    number = start_rewrite(wire, strength=1)
    (change,) = answer_edit(wire)["edit"]["documentChanges"]
    assert [edit["newText"] for edit in change["edits"]] == ["value"]
    assert wire.answer(number)["result"] is None
    wire.leave()


def test_a_model_that_follows_no_instructions_says_so(wire: Wire) -> None:
    opened(wire, ABLE)
    error = wire.answer(start_rewrite(wire, instruction="shorter"))["error"]
    assert error["code"] == -32803
    assert error["message"] == "This model follows no instructions; leave the instruction out."
    wire.leave()


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ({"range": SELECTION}, "uri must be a text"),
        ({"uri": URI}, "range must be a range"),
        ({"uri": URI, "range": SELECTION, "strength": 2}, "strength is 2, must be above 0"),
        ({"uri": URI, "range": SELECTION, "maxChanged": 0.5}, "maxChanged is 0.5"),
        ({"uri": URI, "range": SELECTION, "strenght": 1}, "has no key strenght"),
        ({"uri": URI, "range": {"start": AT, "end": {"line": -1}}}, "line and character, from 0"),
        ([], "takes one argument, an object"),
    ],
)
def test_wrong_arguments_are_named(wire: Wire, argument: Any, words: str) -> None:
    opened(wire, ABLE)
    error = wire.answer(start_command(wire, "dgemma.rewrite", argument))["error"]
    assert error["code"] == -32602
    assert words in error["message"]
    wire.leave()


def test_an_unknown_command_and_a_closed_document_are_refused(wire: Wire) -> None:
    opened(wire, ABLE)
    assert wire.answer(start_command(wire, "dgemma.none"))["error"]["code"] == -32602
    elsewhere = {"uri": "file:///closed.py", "range": SELECTION}
    error = wire.answer(start_command(wire, "dgemma.rewrite", elsewhere))["error"]
    assert error["message"] == "The document is not open."
    wire.leave()


def test_a_document_that_moves_on_is_not_edited(wire: Wire) -> None:
    opened(wire, ABLE)
    number = start_rewrite(wire, SLOW)
    journal(wire, "rewrite other = slow 0.5 None")
    wire.type(URI, 0, 0, "#", version=2)
    assert wire.answer(number)["error"]["code"] == -32801
    assert "cancelled other = slow" in journal(wire, "cancelled other = slow")
    stale = {"title": "a", "data": {"by": "rewrite", "uri": URI, "range": SELECTION, "version": 1}}
    assert wire.request("codeAction/resolve", stale)["error"]["code"] == -32801
    assert not [note for note in wire.notifications if note["method"] == "workspace/applyEdit"]
    wire.leave()


def test_an_edit_that_the_editor_does_not_apply_is_reported_and_not_sent_again(wire: Wire) -> None:
    opened(wire, ABLE)
    number = start_rewrite(wire)
    answer_edit(wire, applied=False, failureReason="the file is read-only")
    error = wire.answer(number)["error"]
    assert error["code"] == -32803
    assert error["message"] == "The editor did not apply the change: the file is read-only."
    counters = wire.request("dgemma/status")["result"]["counters"]
    assert counters["edits_not_applied"] == 1
    sent = [note for note in wire.notifications if note["method"] == "workspace/applyEdit"]
    assert len(sent) == 1
    wire.leave()


def test_a_cancelled_command_stops_at_the_next_step(wire: Wire) -> None:
    opened(wire, ABLE)
    number = start_rewrite(wire, SLOW)
    journal(wire, "rewrite other = slow 0.5 None")
    wire.notify("$/cancelRequest", {"id": number})
    assert wire.answer(number)["error"]["code"] == -32800
    assert "cancelled other = slow" in journal(wire, "cancelled other = slow")
    wire.leave()


def test_cancel_all_answers_everything_that_is_open(wire: Wire) -> None:
    opened(wire, ABLE)
    number = start_rewrite(wire, SLOW)
    journal(wire, "rewrite other = slow 0.5 None")
    assert wire.answer(start_command(wire, "dgemma.cancelAll"))["result"] is None
    assert wire.answer(number)["error"]["code"] == -32800
    wire.leave()


def test_progress_goes_by_the_clients_token_and_ends_before_the_answer(wire: Wire) -> None:
    opened(wire, ABLE)
    argument = {"uri": URI, "range": SELECTION}
    number = start_command(wire, "dgemma.rewrite", argument, workDoneToken="mine")
    answer_edit(wire)
    wire.answer(number)
    told = [note["params"] for note in wire.notifications if note["method"] == "$/progress"]
    assert [note["value"]["kind"] for note in told if note["token"] == "mine"] == ["begin", "end"]
    wire.leave()


def test_the_cancel_button_of_a_progress_of_ours_cancels_the_request(wire: Wire) -> None:
    opened(wire, {**ABLE, "window": {"workDoneProgress": True}})
    loading = wire.message("window/workDoneProgress/create")
    wire.send({"id": loading["id"], "result": None})
    number = start_rewrite(wire, SLOW)
    create = wire.message("window/workDoneProgress/create", number=2)
    wire.send({"id": create["id"], "result": None})
    token = create["params"]["token"]
    journal(wire, "rewrite other = slow 0.5 None")
    wire.notify("window/workDoneProgress/cancel", {"token": token})
    assert wire.answer(number)["error"]["code"] == -32800
    wire.leave()
    told = [note["params"] for note in wire.notifications if note["method"] == "$/progress"]
    assert [note["value"]["kind"] for note in told if note["token"] == token] == ["begin", "end"]


HOLES = "x = ___\ny = ___\n"


def test_several_holes_are_one_edit_that_the_editor_asks_about(wire: Wire) -> None:
    opened(wire, ABLE, source=HOLES)
    number = start_command(wire, "dgemma.fillHoles", {"uri": URI})
    params = answer_edit(wire)
    (change,) = params["edit"]["documentChanges"]
    assert [edit["newText"] for edit in change["edits"]] == ["0", "1"]
    (annotation,) = params["edit"]["changeAnnotations"].values()
    assert annotation["needsConfirmation"]
    assert params["label"] == "Fill holes (dgemma)"
    assert wire.answer(number)["result"] is None
    assert "jointly 2" in journal(wire, "jointly 2")
    wire.leave()


def test_one_cursor_is_filled_without_asking(wire: Wire) -> None:
    opened(wire, ABLE, source="x = \n")
    at = {"line": 0, "character": 4}
    number = start_command(wire, "dgemma.fillHoles", {"uri": URI, "positions": [at]})
    params = answer_edit(wire)
    (change,) = params["edit"]["documentChanges"]
    (annotation,) = params["edit"]["changeAnnotations"].values()
    assert [(edit["range"], edit["newText"]) for edit in change["edits"]] == [
        ({"start": at, "end": at}, "value")
    ]
    assert not annotation["needsConfirmation"]
    assert wire.answer(number)["result"] is None
    wire.leave()


def test_a_document_without_holes_says_how_to_mark_one(wire: Wire) -> None:
    opened(wire, ABLE)
    error = wire.answer(start_command(wire, "dgemma.fillHoles", {"uri": URI}))["error"]
    assert error["code"] == -32803
    assert "___" in error["message"]
    wire.leave()


@pytest.mark.parametrize(
    ("command", "argument"),
    [
        ("dgemma.rewrite", {"range": SELECTION}),
        ("dgemma.fillHoles", {"positions": [AT]}),
        ("dgemma.fillHoles", {"ranges": [CALL, ALPHA]}),
    ],
    ids=["rewrite", "one hole", "two holes"],
)
def test_what_other_files_say_is_read_as_well(
    wire: Wire, tmp_path: Path, command: str, argument: dict[str, Any]
) -> None:
    params = {"processId": None, "rootUri": tmp_path.as_uri(), "capabilities": ABLE}
    wire.request("initialize", {**params, "initializationOptions": {"context": "on"}})
    wire.notify("initialized", {})
    wire.open(URI, SOURCE)
    other = (tmp_path / "b.py").as_uri()
    wire.open(other, "beta = 1\n")
    wire.inline(other, 0, 8)  # the user was there

    number = start_command(wire, command, {"uri": URI, **argument})
    answer_edit(wire)
    assert wire.answer(number)["result"] is None

    read = wire.request("fake/prefixes", {})["result"]
    assert "beta = 1" in read[-1]
    assert read[-1].endswith(CRAB)
    wire.leave()
