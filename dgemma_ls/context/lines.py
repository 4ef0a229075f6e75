r"""Lines as editors count them, and as comments. Only ``\n``, ``\r\n`` and ``\r`` end a line."""

import re

_MAX_LINE_CHARS = 200  # of a line in a comment; more is data
_LINE_END = re.compile(r"\r\n|\r|\n")
# What some languages take for a line end, so that a comment would end there.
_OTHER_LINE_ENDS = re.compile("[\0\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


def split_lines(text: str) -> list[str]:
    """Split into lines without their ends; a last line end begins no new line."""
    lines = _LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]


def comment(marker: str, line: str) -> str:
    """Make one comment line of a line, with its line end."""
    shown = _OTHER_LINE_ENDS.sub(" ", line)[:_MAX_LINE_CHARS].rstrip()
    return f"{marker} {shown}".rstrip() + "\n"
