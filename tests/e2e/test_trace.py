"""The checker of traces finds what it is there for."""

from typing import Any

import pytest

from .trace import check_trace

ASK = ("out", {"id": 1, "method": "m", "params": {"partialResultToken": "p"}})
ANSWER = ("in", {"jsonrpc": "2.0", "id": 1, "result": None})
SHUTDOWN = [
    ("out", {"id": 2, "method": "shutdown"}),
    ("in", {"jsonrpc": "2.0", "id": 2, "result": None}),
]
CREATE = [
    (
        "in",
        {
            "jsonrpc": "2.0",
            "id": "a",
            "method": "window/workDoneProgress/create",
            "params": {"token": "t"},
        },
    ),
    ("out", {"id": "a", "result": None}),
]


def progress(token: str, value: Any) -> tuple[str, dict[str, Any]]:
    params = {"token": token, "value": value}
    return "in", {"jsonrpc": "2.0", "method": "$/progress", "params": params}


BEGIN, REPORT, END = (progress("t", {"kind": kind}) for kind in ("begin", "report", "end"))


@pytest.mark.parametrize(
    "trace",
    [
        [ASK, ANSWER],
        [ASK, progress("p", []), ANSWER, *SHUTDOWN],
        [*CREATE, BEGIN, REPORT, REPORT, END],
        [ASK, *SHUTDOWN, ANSWER],  # what is open may still be answered
    ],
)
def test_good_traces_pass(trace: list[Any]) -> None:
    check_trace(trace)


@pytest.mark.parametrize(
    ("trace", "complaint"),
    [
        ([ASK], "not answered"),
        ([ANSWER], "never asked"),
        ([ASK, ANSWER, ANSWER], "answered twice"),
        ([ASK, ("in", {"jsonrpc": "2.0", "id": 1})], "result or error"),
        ([ASK, ("in", {"jsonrpc": "2.0", "id": 1, "result": 1, "error": {}})], "result or error"),
        ([ASK, ANSWER, progress("p", [])], "kind|indices"),
        ([BEGIN], "begin after unknown"),
        ([*CREATE, REPORT], "report after created"),
        ([*CREATE, BEGIN, END, REPORT], "report after end"),
        ([CREATE[0], CREATE[0]], "used twice"),
        ([CREATE[0], ("out", {"id": "a", "error": {}}), BEGIN], "begin after refused"),
        ([*SHUTDOWN, BEGIN], "after shutdown"),
        ([("out", {"method": "exit"}), BEGIN], "after exit"),
    ],
)
def test_bad_traces_do_not(trace: list[Any], complaint: str) -> None:
    with pytest.raises((AssertionError, TypeError), match=complaint):
        check_trace(trace)
