"""What a structured document consists of."""

import enum
from collections.abc import Hashable
from dataclasses import dataclass

from dgemma_engine.types import Span


class Style(enum.Enum):
    """How a leaf is written; it decides what is escaped, and how."""

    JSON = "json"
    YAML_PLAIN = "yaml_plain"
    YAML_SINGLE = "yaml_single"
    YAML_DOUBLE = "yaml_double"
    YAML_LITERAL = "yaml_literal"
    YAML_FOLDED = "yaml_folded"
    TOML_BASIC = "toml_basic"
    TOML_LITERAL = "toml_literal"
    TOML_LONG_BASIC = "toml_long_basic"
    TOML_LONG_LITERAL = "toml_long_literal"
    XML = "xml"
    XML_CDATA = "xml_cdata"
    HTML = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A text in a structured document.

    Attributes:
        span: how it is written, without quotes; code points of the document.
        style: in which style that is.
        value: what the parser makes of it.
        key: the nearest key or tag around it, empty when there is none.
    """

    span: Span
    style: Style
    value: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """A document that its parser accepts.

    Attributes:
        skeleton: all but the leaves' values, in an order that depends on the document alone: keys,
            types, numbers, tags, attributes, and where the leaves stand among them.
        leaves: in document order.
    """

    skeleton: tuple[Hashable, ...]
    leaves: tuple[Leaf, ...]
