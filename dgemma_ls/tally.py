"""Counts how suggestions fare, for a user who named a file to count in: the timer around it.

What to count is :mod:`dgemma_ls.statistics`' business. Belongs to the event loop; the file is
written elsewhere, as others may hold it.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from dgemma_ls.statistics import KEPT_AFTER_S, Statistics
from dgemma_ls.types import Snapshot

_MAX_IDS = 512  # an item that old is not shown any more


class Tally:
    """Counts each suggestion once: when it is seen, and when the first of it is taken over.

    Args:
        path: the file.
        document: gives an open document by its URI.
        clock: seconds.
    """

    def __init__(
        self,
        path: Path,
        document: Callable[[str], Snapshot | None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._statistics = Statistics(path, clock=clock)
        self._document = document
        self._counted: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def shown(self, item_id: str, uri: str) -> None:
        """Count that somebody saw an item."""
        if (document := self._document(uri)) is not None and self._is_new("shown", item_id):
            self._statistics.shown(document.language_id)
            self._wait()

    def accepted(self, item_id: str, uri: str, text: str) -> None:
        """Count that somebody took an item.

        Args:
            item_id: names it.
            uri: its document.
            text: as much of it as was taken.
        """
        document = self._document(uri)
        if document is not None and text and self._is_new("accepted", item_id):
            self._statistics.accepted(uri, document.language_id, text)
            self._wait()

    def check(self) -> None:
        """Look whether what was taken is still there, where it is time to."""
        self._statistics.check(self._text_of)

    def close(self) -> None:
        """Write what is not written; what is not 30 seconds old counts as neither."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self.check()
            self._statistics.save()

    def _is_new(self, what: str, item_id: str) -> bool:
        if (what, item_id) in self._counted:
            return False
        self._counted[what, item_id] = None
        if len(self._counted) > _MAX_IDS:
            self._counted.popitem(last=False)
        return True

    def _wait(self) -> None:
        if self._timer is None:
            due_s = self._statistics.next_check_s()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(KEPT_AFTER_S if due_s is None else due_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.check()
        asyncio.get_running_loop().run_in_executor(None, self._statistics.save)
        if self._statistics.next_check_s() is not None:
            self._wait()

    def _text_of(self, uri: str) -> str | None:
        document = self._document(uri)
        return None if document is None else document.text
