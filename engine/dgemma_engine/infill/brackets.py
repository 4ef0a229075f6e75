"""Which closing brackets the gap owes: opened before it, and closed neither there nor after it.

Brackets in strings and comments are taken for code, as nothing here knows a grammar; so this only
guides a repair, whose result is parsed anyway.
"""

import re

_CHARS = 4_000
"""How far to look on either side."""

_BRACKET = re.compile(r"[()\[\]{}]")
_CLOSER_OF = {"(": ")", "[": "]", "{": "}"}


def closers_due(prefix: str, suffix: str) -> bytes | None:
    """Give the closers that the gap must hold, the last one to come first.

    Returns:
        ASCII brackets; ``None`` where those of both sides do not fit together.
    """
    open_before: list[str] = []
    for match in _BRACKET.finditer(prefix[-_CHARS:]):
        if closer := _CLOSER_OF.get(match[0]):
            open_before.append(closer)
        elif open_before and open_before[-1] == match[0]:
            open_before.pop()
    open_after: list[str] = []
    closed_after: list[str] = []
    for match in _BRACKET.finditer(suffix[:_CHARS]):
        if closer := _CLOSER_OF.get(match[0]):
            open_after.append(closer)
        elif not open_after:
            closed_after.append(match[0])
        elif open_after.pop() != match[0]:
            return None
    # The suffix closes the innermost of what the gap leaves open first.
    n_left_open = len(closed_after)
    if closed_after[::-1] != open_before[:n_left_open]:
        return None
    return "".join(open_before[n_left_open:]).encode("ascii")
