"""What tree-sitter says about a text. Knows no edits, no documents and no protocol.

``trees`` parses, ``flaws`` finds where a text does not parse, ``sections`` says which part of a
long text to look at, ``pieces`` cuts one into parts that parse alone, ``blocks`` what stands around
a place, ``names`` and ``operators`` where those stand; ``brackets`` serves where there is no
grammar. Grammar wheels are imported when their language is first met.
"""

from dgemma_ls.languages import PLAINTEXT, language_for_path
from dgemma_ls.syntax.blocks import node_kind_at, wants_multiline
from dgemma_ls.syntax.brackets import count_unpaired, find_unpaired
from dgemma_ls.syntax.flaws import Flaw, find_flaws, flaws_of, has_grammar
from dgemma_ls.syntax.names import Name, holder, names_in
from dgemma_ls.syntax.nodes import MARKDOWN_INLINE, captures, matches, outline, parses, texts_of
from dgemma_ls.syntax.operators import operators_in
from dgemma_ls.syntax.pieces import pieces
from dgemma_ls.syntax.sections import section_around
from dgemma_ls.syntax.trees import (
    QUICKLY_PARSED,
    ParsedText,
    can_parse,
    has_limits,
    parse,
    parse_anew,
)

__all__ = [
    "MARKDOWN_INLINE",
    "PLAINTEXT",
    "QUICKLY_PARSED",
    "Flaw",
    "Name",
    "ParsedText",
    "can_parse",
    "captures",
    "count_unpaired",
    "find_flaws",
    "find_unpaired",
    "flaws_of",
    "has_grammar",
    "has_limits",
    "holder",
    "language_for_path",
    "matches",
    "names_in",
    "node_kind_at",
    "operators_in",
    "outline",
    "parse",
    "parse_anew",
    "parses",
    "pieces",
    "section_around",
    "texts_of",
    "wants_multiline",
]
