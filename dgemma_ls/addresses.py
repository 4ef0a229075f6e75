"""Where a server listens, as people write it. Knows no sockets."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

_PORTS = range(65_536)


class AddressError(Exception):
    """An address cannot be used; the message is one sentence with the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpAddress:
    """A host and a port; port 0 lets the system choose one."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it; names other than localhost are not looked up."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketPath:
    """A Unix socket."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


Address = TcpAddress | SocketPath


def parse_tcp(text: str) -> TcpAddress:
    """Read ``HOST:PORT``; an IPv6 host stands in brackets.

    Raises:
        AddressError: if it is something else.
    """
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]\s]+)):([0-9]{1,5})", text)
    if match is None or int(match[3]) not in _PORTS:
        raise AddressError(f"{text!r} is not HOST:PORT; write for example 127.0.0.1:7777")
    return TcpAddress(host=match[1] or match[2], port=int(match[3]))


def require_guard(address: TcpAddress, token: str | None) -> None:
    """Refuse an address that other machines can reach when there is no token.

    Raises:
        AddressError: in this case.
    """
    if token is None and not address.is_loopback:
        raise AddressError(
            f"other machines can reach {address}; add --token-file FILE, or use 127.0.0.1"
        )
