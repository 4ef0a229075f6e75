"""YAML, through libyaml's events: they nest without recursion and know where they stand."""

import re
from collections.abc import Hashable
from typing import Any

import yaml

from dgemma_engine.types import Span
from dgemma_ls.proofread.formats.types import Leaf, Structure, Style

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # C is not in every build
_STR = "tag:yaml.org,2002:str"
_STYLES = {
    None: Style.YAML_PLAIN,
    "": Style.YAML_PLAIN,
    "'": Style.YAML_SINGLE,
    '"': Style.YAML_DOUBLE,
    "|": Style.YAML_LITERAL,
    ">": Style.YAML_FOLDED,
}
# Numbers of YAML 1.2's core schema that the parser, which is of 1.1, takes for strings.
_NUMBER_1_2 = re.compile(r"0o[0-7]+|[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?")
# Deeper ones are refused: at 300 levels tree-sitter's YAML scanner writes past its buffer.
_MAX_DEPTH = 100
_LINE_END = re.compile(r"\r\n|\r|\n|$")


def read_yaml(text: str) -> Structure | None:
    """Read all documents of a stream; an alias without its anchor is refused."""
    reader = _Reader(text)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            reader.take(event)
    except (yaml.YAMLError, ValueError):  # ValueError: a lone surrogate
        return None
    if reader.is_broken:
        return None
    return Structure(skeleton=tuple(reader.skeleton), leaves=tuple(reader.leaves))


class _Reader:
    """Collects the skeleton; for each open mapping or sequence it knows whether a key is next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.skeleton: list[Hashable] = []
        self.leaves: list[Leaf] = []
        self.is_broken = False
        self._anchors: set[str] = set()
        self._resolver = yaml.resolver.Resolver()
        self._keys_next: list[bool | None] = []  # None in a sequence
        self._keys: list[str] = [""]

    def take(self, event: Any) -> None:
        name = type(event).__name__
        if isinstance(event, yaml.DocumentStartEvent):
            self._anchors = set()
            self.skeleton.append((name, event.version, str(event.tags)))
        elif isinstance(event, yaml.CollectionStartEvent):
            self._note_anchor(event)
            self.is_broken |= len(self._keys_next) >= _MAX_DEPTH
            self.skeleton.append((name, event.anchor, event.tag, bool(event.flow_style)))
            self._end_node(None)
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            self._keys_next.append(True if is_mapping else None)
            self._keys.append(self._keys[-1])
        elif isinstance(event, yaml.CollectionEndEvent):
            self.skeleton.append(name)
            self._keys_next.pop()
            self._keys.pop()
        elif isinstance(event, yaml.AliasEvent):
            self.is_broken |= event.anchor not in self._anchors
            self.skeleton.append((name, event.anchor))
            self._end_node(None)
        elif isinstance(event, yaml.ScalarEvent):
            self._note_anchor(event)
            self._take_scalar(event)

    def _take_scalar(self, event: Any) -> None:
        is_key = bool(self._keys_next) and self._keys_next[-1] is True
        tag = self._tag(event)
        if is_key or tag != _STR or event.tag is not None:
            self.skeleton.append((is_key, event.anchor, event.tag, tag, event.style, event.value))
        else:
            style = _STYLES[event.style]
            # libyaml takes a tab in a plain scalar, PyYAML's own reader does not: none may come.
            tab = style is Style.YAML_PLAIN and "\t" in event.value
            self.skeleton.append((style, event.anchor, tab))
            self.leaves.append(
                Leaf(
                    span=self._span(event, style),
                    style=style,
                    value=event.value,
                    key=self._keys[-1],
                )
            )
        self._end_node(event.value if is_key else None)

    def _tag(self, event: Any) -> str:
        if event.tag is not None:
            return str(event.tag)
        if event.style not in (None, ""):
            return _STR
        if _NUMBER_1_2.fullmatch(event.value):
            return "number"
        resolve: Any = self._resolver.resolve  # the stubs give it no type
        return str(resolve(yaml.ScalarNode, event.value, (True, False)))

    def _end_node(self, key: str | None) -> None:
        if self._keys_next and self._keys_next[-1] is not None:
            self._keys_next[-1] = not self._keys_next[-1]
        if key is not None:
            self._keys[-1] = key

    def _note_anchor(self, event: Any) -> None:
        if event.anchor is not None:
            self._anchors.add(event.anchor)

    def _span(self, event: Any, style: Style) -> Span:
        """Give what is between the quotes, or the lines below a block scalar's header."""
        start, end = event.start_mark.index, event.end_mark.index
        if style in (Style.YAML_SINGLE, Style.YAML_DOUBLE):
            return Span(start=start + 1, end=max(end - 1, start + 1))
        if style in (Style.YAML_LITERAL, Style.YAML_FOLDED):
            header = _LINE_END.search(self.text, start)
            start = end if header is None else min(header.end(), end)
        return Span(start=start, end=end)
