"""The languages' own parsers, for what tree-sitter's grammars let pass.

Grammars for highlighting are lenient: a function without a body, a JSON number ``01``. Where a
document is read by its real parser, it must be read afterwards. While someone types it mostly is
not, and then the gate alone decides. So it does for what is put in at a cursor of a program: a line
that begins a block is welcome there, and will be gone on with. Pure.
"""

import ast
import warnings
from functools import lru_cache

from dgemma_ls.types import Edit, Snapshot

_STRICT = frozenset({"json", "jsonc", "yaml", "toml", "xml", "svg", "xhtml"})

_MOST_CHARACTERS = 200_000
"""Longer texts would take more than some ten milliseconds per candidate."""


def still_reads(snapshot: Snapshot, edit: Edit) -> bool:
    """Say whether an edit leaves a document readable for its own parser, if it was.

    Raises:
        ValueError: if the edit is of another document or version, or reaches past its end.
    """
    language_id = snapshot.language_id
    at_cursor = edit.span.start == edit.span.end
    if language_id not in _STRICT and (at_cursor or language_id != "python"):
        return True
    if len(snapshot.text) > _MOST_CHARACTERS:
        return True
    return not _reads(language_id, snapshot.text) or _reads(language_id, edit.apply(snapshot))


@lru_cache(maxsize=4)  # the text before an edit is asked for once per candidate
def _reads(language_id: str, text: str) -> bool:
    if language_id in _STRICT:
        # The readers' libraries take their time to load, and an editor waits for the start.
        from dgemma_ls.proofread.formats import read_structure

        return read_structure(language_id, text) is not None
    return _is_python(text)


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings():  # an odd escape is no mistake of the syntax
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
