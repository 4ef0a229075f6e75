"""Brackets and quotes without a partner: what can be said of a text without a grammar."""

_OPENERS = b"([{"
_OPENER_OF = {ord(")"): ord("("), ord("]"): ord("["), ord("}"): ord("{")}
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"()[]{}")
_PAIRS = (b"()", b"[]", b"{}")


def count_unpaired(text: str) -> int:
    """Count the brackets without a partner, and one more if a double quote is left open.

    The fallback where no grammar helps. It takes brackets in strings and comments for code; as
    it serves to compare a text with its edited self, that rarely matters. Apostrophes are left
    out: prose and Rust are full of single ones.
    """
    return len(_unpaired(_without_pairs(text))) + text.count('"') % 2


def find_unpaired(text: str) -> tuple[int, ...]:
    """Give the offsets of the brackets without a partner within ``text``."""
    places = [n for n, char in enumerate(text) if char in "()[]{}"]
    return tuple(sorted(places[n] for n in _unpaired("".join(text[n] for n in places).encode())))


def _without_pairs(text: str) -> bytes:
    """Keep only the brackets, less those that close at once, again and again: C does the work."""
    brackets = text.encode("utf-8", "surrogatepass").translate(None, _NO_BRACKETS)
    n_before = -1
    while n_before != len(brackets):
        n_before = len(brackets)
        for pair in _PAIRS:
            brackets = brackets.replace(pair, b"")
    return brackets


def _unpaired(brackets: bytes) -> list[int]:
    """Give the indices of brackets without a partner; a closer that does not fit has none."""
    open_idxs: list[int] = []
    unpaired = []
    for idx, bracket in enumerate(brackets):
        if bracket in _OPENERS:
            open_idxs.append(idx)
        elif open_idxs and brackets[open_idxs[-1]] == _OPENER_OF[bracket]:
            open_idxs.pop()
        else:
            unpaired.append(idx)
    return [*unpaired, *open_idxs]
