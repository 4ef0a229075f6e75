"""Keeps the surprising words of open programs known: what ``checking.py`` does, for them."""

from dataclasses import replace

from dgemma_ls.checking import Checking
from dgemma_ls.edits import Replacement, carry_span
from dgemma_ls.features.surprise import Doubt, is_program
from dgemma_ls.features.surprise_check import StretchCache, SurpriseLook
from dgemma_ls.session import Session
from dgemma_ls.types import Snapshot

PAUSE_S = 0.6
"""Without a change, before a document is looked at again; later than for typos."""


class Surprises(Checking[Doubt]):
    """Everything about surprising words that lasts longer than a request.

    What is found in a document comes with the most surprising first, once all of it is known.

    Args:
        session: the connection.
    """

    name = "surprises"

    def __init__(self, session: Session) -> None:
        super().__init__(session, pause_s=PAUSE_S)
        self._cache = StretchCache()

    def _is_wanted(self, snapshot: Snapshot) -> bool:
        return (
            self._session.settings.surprise == "on"
            and is_program(snapshot.language_id)
            and self._session.look(snapshot.uri) is not None
        )

    async def _begin(self, snapshot: Snapshot) -> SurpriseLook:
        return SurpriseLook(snapshot, self._cache)

    def _carry(self, item: Doubt, change: Replacement) -> Doubt | None:
        span = carry_span(item.span, [change])
        return None if span is None else replace(item, span=span)
