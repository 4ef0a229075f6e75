"""Slots: gaps that take one kind of text only, an identifier, a number or the inside of a string.

What of that kind touches the gap on either side belongs to it: between ``na`` and ``_b`` the fill
makes one identifier with both. Nothing else of the document is looked at, so whether a slot is
there at all is for the caller to know.
"""

import re
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from dgemma_engine.errors import RequestError
from dgemma_engine.infill.automata import (
    Automaton,
    Between,
    Both,
    Identifier,
    Number,
    StringBody,
    Utf8,
)
from dgemma_engine.infill.constraints import TokenAutomaton
from dgemma_engine.infill.fill import FilledRow
from dgemma_engine.infill.healing import utf8
from dgemma_engine.infill.proposals import Earlier, Free, Proposal
from dgemma_engine.types import Slot, SlotKind, Span, SpanCheck

_NEARBY_CHARS = 256
"""Nothing longer is taken for one identifier or number."""

# The sign of an exponent belongs to the number; ``0xe-`` and ``f().e-`` end with a minus.
_DIGITS = r"\d(?:_?\d)*"
_NUMBER_BEFORE = re.compile(
    rf"(?:(?<![\w.])(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})[eE][+-])?[\w.]*\Z"
)
_NUMBER_AFTER = re.compile(r"[\w.]*?[eE][+-]\d[\w.]*|[\w.]*")
_RANGE = ".."
_BACKSLASHES = re.compile(r"\\*\Z")


class OpenSlot:
    """The slot of one request; remembers what it has read."""

    def __init__(
        self,
        slot: Slot,
        prefix: str,
        suffix: str,
        *,
        head: bytes = b"",
        token_bytes: Sequence[bytes] = (),
    ) -> None:
        """Look at both sides of the gap.

        Args:
            slot: what the gap takes.
            prefix: all text before the gap.
            suffix: all text after it.
            head: the end of the prefix with which spans of tokens begin.
            token_bytes: of the vocabulary.

        Raises:
            RequestError: what touches the gap before it is not the beginning of such a text.
        """
        self._kind = slot.kind
        automaton = _AUTOMATA[slot.kind](slot)
        before, after = (utf8(text) for text in touching(slot, prefix, suffix))
        self._texts = _between(automaton, before, after, b"", slot.kind)
        self.machine: TokenAutomaton[Any] = TokenAutomaton(
            _between(automaton, before, after, head, slot.kind), token_bytes
        )

    def takes(self, text: str) -> bool:
        """Say whether a text may stand in the gap."""
        state = self._texts.start
        for byte in utf8(text):
            if (following := self._texts.step(state, byte)) is None:
                return False
            state = following
        return self._texts.accepts(state)

    def may_go_on(self, ids: Sequence[int]) -> bool:
        """Say whether a span may begin with these tokens."""
        return self._read(ids) >= 0

    def fitting(self, proposals: Sequence[Proposal]) -> list[Proposal]:
        """Drop the proposals that the slot does not take.

        Of what was suggested before or written freely, the longest beginning that it does take is
        kept; a copy is told by what follows it, and the beginnings of paths are proposals anyway.
        """
        fitting: list[Proposal] = []
        for one in proposals:
            if isinstance(one, Earlier | Free):
                one = self._cut(one)
            # A canvas was searched for what the slot takes.
            if one.ids and (isinstance(one, FilledRow) or self._takes_ids(one.ids)):
                fitting.append(one)
        return fitting

    def checked(self, check: SpanCheck | None) -> SpanCheck:
        """Make a check of texts that refuses what the slot does not take, before it asks yours."""
        return _SlotCheck(self, check)

    def _cut(self, proposal: Earlier | Free) -> Earlier | Free:
        lengths = range(len(proposal.ids), 0, -1)
        n_taken = next((n for n in lengths if self._takes_ids(proposal.ids[:n])), 0)
        return type(proposal)(ids=proposal.ids[:n_taken])

    def _takes_ids(self, ids: Sequence[int]) -> bool:
        state = self._read(ids)
        return state >= 0 and self.machine.accepts(state)

    def _read(self, ids: Sequence[int]) -> int:
        state = self.machine.start
        for token in ids:
            if (state := self.machine.step(state, token)) < 0:
                break
        return state


def touching(slot: Slot, prefix: str, suffix: str) -> tuple[str, str]:
    """Give what on either side of the gap makes one text with the fill."""
    before, after = prefix[-_NEARBY_CHARS:], suffix[:_NEARBY_CHARS]
    match slot.kind:
        case SlotKind.IDENTIFIER:
            n_before = _n_name_chars(before[::-1], slot.extra)
            n_after = _n_name_chars(after, slot.extra)
            return before[len(before) - n_before :], after[:n_after]
        case SlotKind.NUMBER:
            return (
                _found(_NUMBER_BEFORE, before).rpartition(_RANGE)[2],
                _found(_NUMBER_AFTER, after).partition(_RANGE)[0],
            )
        case SlotKind.STRING:
            # What comes before is of no matter, but for a backslash that waits for its character.
            n_backslashes = len(_found(_BACKSLASHES, before))
            return "\\" * (n_backslashes % 2), ""


class _SlotCheck:
    def __init__(self, slot: OpenSlot, check: SpanCheck | None) -> None:
        self._slot, self._check = slot, check

    def bad_spans(self, text: str) -> tuple[Span, ...]:
        if not self._slot.takes(text):
            return (Span(start=0, end=len(text)),)
        return () if self._check is None else self._check.bad_spans(text)


_AUTOMATA: dict[SlotKind, Callable[[Slot], Automaton[Any]]] = {
    SlotKind.IDENTIFIER: lambda slot: Identifier(slot.extra),
    SlotKind.NUMBER: lambda slot: Number(),
    SlotKind.STRING: lambda slot: Both(Utf8(), StringBody(slot.quote.encode("ascii"))),
}


def _between(
    whole: Automaton[Any], before: bytes, after: bytes, head: bytes, kind: SlotKind
) -> Automaton[Any]:
    state: Hashable | None = whole.start
    for byte in before:
        if (state := whole.step(state, byte)) is None:
            raise RequestError(
                f"what stands before the gap is not the beginning of one {kind.value};"
                " ask for a fill of another kind"
            )
    return Between(whole, state, after, head)


def _n_name_chars(text: str, extra: str) -> int:
    """Count the characters of a name that a text begins with."""
    is_part = (char in extra or ("a" + char).isidentifier() for char in text)
    return next((n for n, part in enumerate(is_part) if not part), len(text))


def _found(pattern: re.Pattern[str], text: str) -> str:
    """What a pattern finds that always finds something."""
    match = pattern.search(text)
    return "" if match is None else match[0]
