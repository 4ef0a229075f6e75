"""Checks the messages of a session, in their order: what LSP 3.18 says about all of them alike."""

from collections.abc import Iterable, Sequence
from typing import Any

Message = dict[str, Any]


def check_trace(
    trace: Iterable[tuple[str, Message]], *, unanswered: Sequence[int | str] = ()
) -> None:
    """Hold that each request was answered once, and that progress and the end are well-formed.

    Args:
        trace: ``("out", message)`` for what the client sent, ``("in", message)`` for the server.
        unanswered: ids of requests that the server had no chance to answer.
    """
    checker = _Checker()
    for direction, message in trace:
        if direction == "out":
            checker.sent(message)
        else:
            checker.received(message)
    left = set(checker.open) - set(unanswered)
    assert not left, f"not answered: {left}"


class _Checker:
    def __init__(self) -> None:
        self.open: dict[int | str, Message] = {}  # requests that wait for an answer
        self.asked: set[int | str] = set()
        self.theirs: dict[int | str, Message] = {}  # the server's requests
        self.created: dict[int | str, str] = {}  # work-done tokens -> last kind of progress
        self.is_shut_down = False
        self.has_left = False

    def sent(self, message: Message) -> None:
        self.has_left = self.has_left or message.get("method") == "exit"
        if "method" not in message:
            request = self.theirs.pop(message["id"], None)
            if request is not None and request["method"] == "window/workDoneProgress/create":
                refused = "error" in message
                self.created[request["params"]["token"]] = "refused" if refused else "created"
        elif "id" in message:
            self.asked.add(message["id"])
            self.open[message["id"]] = message

    def received(self, message: Message) -> None:
        assert message["jsonrpc"] == "2.0"
        if "method" not in message:
            self._answer(message)
            return
        assert not self.is_shut_down, f"{message['method']} after shutdown"
        assert not self.has_left, f"{message['method']} after exit"
        assert not {"result", "error"} & message.keys()
        assert isinstance(message.get("params", {}), dict | list)
        if "id" in message:
            assert message["id"] not in self.theirs, "an id is used twice"
            self.theirs[message["id"]] = message
        elif message["method"] == "$/progress":
            self._progress(message["params"]["token"], message["params"]["value"])

    def _answer(self, message: Message) -> None:
        number = message["id"]
        assert number in self.asked, f"an answer to {number!r}, which was never asked"
        assert number in self.open, f"{number!r} is answered twice"
        assert ("result" in message) != ("error" in message), f"{number!r}: result or error"
        if "error" in message:
            error = message["error"]
            assert isinstance(error["code"], int)
            assert isinstance(error["message"], str)
        if self.open.pop(number)["method"] == "shutdown" and "result" in message:
            self.is_shut_down = True

    def _progress(self, token: int | str, value: Any) -> None:
        params = [request.get("params") or {} for request in self.open.values()]
        if token in [one.get("partialResultToken") for one in params if isinstance(one, dict)]:
            return
        offered = [one.get("workDoneToken") for one in params if isinstance(one, dict)]
        last = self.created.get(token, "created" if token in offered else "unknown")
        allowed = {"created": {"begin"}, "begin": {"report", "end"}, "report": {"report", "end"}}
        assert value["kind"] in allowed.get(last, set()), f"{value['kind']} after {last}: {token!r}"
        self.created[token] = value["kind"]
