"""Structured documents as a skeleton, which no edit may change, and leaves, which it may.

Every format is read by a real parser, which is stricter than the highlighters' grammars.
"""

from collections.abc import Callable
from functools import lru_cache

from dgemma_ls.proofread.formats.json_format import read_json
from dgemma_ls.proofread.formats.types import Leaf, Structure, Style

__all__ = ["Leaf", "Structure", "Style", "has_format", "read_front_matter", "read_structure"]


# Their parsers are imported at first use: the server starts without them.
def read_front_matter(text: str) -> Structure | None:
    """Read the front matter of a Markdown document; see ``markdown_format``."""
    from dgemma_ls.proofread.formats import markdown_format

    return markdown_format.read_front_matter(text)


def _read_markdown(text: str) -> Structure | None:
    from dgemma_ls.proofread.formats import markdown_format

    return markdown_format.read_markdown(text)


def _read_yaml(text: str) -> Structure | None:
    from dgemma_ls.proofread.formats import yaml_format

    return yaml_format.read_yaml(text)


def _read_toml(text: str) -> Structure | None:
    from dgemma_ls.proofread.formats import toml_format

    return toml_format.read_toml(text)


def _read_xml(text: str) -> Structure | None:
    from dgemma_ls.proofread.formats import xml_format

    return xml_format.read_xml(text)


def _read_html(text: str) -> Structure | None:
    from dgemma_ls.proofread.formats import html_format

    return html_format.read_html(text)


_READERS: dict[str, Callable[[str], Structure | None]] = {
    **dict.fromkeys(("json", "jsonc"), read_json),
    "yaml": _read_yaml,
    "toml": _read_toml,
    **dict.fromkeys(("xml", "svg", "xhtml"), _read_xml),
    "html": _read_html,
    "markdown": _read_markdown,
}


def has_format(language_id: str) -> bool:
    """Say whether documents of this language are structured, with a parser for them here."""
    return language_id in _READERS


@lru_cache(maxsize=4)  # the text before an edit is asked for once per edit
def read_structure(language_id: str, text: str) -> Structure | None:
    """Read a document; ``None`` if its parser refuses it.

    Raises:
        ValueError: if there is no parser for the language; ask :func:`has_format`.
    """
    if language_id not in _READERS:
        raise ValueError(f"no format for {language_id=}")
    try:
        return _READERS[language_id](text)
    except RecursionError:  # nested deeper than the parser goes
        return None
