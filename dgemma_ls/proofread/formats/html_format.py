"""HTML, by the events of ``html.parser``: HTML has no wrong documents, only other ones."""

import html
from collections.abc import Hashable
from html.parser import HTMLParser
from itertools import accumulate

from dgemma_engine.types import Span
from dgemma_ls.proofread.formats.types import Leaf, Structure, Style

_NO_PROSE = frozenset({"script", "style", "pre", "code", "kbd", "samp", "textarea", "svg", "math"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
# What stands behind a comment or a tag without an end is read anew for each "<" of it.
_MAX_UNCLOSED = 5_000


def read_html(text: str) -> Structure | None:
    """Read a document, or a part of one; tags are taken as they come, closed or not."""
    reader = _Reader(text)
    try:
        reader.feed(text)
        if len(reader.rawdata) > _MAX_UNCLOSED:
            return None
        reader.close()
        reader.flush("end of text", len(text))
    except (AssertionError, ValueError):  # what the parser says to a broken declaration
        return None
    return Structure(skeleton=tuple(reader.skeleton), leaves=tuple(reader.leaves))


class _Reader(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.skeleton: list[Hashable] = []
        self.leaves: list[Leaf] = []
        self._text = text
        self._line_starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        self._run_start = -1
        self._tags: list[str] = []

    def flush(self, event: Hashable, end: int | None = None) -> None:
        end = self._offset() if end is None else end
        raw = self._text[self._run_start : end] if self._run_start >= 0 else ""
        if raw.strip():
            if _NO_PROSE.intersection(self._tags):
                self.skeleton.append(raw)
            else:
                self.skeleton.append(Style.HTML)
                self.leaves.append(
                    Leaf(
                        span=Span(start=self._run_start, end=end),
                        style=Style.HTML,
                        value=html.unescape(raw),
                        key=self._tags[-1] if self._tags else "",
                    )
                )
        self._run_start = -1
        self.skeleton.append(event)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.flush((tag, tuple(attrs)))
        if tag not in _VOID:
            self._tags.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.flush((tag, tuple(attrs), "/"))

    def handle_endtag(self, tag: str) -> None:
        self.flush(("end", tag))
        if tag in self._tags:
            del self._tags[len(self._tags) - 1 - self._tags[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        self._begin_run()

    def handle_entityref(self, name: str) -> None:
        self._begin_run()

    def handle_charref(self, name: str) -> None:
        self._begin_run()

    def handle_comment(self, data: str) -> None:
        self.flush("comment")

    def handle_decl(self, decl: str) -> None:
        self.flush(("declaration", decl))

    def handle_pi(self, data: str) -> None:
        self.flush(("pi", data))

    def unknown_decl(self, data: str) -> None:
        self.flush(("declaration", data))

    def _begin_run(self) -> None:
        if self._run_start < 0:
            self._run_start = self._offset()

    def _offset(self) -> int:
        line, column = self.getpos()
        return min(self._line_starts[line - 1] + column, len(self._text))
