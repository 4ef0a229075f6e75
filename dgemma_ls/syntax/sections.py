"""Which part of a long text an edit is judged in.

tree-sitter's time grows with the text: even a parse from an old tree visits every top-level
construct, and recovery from one mistake may read all that follows. A **section** is a run of whole
top-level constructs around a place. It parses alone as it does in its file, and has much the same
length in a file of 100,000 lines as in one of 1,000.

Constructs begin at lines that are not indented, but not every such line is a beginning: it may
stand in a comment or a string, or be the ``else`` of an ``if``. So some thousand characters of code
on either side of the place must parse by themselves, without one mistake, from the line where the
section begins and to the line where it ends. What lies between them is what someone types in; it
may not close what was opened before it, nor open what is closed behind it, such as a namespace
around code that is not indented, or an ``#if``: where it seems to, the text is not cut.
The one case in which this is wrong is code of that length that is commented out: it is then judged
as the code that it looks like.
"""

import re
from functools import lru_cache

from dgemma_engine.types import Span
from dgemma_ls.languages import Grammar, grammar_for
from dgemma_ls.syntax.trees import parse_anew

SHORT_TEXT = 16 << 10
"""Characters up to which a text is its own section."""
_MARGIN = 4 << 10
"""Characters on each side that must parse by themselves."""
_REACH = 32 << 10
"""Characters on each side within which a section must begin or end."""
_N_TRIES = 8

_LINES = re.compile(r"(?<=\n)(?=[^\s(){}\[\]])")
_PARAGRAPHS = re.compile(r"(?:(?<=\n\n)|(?<=\n\r\n))(?=[^\s(){}\[\]])")
_FRAMES = re.compile(r"[{}]|^[ \t]*#[ \t]*(?:if|endif|else|elif)", re.MULTILINE)


@lru_cache(maxsize=8)  # asked once per candidate
def section_around(language_id: str, text: str, span: Span) -> Span:
    """Give the section that stands for the text when ``span`` of it is edited.

    The whole text if that is short, has no grammar, or cannot be cut.
    """
    whole = Span(start=0, end=len(text))
    grammar = grammar_for(language_id)
    if len(text) <= SHORT_TEXT or grammar is None or not grammar.stand_alone:
        return whole
    # After an empty line a construct begins more often than not, so few lines have to be tried.
    for beginning in (_PARAGRAPHS, _LINES):
        before = _clean_before(grammar, text, span.start, beginning)
        behind = None if before is None else _clean_behind(grammar, text, span.end, beginning)
        if before is not None and behind is not None:
            between = text[before.end : behind.start]
            if grammar.indented or _keeps_frames(between):
                return Span(start=before.start, end=behind.end)
    return whole


def _clean_before(
    grammar: Grammar, text: str, offset: int, beginning: re.Pattern[str]
) -> Span | None:
    """Find whole constructs before a place; none at all where a text's first one is edited."""
    from_start = offset <= _REACH
    low = 0 if from_start else offset - _REACH
    places = [match.start() for match in beginning.finditer(text, low, offset)]
    if from_start:
        places.insert(0, 0)
    for last in reversed(places[-_N_TRIES:]):
        first = next((place for place in reversed(places) if place <= last - _MARGIN), None)
        if first is None:
            if not from_start:
                break
            first = 0
        if _is_clean(grammar, text[first:last]):
            return Span(start=first, end=last)
    return None


def _clean_behind(
    grammar: Grammar, text: str, offset: int, beginning: re.Pattern[str]
) -> Span | None:
    """Find whole constructs behind a place; none at all where a text's last one is edited."""
    to_end = len(text) - offset <= _REACH
    high = len(text) if to_end else offset + _REACH
    places = [match.start() for match in beginning.finditer(text, offset, high)]
    if to_end:
        places.append(len(text))
    for first in places[:_N_TRIES]:
        last = next((place for place in places if place >= first + _MARGIN), None)
        if last is None:
            if not to_end:
                break
            last = len(text)
        if _is_clean(grammar, text[first:last]):
            return Span(start=first, end=last)
    return None


def _keeps_frames(text: str) -> bool:
    """Tell whether braces and ``#if`` pair up, and none closes what it did not open."""
    depth = {"{": 0, "#": 0}
    for match in _FRAMES.finditer(text):
        mark = match[0].strip()
        kind = "#" if mark.startswith("#") else "{"
        if mark == "{" or mark.lstrip("# \t") == "if":
            depth[kind] += 1
        elif depth[kind] == 0:
            return False
        elif mark == "}" or mark.endswith("endif"):
            depth[kind] -= 1
    return not any(depth.values())


@lru_cache(maxsize=64)  # while someone types, the code around stays as it is
def _is_clean(grammar: Grammar, text: str) -> bool:
    return not parse_anew(grammar, text).tree.root_node.has_error
