"""Everything we send in a session, judged by VS Code's own protocol library and its types."""

import json
import os
import subprocess
from typing import Any

import pytest

from tests.oracles.fetched import ORACLES, node_with

from .conftest import FAKE_SERVER, server_environment
from .trace import check_trace

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ANYTHING = {"workspace/executeCommand"}  # may be answered with whatever the command gives


@pytest.fixture(scope="module")
def node() -> str:
    return node_with("typescript")


@pytest.fixture(scope="module")
def session(node: str) -> dict[str, Any]:
    done = subprocess.run(
        [node, ORACLES / "client.mjs", *FAKE_SERVER],
        env={**os.environ, **server_environment()},
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def complaints(node: str, messages: list[dict[str, Any]]) -> list[str]:
    done = subprocess.run(
        [node, ORACLES / "typecheck.mjs"],
        input=json.dumps(messages).encode(),
        capture_output=True,
        timeout=120,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def ours(session: dict[str, Any]) -> list[dict[str, Any]]:
    """What the server sent, each with the type that it must have."""
    asked: dict[Any, str] = {}
    messages = []
    for direction, message in session["trace"]:
        if direction == "out":
            if "method" in message and "id" in message:
                asked[message["id"]] = message["method"]
        elif message.get("method") == "$/progress":
            value = message["params"]["value"]
            messages.append({"method": "$/progress", "part": "progress", "value": value})
        elif "method" in message:
            params = message.get("params")
            messages.append({"method": message["method"], "part": "params", "value": params})
        elif "result" in message and asked[message["id"]] not in ANYTHING:
            method = asked[message["id"]]
            messages.append({"method": method, "part": "result", "value": message["result"]})
    return messages


def test_every_message_has_the_type_that_the_protocol_gives_it(
    node: str, session: dict[str, Any]
) -> None:
    messages = ours(session)

    kinds = {(message["method"], message["part"]) for message in messages}
    assert kinds >= {
        ("initialize", "result"),
        ("textDocument/inlineCompletion", "result"),
        ("textDocument/completion", "result"),
        ("textDocument/copilotInlineEdit", "result"),
        ("completionItem/resolve", "result"),
        ("workspace/configuration", "params"),
        ("client/registerCapability", "params"),
        ("window/workDoneProgress/create", "params"),
        ("window/showMessage", "params"),
        ("$/progress", "progress"),
        ("shutdown", "result"),
    }
    assert complaints(node, messages) == []


def test_a_wrong_message_would_be_seen(node: str) -> None:
    items = {"items": [{"insertText": "a", "isIncomplete": True}]}
    wrong = [
        {"method": "textDocument/inlineCompletion", "part": "result", "value": items},
        {"method": "window/showMessage", "part": "params", "value": {"type": 9, "message": ""}},
        {"method": "shutdown", "part": "result", "value": {}},
        {"method": "textDocument/copilotInlineEdit", "part": "result", "value": {"edits": [items]}},
        {"method": "no/such", "part": "params", "value": {}},
    ]

    assert len(complaints(node, wrong)) == len(wrong)


def test_the_session_goes_as_its_client_expects(session: dict[str, Any]) -> None:
    check_trace(session["trace"])
    assert session["code"] == 0
    assert session["partial"] == 2
    assert session["registered"] == [
        "workspace/didChangeConfiguration",
        "workspace/didChangeWatchedFiles",
    ]
    errors = [message["error"] for _, message in session["trace"] if "error" in message]
    assert [error["code"] for error in errors] == [-32601]  # the method that there is not
