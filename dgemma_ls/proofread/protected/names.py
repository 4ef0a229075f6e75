"""Names: capitalised words inside a sentence."""

import re
from collections.abc import Iterator

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;…]|[\"'“‘(\[*_|/>-]|\n\s*[-*+•#>|]+)[\s\"'“‘(\[*_]*$")
_ALWAYS_CAPITAL = frozenset({"I", "I'm", "I'd", "I've", "I'll"})


def names_in_sentences(text: str) -> Iterator[tuple[int, int]]:
    """Capitalised words that do not begin a sentence; titles in capitals are left to be read."""
    words = [word for word in _WORD.finditer(text) if word[0] not in _ALWAYS_CAPITAL]
    capitalised = [word for word in words if word[0][0].isupper()]
    if len(capitalised) * 2 > len(words) and len(words) > 1:
        return  # Title Case, where a capital says nothing
    last = ""
    for word in words:
        before = text[max(word.start() - 12, 0) : word.start()]
        # "The The" is a doubled word, not a name.
        named = word[0][0].isupper() and word[0] != last
        if named and not _SENTENCE_START.search(before):
            yield word.span()
        last = word[0]
