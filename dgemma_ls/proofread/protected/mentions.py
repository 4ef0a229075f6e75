"""Words that a text speaks about instead of using them."""

import re
from collections.abc import Iterator

from dgemma_ls.proofread.language import Language, judge_language

_QUOTED = re.compile(
    r"\"([^\"\n]{1,300})\"|“([^”\n]{1,300})”|«([^»\n]{1,300})»|„([^“”\n]{1,300})[“”]"
    r"|(?<!\w)'([^'\n]{1,300})'(?!\w)|(?<!\w)‘([^’\n]{1,300})’(?!\w)"
)


def quoted_mentions(text: str) -> Iterator[tuple[int, int]]:
    """A single word between quotes is mentioned, not used; so is what is quoted in no English."""
    for match in _QUOTED.finditer(text):
        quoted = next(group for group in match.groups() if group is not None)
        if len(quoted.split()) == 1 or judge_language(quoted) is Language.OTHER:
            yield match.span()
