"""How a leaf's text is written in each style: raw text ↔ decoded text, piece by piece.

Decoding is checked by the caller against what the real parser says, encoding by reading the edited
document again; so a style's oddities that are not known here lead to a refusal, to no wrong edit.
"""

import html
import json
import re
from dataclasses import dataclass

from dgemma_ls.proofread.formats.types import Style

_JSON_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\."
)
_YAML_ESCAPE = re.compile(
    r"\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\[ \t]*(?:\r\n|\r|\n)[ \t]*|\\."
)
_TOML_ESCAPE = re.compile(
    r"\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|\\[ \t]*(?:\r\n|\n)\s*|\\."
)
_FOLD = re.compile(r"[ \t]*(?:(?:\r\n|\r|\n)[ \t]*)+")
_DOUBLED = re.compile("''")
_XML_REFERENCE = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|\w+);")
_HTML_REFERENCE = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);?")
_CRLF = re.compile(r"\r\n?")
_SHORT = dict(
    zip('btnfr"\\/0aevN_LP ', '\b\t\n\f\r"\\/\0\a\x1b\x0b\x85\xa0\u2028\u2029 ', strict=True)
)
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]"
)
_LINE_ENDS = "\n\r\x85\u2028\u2029"


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """The smallest part of a leaf: as it is written, and what it means."""

    raw: str
    value: str


def split_atoms(style: Style, raw: str, value: str) -> list[Atom] | None:
    """Split a leaf's text.

    Args:
        style: how it is written.
        raw: what stands between the quotes.
        value: what the parser makes of it.

    Returns:
        Atoms whose raws make up ``raw`` and whose values make up ``value``, or ``None`` if this
        text is written in a way that is not known here.
    """
    if style in (Style.YAML_LITERAL, Style.YAML_FOLDED):
        atoms = _block_atoms(raw, value, folded=style is Style.YAML_FOLDED)
    else:
        atoms = _flow_atoms(style, raw)
    return _joined(atoms) if "".join(atom.value for atom in atoms) == value else None


def encode(style: Style, text: str, raw: str) -> str | None:
    """Write a text in a style.

    Args:
        style: how the leaf is written.
        text: plain text.
        raw: the leaf as it is, whose habits are kept: escapes for what is not ASCII, line ends.

    Returns:
        What stands for the text, or ``None`` if the style cannot say it.
    """
    if style in (Style.JSON, Style.TOML_BASIC, Style.TOML_LONG_BASIC, Style.YAML_DOUBLE):
        return _escaped(style, text, raw)
    if _CONTROL.search(text):
        return None
    if style in (Style.XML, Style.HTML):
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("\r", "&#13;")
        # XML takes a bare ">"; so does HTML, but not the grammar for it.
        named = style is Style.HTML or "&gt;" in raw or "]]>" in text
        return escaped.replace(">", "&gt;") if named else escaped
    if style is Style.XML_CDATA:
        return None if "]]>" in text else text
    if style is Style.YAML_LITERAL:
        indent = re.match(r"[ ]*", raw)
        prefix = "" if indent is None else indent[0]
        return None if "\r" in text else text.replace("\n", _line_end(raw) + prefix)
    if style is Style.TOML_LONG_LITERAL:
        return None if "'''" in text or "\r" in text else text.replace("\n", _line_end(raw))
    if any(line_end in text for line_end in _LINE_ENDS):
        return None
    if style is Style.YAML_PLAIN and "\t" in text:
        return None  # libyaml takes it, PyYAML's own scanner does not
    if style is Style.TOML_LITERAL:
        return None if "'" in text else text
    return text.replace("'", "''") if style is Style.YAML_SINGLE else text


def _joined(atoms: list[Atom]) -> list[Atom]:
    """Join an indentation to the line end before it: they stay or go together."""
    joined: list[Atom] = []
    for atom in atoms:
        if joined and not atom.value and joined[-1].raw.endswith(("\n", "\r")):
            joined[-1] = Atom(raw=joined[-1].raw + atom.raw, value=joined[-1].value)
        else:
            joined.append(atom)
    return joined


def _escaped(style: Style, text: str, raw: str) -> str:
    ascii_only = raw.isascii() and re.search(r"\\[uUx][0-9a-fA-F]", raw) is not None
    pieces = []
    for character in text:
        if character in '"\\':
            pieces.append("\\" + character)
        elif character == "\n" and style is Style.TOML_LONG_BASIC:
            pieces.append(_line_end(raw))
        elif character in "\n\t\r":
            pieces.append({"\n": "\\n", "\t": "\\t", "\r": "\\r"}[character])
        elif not _needs_escape(character, ascii_only=ascii_only):
            pieces.append(character)
        elif style is Style.JSON:
            pieces.append(json.dumps(character)[1:-1])
        else:
            code = ord(character)
            pieces.append(f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")
    return "".join(pieces)


def _needs_escape(character: str, *, ascii_only: bool) -> bool:
    if character.isascii():
        return not character.isprintable()
    return ascii_only or character in _LINE_ENDS or _CONTROL.match(character) is not None


def _line_end(raw: str) -> str:
    return "\r\n" if "\r\n" in raw else "\n"


def _flow_atoms(style: Style, raw: str) -> list[Atom]:
    atoms: list[Atom] = []
    position = 0
    first = re.match(r"\r?\n", raw)
    if style in (Style.TOML_LONG_BASIC, Style.TOML_LONG_LITERAL) and first is not None:
        atoms.append(Atom(raw=first[0], value=""))
        position = first.end()
    while position < len(raw):
        atom = _atom_at(style, raw, position)
        atoms.append(atom)
        position += len(atom.raw)
    return atoms


def _atom_at(style: Style, raw: str, position: int) -> Atom:
    for pattern, decode in _PIECES[style]:
        found = pattern.match(raw, position)
        if found is not None and found[0]:
            value = decode(found[0])
            if value is not None:
                return Atom(raw=found[0], value=value)
    return Atom(raw=raw[position], value=raw[position])


def _json_value(escape: str) -> str | None:
    try:
        return str(json.loads(f'"{escape}"'))
    except ValueError:
        return None


def _escape_value(escape: str) -> str | None:
    """Decode an escape of YAML or TOML."""
    if escape[1] in "xuU" and len(escape) > 2:
        code = int(escape[2:], 16)
        return chr(code) if code <= 0x10FFFF else None
    if "\n" in escape or "\r" in escape:
        return ""
    return _SHORT.get(escape[1])


def _folded(white: str) -> str | None:
    n_line_ends = white.replace("\r\n", "\n").replace("\r", "\n").count("\n")
    if not n_line_ends:
        return None
    return " " if n_line_ends == 1 else "\n" * (n_line_ends - 1)


_PIECES = {
    Style.JSON: ((_JSON_ESCAPE, _json_value),),
    Style.YAML_DOUBLE: ((_YAML_ESCAPE, _escape_value), (_FOLD, _folded)),
    Style.YAML_SINGLE: ((_DOUBLED, lambda _: "'"), (_FOLD, _folded)),
    Style.YAML_PLAIN: ((_FOLD, _folded),),
    Style.TOML_BASIC: ((_TOML_ESCAPE, _escape_value),),
    Style.TOML_LONG_BASIC: ((_TOML_ESCAPE, _escape_value), (_CRLF, lambda _: "\n")),
    Style.TOML_LITERAL: (),
    Style.TOML_LONG_LITERAL: ((_CRLF, lambda _: "\n"),),
    Style.XML: ((_XML_REFERENCE, html.unescape), (_CRLF, lambda _: "\n")),
    Style.XML_CDATA: ((_CRLF, lambda _: "\n"),),
    Style.HTML: ((_HTML_REFERENCE, html.unescape),),
}


def _block_atoms(raw: str, value: str, *, folded: bool) -> list[Atom]:
    """Split a block scalar: indentation means nothing, a line's end depends on its neighbours."""
    lines = re.findall(r"([^\r\n]*)(\r\n|\r|\n|$)", raw)
    if lines and lines[-1] == ("", ""):
        lines.pop()
    filled = [content for content, _ in lines if content.strip(" ")]
    indent = len(filled[0]) - len(filled[0].lstrip(" ")) if filled else 0
    last_filled = max((i for i, (content, _) in enumerate(lines) if content.strip(" ")), default=-1)
    n_end = len(value) - len(value.rstrip("\n"))
    atoms: list[Atom] = []
    for index, (content, line_end) in enumerate(lines):
        prefix, rest = content[:indent], content[indent:]
        if prefix:
            atoms.append(Atom(raw=prefix, value=""))
        atoms.extend(Atom(raw=character, value=character) for character in rest)
        if not line_end:
            continue
        if index >= last_filled:
            atoms.append(Atom(raw=line_end, value="\n" if n_end > 0 else ""))
            n_end -= 1
        elif folded:
            atoms.append(Atom(raw=line_end, value=_folded_end(lines, index, indent)))
        else:
            atoms.append(Atom(raw=line_end, value="\n"))
    return atoms


def _folded_end(lines: list[tuple[str, str]], index: int, indent: int) -> str:
    """A line end between two lines of text is a space, or nothing where blank lines follow."""

    def is_text(content: str) -> bool:
        return bool(content[indent:]) and content[indent] not in " \t"

    if not lines[index][0][indent:]:
        return "\n"
    following = index + 1
    while following < len(lines) and not lines[following][0][indent:]:
        following += 1
    neighbours_are_text = is_text(lines[index][0]) and (
        following == len(lines) or is_text(lines[following][0])
    )
    if not neighbours_are_text:
        return "\n"
    return " " if following == index + 1 else ""
