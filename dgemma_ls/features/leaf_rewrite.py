"""A selection within one text of a structured document is rewritten as plain text."""

from dataclasses import replace
from typing import TYPE_CHECKING

from dgemma_ls.features.gating import GateCheck

if TYPE_CHECKING:
    from dgemma_ls.features.rewrite import RewriteRequest


def within_leaf(request: "RewriteRequest", check: GateCheck) -> "RewriteRequest":
    """Give the request in plain text, and have the check take plain text, where that is the case.

    It parses: on the engine thread only.

    Args:
        request: as it is written in the document.
        check: of the same span.
    """
    leaf = check.enter_leaf()
    if leaf is None:
        return request
    return replace(request, prefix=leaf.prefix, text=leaf.text, suffix=leaf.suffix)
