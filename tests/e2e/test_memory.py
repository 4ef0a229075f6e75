"""No memory left, and a model that nobody needs, around the fake engine."""

import time
from collections.abc import Callable

import pytest

from .conftest import PATIENCE_S, Wire

pytestmark = pytest.mark.e2e

URI = "file:///a.py"


def status(wire: Wire) -> tuple[str, str]:
    result = wire.request("dgemma/status")["result"]
    return result["kind"], result["message"]


def loads(wire: Wire, wait_for: str) -> list[str]:
    journal = wire.request("fake/journal", {"wait_for": wait_for})["result"]
    return [entry for entry in journal if entry.startswith("load")]


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_where_the_gpu_is_full_the_cpu_answers_and_the_status_says_so(wire: Wire) -> None:
    wire.initialize({"device": "cuda"})
    wire.open(URI, "huge = \n")

    items = wire.inline(URI, 0, 7)

    assert [item["insertText"] for item in items] == ["value", "other"]
    kind, message = status(wire)
    assert kind == "Warning"
    assert "runs on the CPU now" in message
    assert len(loads(wire, "stable huge = ")) == 2
    wire.leave()


def test_where_nothing_has_memory_one_request_fails_and_the_server_lives(wire: Wire) -> None:
    wire.initialize({"device": "cuda"})
    wire.open(URI, "vast = \nx = \n")

    error = wire.answer(wire.start_inline(URI, 0, 7))["error"]

    assert error["code"] == -32803
    assert "cpu has no memory left" in error["message"]
    assert status(wire) == ("Warning", "cpu has no memory left")
    assert len(wire.inline(URI, 1, 4)) == 2
    assert "runs on the CPU" in status(wire)[1]
    wire.leave()


def test_a_model_that_nobody_needs_goes_and_comes_back(wire: Wire) -> None:
    wire.initialize({"unload_after_s": 1})
    wire.open(URI, "x = \ny = \n")
    assert len(wire.inline(URI, 0, 4)) == 2

    wait_until(lambda: status(wire)[1] == "Asleep until it is needed.")

    assert len(wire.inline(URI, 1, 4)) == 2
    assert len(loads(wire, "stable y = ")) == 2
    wire.leave()
