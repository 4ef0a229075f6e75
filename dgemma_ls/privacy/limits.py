"""Which texts are too large or too odd to work on. Knows no files."""

from dgemma_ls.privacy.reasons import Reason, ReasonKind

MAX_DOCUMENT_CHARS = 10_000_000
"""Of an open document; as many as the command line takes bytes."""

LONG_LINE_CHARS = 5_000
"""No line that somebody writes is as long, and no window of context holds it."""


def why_unfit(name: str, text: str) -> Reason | None:
    """Say why a text is not worked on, or ``None``.

    Cheap enough for every request: four million characters take about a millisecond.

    Args:
        name: what to call the document in the sentence.
        text: the whole document.
    """
    if len(text) > MAX_DOCUMENT_CHARS:
        return Reason(
            kind=ReasonKind.TOO_LARGE,
            sentence=f"{name} has {len(text):,} characters, more than {MAX_DOCUMENT_CHARS:,};"
            " split it to get suggestions.",
        )
    if "\0" in text:
        return Reason(
            kind=ReasonKind.BINARY, sentence=f"{name} holds NUL characters, so it is no text."
        )
    if 2 * _chars_in_long_lines(text) > len(text):
        return Reason(
            kind=ReasonKind.LONG_LINES,
            sentence=f"{name} consists mostly of lines longer than {LONG_LINE_CHARS:,} characters,"
            " as minified files do; format it to get suggestions.",
        )
    return None


def _chars_in_long_lines(text: str) -> int:
    """Count the characters of long lines, going over the text in leaps as long as such a line."""
    n_chars = start = 0
    while (leap := start + LONG_LINE_CHARS) < len(text):
        last_end = max(text.rfind("\n", start, leap + 1), text.rfind("\r", start, leap + 1))
        if last_end < 0:
            ends = (text.find("\n", leap), text.find("\r", leap))
            last_end = min((end for end in ends if end >= 0), default=len(text))
            n_chars += last_end - start
        start = last_end + 1
    return n_chars
