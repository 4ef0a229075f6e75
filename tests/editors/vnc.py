"""Keys for a program of Qt, which then draws for VNC and needs no X server (RFC 6143)."""

import contextlib
import socket
import struct
import time

from .waiting import wait_until

BACKSPACE, RETURN, ESCAPE = 0xFF08, 0xFF0D, 0xFF1B  # X's keysyms
END, CONTROL = 0xFF57, 0xFFE3
_KEY_S = 0.02  # between keys; a program that is busy takes them in order all the same


def free_port() -> int:
    """Give a port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


class Keyboard:
    """The keyboard of whoever looks at a screen by VNC, from where it is connected on."""

    def __init__(self, port: int) -> None:
        """Connect; waits until the program draws."""
        wait_until(lambda: self._connect(port), "the program draws", every_s=0.1)
        version = self._read(12)
        self._socket.sendall(version)
        (security,) = struct.unpack(">I", self._read(4))
        assert (version, security) == (b"RFB 003.003\n", 1)  # no password, as Qt has it
        self._socket.sendall(b"\x01")  # others may look as well
        *_, name = struct.unpack(">HH16sI", self._read(24))
        self._read(name)

    def press(self, *keys: int) -> None:
        """Press keys together, the modifiers first."""
        for down, some in (1, keys), (0, reversed(keys)):
            for key in some:
                self._socket.sendall(struct.pack(">BBxxI", 4, down, key))
        time.sleep(_KEY_S)

    def type(self, text: str) -> None:
        """Type ASCII."""
        for character in text:
            self.press(RETURN if character == "\n" else ord(character))

    def close(self) -> None:
        self._socket.close()

    def _connect(self, port: int) -> bool:
        with contextlib.suppress(OSError):
            self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
            return True
        return False

    def _read(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            some = self._socket.recv(count - len(got))
            assert some, "the program ended"
            got += some
        return got
