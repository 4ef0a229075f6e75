"""The configuration as the editor has it, on the real server around the fake engine."""

from typing import Any

import pytest

from .conftest import Wire

pytestmark = pytest.mark.e2e

PULLS = {"workspace": {"configuration": True}}


def answer_pull(wire: Wire, section: Any, *, number: int = 1) -> None:
    message = wire.message("workspace/configuration", number=number)
    assert message["params"] == {"items": [{"section": "dgemma"}]}
    wire.send({"id": message["id"], "result": [section]})


def n_offered(wire: Wire, name: str) -> int:
    wire.open(f"file:///{name}.py", "x = \n")
    return len(wire.inline(f"file:///{name}.py", 0, 4))


def complaints(wire: Wire) -> list[str]:
    wire.request("dgemma/status")  # what was sent before it has come
    return [
        note["params"]["message"]
        for note in wire.notifications
        if note["method"] == "window/showMessage"
    ]


def test_the_section_is_pulled_at_the_start_and_counts(wire: Wire) -> None:
    wire.initialize(capabilities=PULLS)

    answer_pull(wire, {"n_candidates": 1, "context": None})

    assert n_offered(wire, "a") == 1
    wire.leave()


def test_a_change_is_pulled_and_replaces_the_section_before(wire: Wire) -> None:
    wire.initialize({"n_candidates": 2}, capabilities=PULLS)
    answer_pull(wire, {"n_candidates": 1})
    wire.notify("workspace/didChangeConfiguration", {"settings": {"dgemma": {"n_candidates": 1}}})

    answer_pull(wire, None, number=2)

    assert n_offered(wire, "a") == 2  # as at the start
    wire.leave()


def test_only_the_newest_answer_counts(wire: Wire) -> None:
    wire.initialize(capabilities=PULLS)
    first = wire.message("workspace/configuration")
    wire.notify("workspace/didChangeConfiguration", {"settings": None})
    answer_pull(wire, {"n_candidates": 1}, number=2)
    wire.send({"id": first["id"], "result": [{"n_candidates": 2}]})

    assert n_offered(wire, "a") == 1
    wire.leave()


def test_a_client_that_cannot_be_asked_pushes(wire: Wire) -> None:
    wire.initialize()
    wire.notify("workspace/didChangeConfiguration", {"settings": {"dgemma": {"n_candidates": 1}}})
    wire.notify("workspace/didChangeConfiguration", {"settings": {"other": {}}})

    assert n_offered(wire, "a") == 1
    wire.leave()


def test_a_complaint_is_shown_once_and_a_workspace_chooses_no_model(wire: Wire) -> None:
    wire.initialize(capabilities=PULLS)
    bad = {"n_candidates": 99, "model": "/evil", "device": "cuda"}
    answer_pull(wire, bad)
    wire.notify("workspace/didChangeConfiguration", {"settings": None})
    answer_pull(wire, bad, number=2)

    said = complaints(wire)
    assert len(said) == 3
    assert {sentence.split()[0] for sentence in said} == {"n_candidates", "model", "device"}
    assert wire.request("dgemma/status")["result"]["model"] == "embedded"
    wire.leave()


@pytest.mark.parametrize("answer", [{"result": None}, {"result": []}, {"error": {}}])
def test_a_client_without_an_answer_changes_nothing(wire: Wire, answer: dict[str, Any]) -> None:
    wire.initialize(capabilities=PULLS)
    message = wire.message("workspace/configuration")
    if "error" in answer:
        answer = {"error": {"code": -32601, "message": "no"}}
    wire.send({"id": message["id"], **answer})

    assert n_offered(wire, "a") == 2
    wire.leave()


def test_changes_are_asked_for_where_the_client_registers_them(wire: Wire) -> None:
    wire.initialize(
        capabilities={"workspace": {"didChangeConfiguration": {"dynamicRegistration": True}}}
    )

    (registration,) = wire.message("client/registerCapability")["params"]["registrations"]
    assert registration["method"] == "workspace/didChangeConfiguration"
    assert registration["registerOptions"] == {"section": "dgemma"}
    message = wire.message("client/registerCapability")
    wire.send({"id": message["id"], "error": {"code": -32601, "message": "no"}})
    wire.leave()
