"""What the server advertises, so that tests of what is not built yet say so when they skip."""

import functools
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .server_commands import ROOT, SCRIPTED_SERVER


@functools.cache
def capabilities() -> dict[str, Any]:
    """Ask a server once, as an editor without ghost text."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "engine")])
    params = {"processId": None, "rootUri": None, "capabilities": {}}
    messages = (
        {"id": 1, "method": "initialize", "params": params},
        {"method": "initialized", "params": {}},
        {"id": 2, "method": "shutdown"},
        {"method": "exit"},
    )
    bodies = [json.dumps({"jsonrpc": "2.0", **message}).encode() for message in messages]
    done = subprocess.run(
        SCRIPTED_SERVER,
        input=b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": paths},
        cwd=Path(ROOT),
        timeout=60,
    )
    answer, _ = json.JSONDecoder().raw_decode(done.stdout.decode().partition("\r\n\r\n")[2])
    result: dict[str, Any] = answer["result"]["capabilities"]
    return result


def need_capability(name: str) -> None:
    """Skip a test of what the server does not advertise."""
    if not capabilities().get(name):
        pytest.skip(f"the server does not advertise {name} yet")


def need_command(name: str) -> None:
    """Skip a test of a command that the server does not advertise."""
    provider = capabilities().get("executeCommandProvider") or {}
    if name not in provider.get("commands", []):
        pytest.skip(f"the server does not advertise the command {name} yet")
