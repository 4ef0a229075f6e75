"""What one answer to one case is worth. Shares of 1, higher is better; pure."""

from collections.abc import Mapping

from dgemma_ls.evaluation.cases import Case, CaseTokenizer
from dgemma_ls.syntax import find_flaws, has_grammar, language_for_path

METRICS = {
    "exact_match": "exact match",
    "token_accuracy": "token accuracy",
    "edit_similarity": "edit similarity",
    "parse_rate": "parse rate",
    "answered": "answered",
    "within_0": "as many tokens as the truth",
    "within_1": "within 1 token of the truth's number",
    "within_2": "within 2 tokens of it",
}
"""Names and titles. A metric that says nothing about a case is left out of its values."""

_TOLERANCES = {"within_0": 0, "within_1": 1, "within_2": 2}


def measure(case: Case, text: str, tokenizer: CaseTokenizer) -> Mapping[str, float]:
    """Compare an answer with the truth.

    Args:
        case: what was asked.
        text: the answer; empty for none, which counts as wrong and as of no length, but not as
            broken.
        tokenizer: counts the tokens of both texts.

    Returns:
        Values by metric. The parse rate is of answers in files that parse with the truth: it asks
        whether the whole file still has no flaw, as the gate sees flaws.
    """
    truth, answer = tokenizer.encode(case.truth), tokenizer.encode(text)
    off_by = abs(len(answer) - len(truth))
    values = {
        "exact_match": float(text == case.truth),
        "token_accuracy": token_accuracy(truth, answer),
        "edit_similarity": edit_similarity(case.truth, text),
        "answered": float(bool(text.strip())),
        **{name: float(bool(text) and off_by <= most) for name, most in _TOLERANCES.items()},
    }
    if text.strip() and _parses(case, case.truth):
        values["parse_rate"] = float(text == case.truth or _parses(case, text))
    return values


def token_accuracy(truth: list[int], answer: list[int]) -> float:
    """Share of the true tokens that stand at their place."""
    return sum(a == b for a, b in zip(truth, answer, strict=False)) / len(truth)


def edit_similarity(truth: str, answer: str) -> float:
    """One minus the edits between two texts over the longer one's characters (Levenshtein)."""
    longest = max(len(truth), len(answer))
    if not longest:
        return 1.0
    n_alike = n_common(truth, answer)
    a, b = truth[n_alike:], answer[n_alike:]
    n_alike = n_common(a[::-1], b[::-1])
    a, b = a[: len(a) - n_alike], b[: len(b) - n_alike]
    row = list(range(len(b) + 1))
    for idx, char in enumerate(a, start=1):
        above, row = row, [idx]
        for place, other in enumerate(b):
            replaced = above[place] + (char != other)
            row.append(min(replaced, above[place + 1] + 1, row[place] + 1))
    return 1 - row[-1] / longest


def n_common(a: str, b: str) -> int:
    """Count the characters that two texts begin with alike."""
    limit = min(len(a), len(b))
    return next((idx for idx in range(limit) if a[idx] != b[idx]), limit)


def _parses(case: Case, text: str) -> bool:
    """Whether the file has no flaw; files without a grammar never count."""
    language = language_for_path(case.document.path)
    return has_grammar(language) and not find_flaws(language, case.prefix + text + case.suffix)
