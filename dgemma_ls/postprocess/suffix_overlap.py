"""Cut what the document already says after the span. Knows neither tokens nor protocol."""

from dgemma_ls.postprocess.context import FillContext
from dgemma_ls.types import Refusal, RefusalReason

_MIN_OVERLAP = 2  # A lone bracket may belong to both; cutting it would break the parse.


def trim_suffix_overlap(text: str, context: FillContext) -> str | Refusal:
    """Cut the longest end of the text with which the suffix begins."""
    suffix = context.suffix[: len(text)]
    for n_characters in range(len(suffix), _MIN_OVERLAP - 1, -1):
        if text.endswith(suffix[:n_characters]):
            kept = text[:-n_characters]
            return kept or Refusal(reason=RefusalReason.REPEATS_SUFFIX)
    return text
