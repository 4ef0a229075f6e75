"""How a connection begins and ends, byte by byte, on the real server around the fake engine."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Wire

pytestmark = pytest.mark.e2e

URI = "file:///a.py"
INITIALIZE = {"processId": None, "rootUri": None, "capabilities": {}}
CANARY = "hunter2_canary"


def error_code(answer: dict[str, Any]) -> int:
    return answer["error"]["code"]


def wait_for(wire: Wire, entry: str) -> list[str]:
    """Wait until the fake engine's journal has this entry."""
    return wire.request("fake/journal", {"wait_for": entry})["result"]


def test_initialize_advertises_what_the_server_does_and_loads_nothing(wire: Wire) -> None:
    capabilities = wire.request("initialize", INITIALIZE)["result"]["capabilities"]

    assert capabilities["inlineCompletionProvider"] == {}
    assert capabilities["textDocumentSync"]["change"] == 2
    assert capabilities["textDocumentSync"]["openClose"] is True
    assert capabilities["positionEncoding"] == "utf-16"
    modules = wire.request("fake/modules", {})["result"]
    assert "dgemma_ls.session" in modules
    assert "torch" not in modules
    wire.leave()


def test_the_model_is_loaded_on_the_engine_thread_after_initialized(wire: Wire) -> None:
    wire.initialize({"model": "m"})

    assert wait_for(wire, "load m on dgemma-engine") == ["load m on dgemma-engine"]
    wire.leave()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_the_clients_position_encoding_is_taken(wire: Wire, encoding: str) -> None:
    assert wire.initialize(encoding=encoding)["capabilities"]["positionEncoding"] == encoding
    wire.leave()


def test_a_request_before_initialize_is_refused_and_a_notification_ignored(wire: Wire) -> None:
    wire.open(URI, "x = \n")
    early = wire.start_inline(URI, 0, 4)

    assert error_code(wire.answer(early)) == -32002
    wire.initialize()
    assert wire.inline(URI, 0, 4) == []
    wire.leave()


def test_a_second_initialize_is_refused(wire: Wire) -> None:
    wire.initialize()

    assert error_code(wire.request("initialize", INITIALIZE)) == -32600
    wire.leave()


def test_after_shutdown_requests_are_refused(wire: Wire) -> None:
    wire.initialize()
    wire.request("shutdown")

    assert error_code(wire.request("shutdown")) == -32600
    assert error_code(wire.answer(wire.start_inline(URI, 0, 4))) == -32600
    wire.notify("exit")
    assert wire.wait_for_exit() == 0
    wire.check_trace()


def test_an_unknown_method_and_bad_params_are_answered_with_errors(wire: Wire) -> None:
    wire.initialize()

    assert error_code(wire.request("textDocument/nonsense", {})) == -32601
    assert error_code(wire.request("textDocument/inlineCompletion", {"position": "here"})) == -32602
    wire.notify("textDocument/nonsense", {})
    wire.leave()
    assert wire.notifications == []


def test_a_change_of_a_document_that_is_not_open_is_ignored_without_a_popup(wire: Wire) -> None:
    wire.initialize()
    change = {"range": None, "text": "x"}
    wire.notify(
        "textDocument/didChange",
        {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [{"text": "x"}]},
    )
    wire.notify(
        "textDocument/didChange", {"textDocument": {"uri": URI}, "contentChanges": [change]}
    )
    wire.notify("textDocument/didClose", {"textDocument": {"uri": URI}})

    wire.leave()
    assert wire.notifications == []


def test_bad_settings_are_told_one_by_one_and_the_server_lives(wire: Wire) -> None:
    wire.initialize({"n_candidates": 0, "deadline_ms": "soon", "model": "m"})
    wait_for(wire, "load m on dgemma-engine")
    wire.open(URI, "x = \n")
    assert [item["insertText"] for item in wire.inline(URI, 0, 4)] == ["value", "other"]

    told = [note["params"] for note in wire.notifications]
    assert [note["type"] for note in told] == [2, 2]
    assert told[0]["message"].startswith("n_candidates is 0, must be")
    assert told[1]["message"].startswith("deadline_ms is 'soon', must be")
    wire.leave()


def test_a_model_that_cannot_be_loaded_is_told_once(wire: Wire) -> None:
    wire.initialize({"model": "missing"})
    wire.open(URI, "x = \n")
    by_key = wire.answer(wire.start_inline(URI, 0, 4))
    automatic = [wire.answer(wire.start_inline(URI, 0, 4, kind=2)) for _ in range(3)]

    assert error_code(by_key) == -32803
    assert by_key["error"]["message"] == "missing is no model folder; choose another"
    assert [answer["result"]["items"] for answer in automatic] == [[], [], []]
    wire.leave()
    (told,) = wire.notifications
    assert told["method"] == "window/showMessage"
    assert told["params"]["message"] == "missing is no model folder; choose another"


def test_exit_without_shutdown_is_exit_code_1(wire: Wire) -> None:
    wire.initialize()
    wire.notify("exit")

    assert wire.wait_for_exit() == 1
    wire.check_trace()


@pytest.mark.parametrize("line", ["slow", "deaf"])
@pytest.mark.parametrize("way", ["exit", "end of input"])
def test_it_is_gone_within_two_seconds_even_in_the_middle_of_a_step(
    wire: Wire, line: str, way: str
) -> None:
    wire.initialize()
    wire.open(URI, f"{line} = \n")
    request = wire.start_inline(URI, 0, 7)
    wait_for(wire, f"start {line} = ")
    if way == "exit":
        assert wire.request("shutdown")["result"] is None
        wire.notify("exit")
    started = time.monotonic()
    wire.hang_up()

    assert wire.wait_for_exit() == (0 if way == "exit" else 1)
    assert time.monotonic() - started < 2.0
    if way == "exit":
        assert wire.answer(request)["result"]["items"] == []
    wire.check_trace()


@pytest.mark.parametrize("line", ["x", "slow", "deaf"])
def test_it_leaves_with_the_editor_although_its_input_stays_open(wire: Wire, line: str) -> None:
    editor = subprocess.Popen(["sleep", "600"])
    try:
        wire.initialize(process_id=editor.pid)
        wire.open(URI, f"{line} = \n")
        wire.start_inline(URI, 0, len(line) + 3)
        wait_for(wire, f"start {line} = ")
        started = time.monotonic()
    finally:
        editor.kill()
        editor.wait()

    assert wire.wait_for_exit() == 1
    assert time.monotonic() - started < 2.0


def test_an_editor_that_cannot_be_seen_from_here_is_served(wire: Wire) -> None:
    """As from inside a container, or over a network: its number says nothing here."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    wire.initialize(process_id=gone.pid)
    wire.open(URI, "x = \n")

    assert wire.inline(URI, 0, 4) != []
    wire.leave()


def test_an_interrupt_ends_it_although_its_input_stays_open(wire: Wire) -> None:
    wire.initialize()
    wire.open(URI, "deaf = \n")
    wire.start_inline(URI, 0, 7)
    wait_for(wire, "start deaf = ")
    started = time.monotonic()
    wire.process.send_signal(signal.SIGINT)

    assert wire.wait_for_exit() == 1
    assert time.monotonic() - started < 2.0


@pytest.mark.parametrize("place", ["stderr", "file"])
def test_no_document_text_is_logged_at_any_level(
    start_server: Callable[..., Wire], stderr_file: Path, tmp_path: Path, place: str
) -> None:
    log_file = tmp_path / "server.log"
    fake = str(Path(__file__).with_name("fake_server.py"))
    wire = start_server([sys.executable, fake, *([str(log_file)] if place == "file" else [])])
    wire.initialize()
    wire.open(URI, f"# {CANARY}\nboom = \n")
    failed = wire.answer(wire.start_inline(URI, 1, 7))
    wire.answer(wire.start_inline(URI, 1, 7, kind=2))
    wire.notify(
        "textDocument/didChange",
        {
            "textDocument": {"uri": URI, "version": 2},
            "contentChanges": [
                {
                    "range": {
                        "start": {"line": 1, "character": 0},
                        "end": {"line": 1, "character": 4},
                    },
                    "text": CANARY,
                }
            ],
        },
    )
    assert wire.inline(URI, 1, len(CANARY) + 3) != []
    # Messages that cannot be decoded: pygls logs them with their content.
    wire.start("textDocument/inlineCompletion", {"textDocument": {"text": CANARY}})
    wire.notify("textDocument/didChange", {"textDocument": CANARY, "contentChanges": CANARY})
    wire.notify("textDocument/didOpen", {"textDocument": {"text": CANARY}})
    wire.send_bytes(b"Content-Length: 16\r\n\r\n" + json.dumps(CANARY).encode())
    wire.start(f"textDocument/{CANARY}", {"text": CANARY})
    wire.leave()

    assert error_code(failed) == -32803
    assert failed["error"]["message"] == "The engine failed (ValueError); its log has the details."
    written = stderr_file.read_text() + (log_file.read_text() if place == "file" else "")
    assert CANARY not in written
    assert "a job failed" in written
    assert "ValueError" in written
    # What the fake engine prints goes to stderr, not into the protocol.
    assert "a line that must not reach the protocol" in stderr_file.read_text()


def test_lone_surrogates_and_odd_separators_do_no_harm(wire: Wire) -> None:
    wire.initialize()
    # A form feed ends no line, so the cursor is on line 1.
    wire.open(URI, 'a = "\ud83d"\f\u2028\nx = \n')

    assert wire.inline(URI, 1, 4)[0]["range"] == {
        "start": {"line": 1, "character": 4},
        "end": {"line": 1, "character": 4},
    }
    wire.leave()


def test_params_that_look_like_a_message_are_params(wire: Wire) -> None:
    """pygls takes every object with a ``jsonrpc`` in it for a message, however deep it lies."""
    wire.initialize({"jsonrpc": "2.0"})
    wire.open(URI, "x = \n")
    looks_like = {"jsonrpc": "2.0", "id": 1, "method": "exit"}

    answer = wire.answer(wire.start_inline(URI, 0, 4, more=[looks_like, {"jsonrpc": "2.0"}]))

    assert [item["insertText"] for item in answer["result"]["items"]] == ["value", "other"]
    wire.leave()
    (told,) = wire.notifications
    assert told["params"]["message"].startswith("jsonrpc: no such setting")


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"1",
        b"null",
        b"{",
        b"\xff\xfe",
        b"[" * 2000,
        b"{}",
        b'{"jsonrpc": "1.0", "method": "exit"}',
        b'{"jsonrpc": "2.0"}',
        b'{"jsonrpc": "2.0", "id": null, "result": null}',
        b'{"jsonrpc": "2.0", "id": [1], "method": "shutdown"}',
        b'{"jsonrpc": "2.0", "id": 77, "result": {"a": 1}}',
        b'{"jsonrpc": "2.0", "id": 77, "error": 3}',
        b'{"jsonrpc": "2.0", "method": 5}',
        b'{"jsonrpc": "2.0", "method": "$/cancelRequest"}',
        b'{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 99}}',
        b'{"jsonrpc": "2.0", "method": "$/setTrace", "params": {"value": "verbose"}}',
        b'{"jsonrpc": "2.0", "method": "workspace/didChangeWorkspaceFolders", "params": {}}',
    ],
)
def test_a_broken_message_changes_nothing(shared: Wire, body: bytes) -> None:
    told = len(shared.notifications)
    shared.open(URI, "x = \n")
    shared.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    assert [item["insertText"] for item in shared.inline(URI, 0, 4)] == ["value", "other"]
    assert len(shared.notifications) == told
