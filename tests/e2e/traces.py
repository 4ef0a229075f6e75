"""Golden traces: sessions as lsp-devtools saw them, one file per editor, and their replay.

A line of ``traces/NAME.jsonl`` is one message, ``{"from": "client" | "server", "message": …}``, in
the order in which they went over the wire. ``python3 -m tests.e2e.record_traces`` writes them.

Two sessions differ in what no client depends on: the server's own ids, its version, whether it
was quick enough to be spared a second question (``workspace/diagnostic/refresh``) or the report of
how far it is, and how its own messages interleave with answers. So ids are named by method and
number, and what the server sends is compared per stream: each answer by its request, each method
in its order.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .conftest import Wire
from .editor import Editor

TRACES = Path(__file__).with_name("traces")
Message = dict[str, Any]
Trace = list[tuple[str, Message]]

CODE = "file:///workspace/a.py"
NOTES = "file:///workspace/notes.md"
_REFRESH = "workspace/diagnostic/refresh"
_CRAB = 'crab = "\U0001f980"; '
_CALL = "call(alpha, 1)"
_PROSE = "The crab \U0001f980 will recieve the message when it is ready for it.\n"


def session(editor: Editor) -> None:
    """Use each group of features once; each step waits for the one before it."""
    wire = editor.wire
    editor.start(options={"completion": "auto"})
    for number in (1, 2):  # the model is there
        wire.message("$/progress", number=number)
    wire.message("workspace/configuration")
    editor.open(CODE, f"{_CRAB}{_CALL}\nx = \n")
    start, end = len(_CRAB), len(_CRAB) + len(_CALL)
    cursor = end + len("\nx = ")
    editor.suggestions(CODE, cursor)
    editor.replace(CODE, cursor, cursor, "val")
    editor.suggestions(CODE, cursor + 3)
    action = editor.actions(CODE, start, end, only=["refactor"])[0]
    wire.request("codeAction/resolve", action)
    editor.command("dgemma.rewrite", {"uri": CODE, "range": editor.span(CODE, start, end)})
    editor.open(NOTES, _PROSE, "markdown")
    editor.command("dgemma.fixDocument", {"uri": NOTES})  # then all is known at once
    editor.diagnostics(NOTES, at_least=1)
    for fix in editor.actions(NOTES, 0, len(_PROSE), only=["source.fixAll"]):
        if "edit" not in fix:
            wire.request("codeAction/resolve", fix)
    wire.notify("workspace/didChangeConfiguration", {"settings": {"dgemma": {"n_candidates": 1}}})
    wire.request("dgemma/status")
    wire.request("textDocument/nonsense", {})
    editor.close(NOTES)
    editor.close(CODE)
    wire.request("shutdown")
    wire.notify("exit")


def read(name: str) -> Trace:
    lines = (TRACES / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [(line["from"], line["message"]) for line in map(json.loads, lines)]


def write(name: str, trace: Trace) -> None:
    TRACES.mkdir(exist_ok=True)
    lines = [json.dumps({"from": side, "message": message}) for side, message in trace]
    (TRACES / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


def normalised(trace: Iterable[tuple[str, Message]]) -> Trace:
    """Name the server's ids by method and number, and leave its version out."""
    names: dict[Any, str] = {}
    numbers: Counter[str] = Counter()
    refreshes: set[Any] = set()
    found = []
    for side, given in trace:
        message = json.loads(json.dumps(given))
        if message.get("method") == _REFRESH or (
            "method" not in message and message["id"] in refreshes
        ):
            refreshes.add(message["id"])
            continue
        if message.get("method") == "$/progress" and message["params"]["value"]["kind"] == "report":
            continue
        if side == "server" and "method" in message and "id" in message:
            numbers[message["method"]] += 1
            names[message["id"]] = f"{message['method']}#{numbers[message['method']]}"
            message["id"] = names[message["id"]]
        elif side == "client" and "method" not in message:
            message["id"] = names.get(message["id"], message["id"])
        elif side == "server" and isinstance(message.get("result"), dict):
            message["result"].get("serverInfo", {}).pop("version", None)
        found.append((side, message))
    return found


def streams(trace: Trace) -> dict[str, list[Message]]:
    """Sort what the server sent: answers by request, the rest by method."""
    found: dict[str, list[Message]] = defaultdict(list)
    for side, message in trace:
        if side == "server":
            found[message.get("method") or f"answer {message['id']}"].append(message)
    return dict(found)


def replay(wire: Wire, golden: Trace) -> Trace:
    """Send what the client sent, each message once what came before it has come again.

    Returns:
        What went over the wire now, normalised.
    """
    wire.replies = {_REFRESH: lambda params: None}
    waited: Counter[str] = Counter()
    for side, message in golden:
        if side == "server":
            _wait(wire, message, waited)
        elif "method" in message:
            wire.send(_without_version(message))
        else:
            method, number = message["id"].split("#")
            theirs = wire.message(method, number=int(number))
            wire.send({**_without_version(message), "id": theirs["id"]})
    assert wire.wait_for_exit() == 0
    wire.check_trace()
    now = [("client" if side == "out" else "server", it) for side, it in wire.trace]
    return normalised(now)


def _wait(wire: Wire, message: Message, waited: Counter[str]) -> None:
    if "method" in message:
        waited[message["method"]] += 1
        wire.message(message["method"], number=waited[message["method"]])
    else:
        wire.answer(message["id"])


def _without_version(message: Message) -> Message:
    return {name: value for name, value in message.items() if name != "jsonrpc"}
