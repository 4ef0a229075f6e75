"""Which request for a document counts, when it may start and when it must stop.

Pure policy: no thread, no timer, no engine. The clock is passed in, whoever asks does the
waiting. One document has one newest request; an older one is superseded the moment a newer one
is admitted, because an editor shows one suggestion at a time (Neovim never cancels by itself).
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

from dgemma_ls.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A request's place.

    Attributes:
        number: rises with every request of the session.
        uri: the document.
        invoked: whether a key asked for it, not mere typing.
        start_s: the clock's reading before which it should not start.
        stop_s: the reading at which it stops with what it has; ``None`` for no limit.
    """

    number: int
    uri: str
    invoked: bool
    start_s: float
    stop_s: float | None


class Scheduler:
    """Hands out tickets; knows the newest one of each document."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._debounce_s = settings.debounce_ms / 1000
        self._deadline_s = settings.deadline_ms / 1000
        self._clock = clock
        self._numbers = itertools.count(1)
        self._newest: dict[str, Ticket] = {}

    def admit(self, uri: str, *, invoked: bool) -> tuple[Ticket, Ticket | None]:
        """Make a request the newest of its document.

        A request by key starts at once and has no deadline: somebody waits for exactly that.

        Returns:
            The new ticket, and the one that it supersedes if that was not yet released.
        """
        now_s = self._clock()
        ticket = Ticket(
            number=next(self._numbers),
            uri=uri,
            invoked=invoked,
            start_s=now_s if invoked else now_s + self._debounce_s,
            stop_s=None if invoked else now_s + self._deadline_s,
        )
        older = self._newest.get(uri)
        self._newest[uri] = ticket
        return ticket, older

    def drop(self, uri: str) -> Ticket | None:
        """Forget the newest request of a document, as when its text changed; give it if any."""
        return self._newest.pop(uri, None)

    def release(self, ticket: Ticket) -> None:
        """Say that a request is answered; harmless when it is no longer the newest."""
        if self.is_newest(ticket):
            del self._newest[ticket.uri]

    def is_newest(self, ticket: Ticket) -> bool:
        """Tell whether the request still counts."""
        return self._newest.get(ticket.uri) == ticket

    def wait_s(self, ticket: Ticket) -> float:
        """Give the seconds until it may start, 0 when it may."""
        return max(0.0, ticket.start_s - self._clock())

    def left_s(self, ticket: Ticket) -> float | None:
        """Give the seconds until it must stop, at least 0; ``None`` for no limit."""
        return None if ticket.stop_s is None else max(0.0, ticket.stop_s - self._clock())
