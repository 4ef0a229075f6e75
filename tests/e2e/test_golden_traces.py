"""What the server said in recorded sessions, it says today."""

import pytest

from .conftest import ROOT, Wire
from .editor import NAMES, profile
from .trace import check_trace
from .traces import TRACES, read, replay, streams

pytestmark = pytest.mark.e2e

editors = pytest.mark.parametrize("name", NAMES)


@editors
def test_the_server_says_what_it_said_when_it_was_recorded(wire: Wire, name: str) -> None:
    golden = read(name)

    now = replay(wire, golden)

    then, today = streams(golden), streams(now)
    assert today.keys() == then.keys()
    for stream, messages in then.items():
        assert today[stream] == messages, f"{stream}; record_traces.py if that is meant"


@editors
def test_a_recorded_session_keeps_to_the_protocol(name: str) -> None:
    check_trace(("out" if side == "client" else "in", message) for side, message in read(name))


@editors
def test_a_recording_is_of_the_editor_that_is_declared_and_of_no_machine(name: str) -> None:
    golden = read(name)
    text = (TRACES / f"{name}.jsonl").read_text("utf-8")

    assert golden[0][1]["params"]["clientInfo"] == profile(name)["clientInfo"]
    assert golden[0][1]["params"]["capabilities"] == profile(name)["capabilities"]
    assert str(ROOT) not in text
    assert len(text) < 40_000


def test_another_answer_would_be_seen(wire: Wire) -> None:
    golden = read("helix")
    number = next(m["id"] for side, m in golden if m.get("method") == "textDocument/completion")
    for side, message in golden:
        if side == "server" and message.get("id") == number:
            message["result"]["items"].pop()

    now = replay(wire, golden)

    assert streams(now) != streams(golden)
