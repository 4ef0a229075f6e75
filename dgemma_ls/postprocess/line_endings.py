"""Write new text with the document's own line ends. Knows neither tokens nor protocol."""

import re
from collections import Counter

from dgemma_ls.types import Snapshot

_LINE_END = re.compile(r"\r\n|\n|\r")


def use_line_endings(text: str, snapshot: Snapshot) -> str:
    r"""Replace each line end by the document's most frequent one, ``\n`` if it has none."""
    if not _LINE_END.search(text):
        return text
    found = Counter(_LINE_END.findall(snapshot.text)).most_common(1)
    return _LINE_END.sub(found[0][0] if found else "\n", text)
