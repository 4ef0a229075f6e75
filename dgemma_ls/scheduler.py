"""Which request for a document counts, when it may start and when it must stop.

Pure policy: no thread, no timer, no engine. The clock is passed in, whoever asks does the
waiting. One feature has one newest request in a document; an older one is superseded the moment a
newer one is admitted, because an editor shows one suggestion at a time (Neovim never cancels by
itself).
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

from dgemma_ls.settings import Settings

_PAUSE_S = 1.0  # between two changes: from here on somebody thought, and did not type
_RHYTHM_WEIGHT = 0.3  # of the newest interval in the mean
_WAITED_INTERVALS = 1.5  # the next key is late then: the typist has probably paused


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A request's place.

    Attributes:
        number: rises with every request of the session.
        uri: the document.
        feature: what it is for; features do not supersede one another.
        invoked: whether somebody asked for it, not mere typing.
        start_s: the clock's reading before which it should not start.
        stop_s: the reading at which it stops with what it has; ``None`` for no limit.
    """

    number: int
    uri: str
    feature: str
    invoked: bool
    start_s: float
    stop_s: float | None


class Scheduler:
    """Hands out tickets; knows the newest one of each document and feature."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.configure(settings)
        self._clock = clock
        self._numbers = itertools.count(1)
        self._newest: dict[tuple[str, str], Ticket] = {}
        self._last_change_s: float | None = None
        self._interval_s: float | None = None  # mean time between two keys

    def configure(self, settings: Settings) -> None:
        """Take new settings; tickets that are out keep what they have."""
        self._debounce_s = settings.debounce_ms / 1000
        self._deadline_s = settings.deadline_ms / 1000

    def note_change(self) -> None:
        """Say that somebody typed: the rhythm decides how long the debounce is."""
        now_s, last_s = self._clock(), self._last_change_s
        self._last_change_s = now_s
        if last_s is None or now_s - last_s >= _PAUSE_S:
            return
        interval_s, mean_s = now_s - last_s, self._interval_s
        self._interval_s = (
            interval_s if mean_s is None else mean_s + _RHYTHM_WEIGHT * (interval_s - mean_s)
        )

    def admit(
        self, uri: str, *, feature: str = "inline", invoked: bool, engine_idle: bool = False
    ) -> tuple[Ticket, Ticket | None]:
        """Make a request the newest of its document and feature.

        One that was asked for starts at once and has no deadline: somebody waits for exactly
        that. An automatic one starts at once when nothing would have to be interrupted for it;
        else it gives the next key one and a half of the usual intervals to come, never more than
        ``debounce_ms``.

        Returns:
            The new ticket, and the one that it supersedes if that was not yet released.
        """
        now_s = self._clock()
        ticket = Ticket(
            number=next(self._numbers),
            uri=uri,
            feature=feature,
            invoked=invoked,
            start_s=now_s if invoked or engine_idle else now_s + self._wait_for_key_s(),
            stop_s=None if invoked else now_s + self._deadline_s,
        )
        older = self._newest.get((uri, feature))
        self._newest[uri, feature] = ticket
        return ticket, older

    def drop(self, uri: str) -> list[Ticket]:
        """Forget the newest requests of a document, as when its text changed, and give them."""
        return self._drop_where(lambda ticket: ticket.uri == uri)

    def drop_unseen(self, uri: str) -> list[Ticket]:
        """Forget automatic requests for documents other than the one that has the focus."""
        return self._drop_where(lambda ticket: ticket.uri != uri and not ticket.invoked)

    def release(self, ticket: Ticket) -> None:
        """Say that a request is answered; harmless when it is no longer the newest."""
        if self.is_newest(ticket):
            del self._newest[ticket.uri, ticket.feature]

    def is_newest(self, ticket: Ticket) -> bool:
        """Tell whether the request still counts."""
        return self._newest.get((ticket.uri, ticket.feature)) == ticket

    def wait_s(self, ticket: Ticket) -> float:
        """Give the seconds until it may start, 0 when it may."""
        return max(0.0, ticket.start_s - self._clock())

    def left_s(self, ticket: Ticket) -> float | None:
        """Give the seconds until it must stop, at least 0; ``None`` for no limit."""
        return None if ticket.stop_s is None else max(0.0, ticket.stop_s - self._clock())

    def _wait_for_key_s(self) -> float:
        if self._interval_s is None:
            return self._debounce_s
        return min(self._debounce_s, _WAITED_INTERVALS * self._interval_s)

    def _drop_where(self, condition: Callable[[Ticket], bool]) -> list[Ticket]:
        dropped = [ticket for ticket in self._newest.values() if condition(ticket)]
        for ticket in dropped:
            self.release(ticket)
        return dropped
