"""Inline markup of Markdown, reStructuredText, HTML and format strings."""

import re
from collections.abc import Iterator

_APOSTROPHE_CODE = re.compile(r"(?<![`\w])`[^`'\s]{1,80}'")  # `name', as GNU and TeX quote
_ROLE = re.compile(r":[\w:+.-]{1,40}:`[^`]*`|`[^`]*`:[\w:+.-]{1,40}:")
_REFERENCE = re.compile(
    r"\[[\w#*.^-]{1,40}\]_\b|\b[\w-]{1,80}__?(?![\w_])|\|[^|\s][^|\n]{0,80}\|_{0,2}"
)
_SHORTCODE = re.compile(r":[a-z0-9_+-]{2,40}:")
_JAVADOC = re.compile(r"\{@\w+[^{}]*\}|[@\\][a-zA-Z]\w*")
_RUSTDOC = re.compile(r"\[[\w:]*(?:::|\(\))[\w:]*\]")
_LINK_TARGET = re.compile(
    r"\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*|\]\[[^\]\n]*\]|^\s*\[[^\]\n]+\]:\s*\S+"
)
_PLACEHOLDER = re.compile(
    r"\{\{.{0,300}?\}\}|\{%.{0,300}?%\}|\$\{[^}\n]*\}|#\{[^}\n]*\}|\$\([^)\n]*\)"
    r"|\{[\w.\[\]!:,<>^+# -]{0,40}\}"
    r"|%(?:\(\w+\))?[-+#0]*(?:\d+|\*)?(?:\.\d+)?[hlLqjzt]{0,2}[diouxXeEfFgGcrsaqvpT@](?![a-zA-Z])"
    r"|%[A-Z_]{2,}%|\$[A-Za-z_]\w*|\$\d",
    re.DOTALL,
)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,300}>|<!--.*?-->", re.DOTALL)
_ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,31}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
_MATHS = re.compile(
    r"\$\$.+?\$\$|\$(?![\s\d])[^$\n]{1,200}?(?<![\s\\])\$(?!\d)|\\\(.+?\\\)|\\\[.+?\\\]", re.DOTALL
)


def inline_code(text: str) -> Iterator[tuple[int, int]]:
    """Code between backticks of equal number, over lines; `name' too."""
    yield from _backticked(text)
    for match in _APOSTROPHE_CODE.finditer(text):
        yield match.span()


def roles_and_references(text: str) -> Iterator[tuple[int, int]]:
    """``:role:`x```, ``name_``, ``[1]_``, ``|name|``, ``:emoji:``, ``{@link x}``, ``[a::b]``."""
    for pattern in (_ROLE, _REFERENCE, _SHORTCODE, _JAVADOC, _RUSTDOC):
        for match in pattern.finditer(text):
            yield match.span()


def link_targets(text: str) -> Iterator[tuple[int, int]]:
    """What follows the text of a Markdown link: ``](target`` and ``][label]``, definitions."""
    for match in _LINK_TARGET.finditer(text):
        yield match.span()


def placeholders(text: str) -> Iterator[tuple[int, int]]:
    """Format fields and template variables: ``%s``, ``{name}``, ``${x}``, ``{{ x }}``."""
    for match in _PLACEHOLDER.finditer(text):
        yield match.span()


def tags(text: str) -> Iterator[tuple[int, int]]:
    """Tags of HTML and XML, ``<placeholders>`` of usage texts, and comments."""
    for match in _TAG.finditer(text):
        yield match.span()


def entities(text: str) -> Iterator[tuple[int, int]]:
    """Character references: ``&nbsp;``, ``&#8211;``."""
    for match in _ENTITY.finditer(text):
        yield match.span()


def maths(text: str) -> Iterator[tuple[int, int]]:
    r"""Formulas between ``$``, ``$$``, ``\(`` and ``\[``."""
    for match in _MATHS.finditer(text):
        yield match.span()


def _backticked(text: str) -> Iterator[tuple[int, int]]:
    """Pair runs of backticks of equal length, as CommonMark does, in linear time."""
    runs = [match.span() for match in re.finditer(r"`+", text)]
    waiting: dict[int, list[int]] = {}
    for index, (start, end) in enumerate(runs):
        waiting.setdefault(end - start, []).append(index)
    position = 0
    while position < len(runs):
        start, end = runs[position]
        same = waiting[end - start]
        while same and same[0] <= position:
            same.pop(0)
        if same:
            partner = same.pop(0)
            close = runs[partner][1]
            while close < len(text) and text[close] == "_":  # a reference of reStructuredText
                close += 1
            yield start, close
            position = partner + 1
        else:
            position += 1
