"""The server reaches for no network: Python itself reports every attempt."""

import sys
from collections.abc import Callable

import pytest

from .conftest import Wire
from .test_rewrite import ABLE, answer_edit, start_command

pytestmark = pytest.mark.e2e

_EVENTS = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind", "urllib.Request")
_WATCHED = f"""
import os, sys

def forbid(event, arguments):
    if event in {_EVENTS!r}:
        os.write(2, f"{{event}}\\n".encode())
        os._exit(70)

sys.addaudithook(forbid)
if sys.argv[1:] == ["try"]:
    import socket
    socket.getaddrinfo("localhost", 80)
from dgemma_ls.server import serve_stdio
sys.exit(serve_stdio())
"""


def test_with_the_embedded_model_nothing_is_looked_up_or_connected(
    start_server: Callable[..., Wire],
) -> None:
    wire = start_server([sys.executable, "-c", _WATCHED])
    wire.initialize(capabilities=ABLE)
    wire.open("file:///a.py", "def add(first, second):\n    return \n")
    wire.inline("file:///a.py", 1, 11)
    wire.open("file:///a.md", "You should recieve it now.\n", "markdown")
    number = start_command(wire, "dgemma.fixDocument", {"uri": "file:///a.md"})
    answer_edit(wire)
    assert wire.answer(number)["result"] is None
    wire.leave()


def test_an_attempt_would_be_seen(start_server: Callable[..., Wire]) -> None:
    assert start_server([sys.executable, "-c", _WATCHED, "try"]).wait_for_exit() == 70
