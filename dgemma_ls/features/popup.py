"""What the editor's popup says about a suggestion. Pure; knows no protocol types."""

import difflib
import re

from dgemma_engine.types import Origin

_LABEL_CHARS = 60
_BACKTICKS = re.compile("`+")
_ORIGINS = {
    Origin.DENOISED: "Denoised by the model.",
    Origin.COPIED: "Copied from elsewhere in this document.",
    Origin.CONTINUED: "Continued by the model.",
    Origin.BRIDGED: "Continued by the model, ending as elsewhere in this document.",
}


def label(word: str, text: str) -> str:
    """Give one short line for a suggestion, with the begun word that it goes on with."""
    lines = (word + text).strip().splitlines() or [""]
    line = " ".join(lines[0].split())
    short = len(lines) == 1 and len(line) <= _LABEL_CHARS
    return line if short else line[: _LABEL_CHARS - 1] + "…"


def describe(before: str, after: str, origin: Origin) -> str:
    """Describe a suggestion in Markdown: the change as a diff, and where it comes from."""
    lines = [
        line
        for line in difflib.ndiff(before.splitlines(), after.splitlines())
        if not line.startswith("?")
    ]
    longest = max((len(run) for line in lines for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)  # CommonMark: longer than any run inside
    return "\n".join([f"{fence}diff", *lines, fence, "", _ORIGINS[origin]])
