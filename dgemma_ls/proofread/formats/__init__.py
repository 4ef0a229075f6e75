"""Structured documents as a skeleton, which no edit may change, and leaves, which it may.

Every format is read by a real parser, which is stricter than the highlighters' grammars.
"""

from collections.abc import Callable
from functools import lru_cache

from dgemma_ls.proofread.formats.html_format import read_html
from dgemma_ls.proofread.formats.json_format import read_json
from dgemma_ls.proofread.formats.markdown_format import read_front_matter, read_markdown
from dgemma_ls.proofread.formats.toml_format import read_toml
from dgemma_ls.proofread.formats.types import Leaf, Structure, Style
from dgemma_ls.proofread.formats.xml_format import read_xml
from dgemma_ls.proofread.formats.yaml_format import read_yaml

__all__ = ["Leaf", "Structure", "Style", "has_format", "read_front_matter", "read_structure"]

_READERS: dict[str, Callable[[str], Structure | None]] = {
    **dict.fromkeys(("json", "jsonc"), read_json),
    "yaml": read_yaml,
    "toml": read_toml,
    **dict.fromkeys(("xml", "svg", "xhtml"), read_xml),
    "html": read_html,
    "markdown": read_markdown,
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
