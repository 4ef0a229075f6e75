"""Surprising words as an editor sees them: hints, and a quick fix."""

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import REAL_SERVER, Wire
from .test_rewrite import ABLE
from .test_typos import PULLING, PUSHED, actions, edits_of, marked, pull, titled

pytestmark = pytest.mark.e2e

URI = "file:///surprise.py"
SOURCE = "def area(width, height):\n    total = wrong_name * height\n    return total + width\n"
ON = {"surprise": "on", "typos": "off"}


def opened(wire: Wire, text: str = SOURCE, *, capabilities: Any = PULLING, **more: Any) -> None:
    wire.initialize({**ON, **more}, capabilities=capabilities)
    wire.open(URI, text)


def test_the_surprising_word_is_marked_with_a_hint(wire: Wire) -> None:
    opened(wire)
    (found,) = pull(wire, URI)
    assert marked(SOURCE, found, "utf-16") == "wrong_name"
    assert (found["severity"], found["code"], found["source"]) == (4, "surprise", "dgemma")
    wire.leave()


def test_it_is_off_by_default(wire: Wire) -> None:
    wire.initialize(capabilities=PULLING)
    wire.open(URI, SOURCE)
    assert pull(wire, URI) == []
    wire.leave()


def test_prose_and_data_are_left_alone(wire: Wire) -> None:
    wire.initialize(ON, capabilities=PULLING)
    for language_id in "markdown", "json", "plaintext":
        wire.open(f"file:///{language_id}", "the wrong word is here", language_id)
        assert pull(wire, f"file:///{language_id}") == []
    wire.leave()


def test_the_quick_fix_is_the_models_own_fill(wire: Wire) -> None:
    opened(wire)
    (found,) = pull(wire, URI)
    action = titled(actions(wire, URI, found["range"], only=["quickfix"]), "Fill “wrong_name” anew")
    assert "edit" not in action
    edit = wire.request("codeAction/resolve", action)["result"]["edit"]
    (change,) = edits_of(edit)
    assert change["newText"] == "value"
    assert change["range"] == found["range"]
    (annotation,) = edit["changeAnnotations"].values()
    assert annotation["description"] == "“wrong_name” filled anew"
    wire.leave()


def test_a_fix_is_only_made_where_a_hint_stands(wire: Wire) -> None:
    opened(wire)
    (found,) = pull(wire, URI)
    action = titled(actions(wire, URI, found["range"]), "Fill “wrong_name” anew")
    data = action["data"] | {"start": 0, "end": 3}
    answer = wire.request("codeAction/resolve", {**action, "data": data})
    assert answer["error"]["code"] == -32801
    wire.leave()


def test_a_client_that_resolves_nothing_gets_a_command(wire: Wire) -> None:
    kinds: dict[str, Any] = {"codeActionKind": {"valueSet": []}}
    unable = {**PULLING["textDocument"], "codeAction": {"codeActionLiteralSupport": kinds}}
    opened(wire, capabilities={**ABLE, "textDocument": unable})
    (found,) = pull(wire, URI)
    action = titled(actions(wire, URI, found["range"]), "Fill “wrong_name” anew")
    assert action["command"]["command"] == "dgemma.fixSurprise"
    wire.leave()


def test_hints_are_pushed_to_clients_that_do_not_ask_and_move_along(wire: Wire) -> None:
    opened(wire, capabilities=PUSHED)
    first = wire.message("textDocument/publishDiagnostics")["params"]
    assert [marked(SOURCE, one, "utf-16") for one in first["diagnostics"]] == ["wrong_name"]
    wire.type(URI, 0, 0, "# note\n", version=2)
    second = wire.message("textDocument/publishDiagnostics", number=2)["params"]
    (moved,) = second["diagnostics"]
    assert second["version"] == 2
    assert moved["range"]["start"]["line"] == 2
    wire.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert wire.message("textDocument/publishDiagnostics", number=3)["params"]["diagnostics"] == []
    wire.leave()


def test_typos_and_surprises_come_together(wire: Wire) -> None:
    wire.initialize({"surprise": "on"}, capabilities=PULLING)
    wire.open(URI, "# You will recieve the message when it is ready.\n" + SOURCE)
    assert sorted(one["code"] for one in pull(wire, URI)) == ["nonword", "surprise"]
    wire.leave()


def test_a_suggestion_does_not_wait_for_the_look_through_a_document(wire: Wire) -> None:
    opened(wire, "\n\n".join(f"def f{n}(a, b):\n    return a + b + wrong" for n in range(400)))
    assert len(wire.inline(URI, 1, 15)) > 0
    journal = wire.request("fake/journal", {"wait_for": "read"})["result"]
    assert journal.count("read") < 60  # it was not through with that
    wire.leave()


def test_with_the_real_model_hints_are_few_and_the_server_lives(
    start_server: Callable[..., Wire],
) -> None:
    wire = start_server(REAL_SERVER)
    opened(wire, SOURCE * 3)
    found = pull(wire, URI)
    assert len(found) <= 20
    assert {one["code"] for one in found} <= {"surprise"}
    wire.leave()
