"""Where the text before a gap is cut: not in the middle of a token. Pure; no torch.

*Token healing*: text cut in the middle of a token is tokenised as it never was in training. So the
cut before the span moves to a safe boundary: the word, space or punctuation begun there becomes
part of the span, whose first token must begin with it. Bytes outside the span are never taken from
the model: the plan remembers how much of the filled text is known (its *head*). Punctuation is more
often complete than not, and a word may be: a canvas that clamps it as it is has one token less to
guess. So punctuation is given, a space is healed, and of a word both are tried.

After the span nothing is moved: a word that goes on there would have to be filled again, which
costs more right answers than it brings; instead the judge reads every candidate tokenised together
with what follows.
"""

import re

from dgemma_engine.infill.settings import InfillSettings
from dgemma_engine.tokenizer import Tokenizer

_LONGEST_WORD = 64  # characters; a longer run of letters is no word that could be completed

# What a token may be the beginning of: a word with the space or underscores before it, the space
# alone (a space belongs to the word after it), or punctuation (``(`` may become ``("``).
_OPEN_TOKEN = re.compile(r" ?_*[^\W\d_]+\Z| ?_+\Z|(?<=\S) \Z| ?[^\w\s]{1,8}\Z")


def cut(prefix: str, tokenizer: Tokenizer, settings: InfillSettings) -> tuple[str, str]:
    """Cut the prefix as :func:`heal` does, or where it ends if the settings want no healing."""
    return heal(prefix, tokenizer) if settings.heals else (prefix, "")


def heal(prefix: str, tokenizer: Tokenizer) -> tuple[str, str]:
    """Move the cut before the span to where tokens naturally end.

    Returns:
        What is left of the prefix, and what was begun before the span: no more than one token can
        begin with. A word of several tokens, half typed, leaves only the last of them to the span.
    """
    # No token is as long as this, and a search through a megabyte of letters would take minutes.
    nearby = prefix[-_LONGEST_WORD:]
    match = _OPEN_TOKEN.search(nearby)
    head = "" if match is None or match.start() == 0 < len(prefix) - len(nearby) else match[0]
    if head and not tokenizer.has_token_starting_with(utf8(head)):
        last = tokenizer.decode(tokenizer.encode(head)[-1:])
        head = last if head.endswith(last) else ""  # half a character: nothing can be healed
    return prefix[: len(prefix) - len(head)], head


def beginnings(head: str, tokenizer: Tokenizer) -> list[tuple[tuple[int, ...], bytes]]:
    """Say how the span may begin after what was begun before it, the likeliest first.

    Returns:
        Pairs of tokens to clamp before the span, and bytes with which its first token must begin.
    """
    healed: list[tuple[tuple[int, ...], bytes]] = [((), utf8(head))]
    if not head or head.isspace():
        return healed
    as_it_is = [(tuple(tokenizer.encode(head)), b"")]
    return as_it_is + healed if any(char.isalnum() for char in head) else as_it_is


def span_tokens(prefix: str, text: str, tokenizer: Tokenizer, *, heals: bool = True) -> int:
    """Count the tokens that a span needs to hold ``text``, what was begun before it included."""
    head = heal(prefix, tokenizer)[1] if heals else ""
    return len(tokenizer.encode(head + text))


def utf8(text: str) -> bytes:
    """Encode a text as editors have it: half a surrogate pair is kept as it is."""
    return text.encode("utf-8", "surrogatepass")
