"""Cut what the document already says after the span. Knows neither tokens nor protocol."""

from dataclasses import replace

from dgemma_engine.types import Candidate
from dgemma_ls.postprocess.context import FillContext
from dgemma_ls.types import Refusal, RefusalReason

_MIN_OVERLAP = 2  # A lone bracket may belong to both; cutting it would break the parse.


def trim_suffix_overlap(candidate: Candidate, context: FillContext) -> Candidate | Refusal:
    """Cut the longest end of the candidate with which the suffix begins."""
    suffix = context.suffix[: len(candidate.text)]
    for n_characters in range(len(suffix), _MIN_OVERLAP - 1, -1):
        if candidate.text.endswith(suffix[:n_characters]):
            kept = candidate.text[:-n_characters]
            if not kept:
                return Refusal(reason=RefusalReason.REPEATS_SUFFIX)
            return replace(candidate, text=kept)
    return candidate
