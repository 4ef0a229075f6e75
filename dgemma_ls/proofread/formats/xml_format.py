"""XML, through expat: no entity of the document's own, nothing from outside."""

from collections.abc import Callable, Hashable
from itertools import accumulate
from xml.parsers import expat

from dgemma_engine.types import Span
from dgemma_ls.proofread.formats.types import Leaf, Structure, Style


class _EntityDeclaredError(Exception):
    """A document that defines entities can mean anything, and be endless."""


def read_xml(text: str) -> Structure | None:
    """Read a document; one that declares entities is refused."""
    try:
        data = text.encode()
        reader = _Reader()
        reader.parse(data)
    except (expat.ExpatError, ValueError, _EntityDeclaredError):
        return None
    to_characters = _to_characters(text, data)
    leaves = tuple(
        Leaf(
            span=Span(start=to_characters(start), end=to_characters(end)),
            style=style,
            value=value,
            key=key,
        )
        for start, end, style, value, key in reader.texts
    )
    return Structure(skeleton=tuple(reader.skeleton), leaves=leaves)


class _Reader:
    """Collects events; a run of characters between two other events is one leaf."""

    def __init__(self) -> None:
        self.skeleton: list[Hashable] = []
        self.texts: list[tuple[int, int, Style, str, str]] = []
        self._tags: list[str] = [""]
        self._run: list[str] = []
        self._run_start = 0
        self._in_cdata = False
        # A string would be parsed as UTF-8 whatever the declaration says; so are these bytes.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.ordered_attributes = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.CommentHandler = lambda _: self._flush("comment")
        self._parser.ProcessingInstructionHandler = lambda *what: self._flush(("pi", *what))
        self._parser.StartCdataSectionHandler = self._start_cdata
        self._parser.EndCdataSectionHandler = self._end_cdata
        self._parser.XmlDeclHandler = lambda *what: self._flush(("declaration", *what))
        self._parser.StartDoctypeDeclHandler = lambda *what: self._flush(("doctype", *what))
        self._parser.EntityDeclHandler = self._entity
        self._parser.SkippedEntityHandler = lambda *what: self._entity()

    def parse(self, data: bytes) -> None:
        self._parser.Parse(data, True)

    def _flush(self, event: Hashable) -> None:
        if self._run:
            style = Style.XML_CDATA if self._in_cdata else Style.XML
            end = self._parser.CurrentByteIndex
            value = "".join(self._run)
            if value.strip():
                self.skeleton.append(style)
                self.texts.append((self._run_start, end, style, value, self._tags[-1]))
            self._run = []
        self.skeleton.append(event)

    def _start(self, tag: str, attributes: list[str]) -> None:
        self._flush((tag, *attributes))
        self._tags.append(tag)

    def _end(self, tag: str) -> None:
        self._flush(("end", tag))
        self._tags.pop()

    def _characters(self, data: str) -> None:
        if not self._run:
            self._run_start = self._parser.CurrentByteIndex
        self._run.append(data)

    def _start_cdata(self) -> None:
        self._flush("cdata")
        self._in_cdata = True

    def _end_cdata(self) -> None:
        self._flush("end of cdata")
        self._in_cdata = False

    def _entity(self, *_: object) -> None:
        raise _EntityDeclaredError


def _to_characters(text: str, data: bytes) -> Callable[[int], int]:
    if len(text) == len(data):
        return lambda byte: byte
    n_begun = [0, *accumulate(byte & 0xC0 != 0x80 for byte in data)]
    return lambda byte: n_begun[byte]
