"""Places in the texts of tests: ├ ┤ stand around what is selected, ║ is a cursor."""

from dgemma_engine.types import Span


def unmarked(marked: str) -> tuple[str, Span]:
    """Give a text without its marks, and the place that they name."""
    before, _, rest = marked.replace("║", "├┤").partition("├")
    selected, _, after = rest.partition("┤")
    start = len(before)
    return before + selected + after, Span(start=start, end=start + len(selected))
