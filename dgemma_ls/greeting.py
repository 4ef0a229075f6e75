r"""The line that ``attach`` and a shared server exchange before the editor's messages.

One JSON object in one line each way. An LSP message begins with a header, never with ``{``, so a
server can tell a greeting from an editor that talks to it directly. After an editor's last
message the server says in one more such line how the session ended. Knows no sockets.
"""

import hmac
import json
from collections.abc import Mapping

MAX_LINE_BYTES = 4096

_NAME = "dgemma-ls"


def is_greeting(line: bytes) -> bool:
    """Say whether a connection's first line is a greeting and not an editor's header."""
    return line.startswith(b"{")


def hello(version: str, token: str | None) -> bytes:
    """Make what a client says first."""
    return _line({_NAME: version} | ({} if token is None else {"token": token}))


def welcome(version: str, pid: int) -> bytes:
    """Make the answer of a server that goes on to speak LSP."""
    return _line({_NAME: version, "pid": pid})


def refusal(version: str, reason: str) -> bytes:
    """Make the answer of a server that hangs up."""
    return _line({_NAME: version, "refused": reason})


def goodbye(exit_code: int) -> bytes:
    """Make the last line: the exit code that a server of the editor's own would have had."""
    return _line({"exit": exit_code})


def read(line: bytes) -> Mapping[str, object] | None:
    """Read any of these lines; ``None`` if it is none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def version_of(message: Mapping[str, object]) -> str | None:
    """Give the sender's version, ``None`` if it is no program of ours."""
    version = message.get(_NAME)
    return version if isinstance(version, str) else None


def token_fits(message: Mapping[str, object], token: str | None) -> bool:
    """Compare in a time that does not tell how much of a guess was right."""
    if token is None:
        return True
    offered = message.get("token")
    return isinstance(offered, str) and hmac.compare_digest(offered.encode(), token.encode())


def _line(value: Mapping[str, object]) -> bytes:
    return json.dumps(value).encode() + b"\n"
