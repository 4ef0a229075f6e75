"""Where a filled text meets its surroundings: what tells a bad seam, as properties of a candidate.

A model that knows both sides still likes to say again what is there already: the beginning of the
suffix, the line above, a bracket that the suffix closes. Texts only; no tokens, no grammar.
"""

from dataclasses import dataclass

_LEAST_OVERLAP = 3
"""Characters of the suffix that count as said again; fewer are there by chance."""

_LEAST_LINE = 6
"""Characters of a line that are worth noticing when it comes twice; ``else:`` does."""

_NEARBY_CHARS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Seam:
    """How a text fits between its neighbours.

    Attributes:
        n_repeated: characters at its end with which the suffix begins.
        repeats_line: whether a line that it completes stands directly above or below.
    """

    n_repeated: int
    repeats_line: bool

    @property
    def is_clean(self) -> bool:
        """Whether nothing is said twice."""
        return not self.n_repeated and not self.repeats_line


def seam_of(text: str, prefix: str, suffix: str) -> Seam:
    """Look at both ends of a text for a gap."""
    return Seam(
        n_repeated=_n_repeated(text, suffix),
        repeats_line=_repeats_line(text, prefix[-_NEARBY_CHARS:], suffix[:_NEARBY_CHARS]),
    )


def _n_repeated(text: str, suffix: str) -> int:
    """The longest end of the text with which the suffix begins, blanks aside."""
    for n_chars in range(min(len(text), len(suffix)), _LEAST_OVERLAP - 1, -1):
        end = text[len(text) - n_chars :]
        if suffix.startswith(end) and len(end.strip()) >= _LEAST_OVERLAP:
            return n_chars
    return 0


def _repeats_line(text: str, prefix: str, suffix: str) -> bool:
    """Whether the first completed line equals the one above, or the last the one below."""
    before, after = _lines(prefix), _lines(suffix)
    whole = _lines(before[-1] + text + after[0])
    above = next((line for line in reversed(before[:-1]) if line.strip()), "")
    below = next((line for line in after[1:] if line.strip()), "")
    return _is_twice(whole[0], above) or _is_twice(whole[-1], below)


def _is_twice(line: str, other: str) -> bool:
    return line == other and len(line.strip()) >= _LEAST_LINE


def _lines(text: str) -> list[str]:
    """Lines as editors count them; at least one."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
