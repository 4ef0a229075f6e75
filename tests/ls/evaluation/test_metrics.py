"""What answers are worth, against a naive count and by example."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.evaluation.metrics import METRICS, edit_similarity, measure, token_accuracy
from tests.ls.evaluation.fakes import WordTokenizer, case

ADD = case("def add(a, b):\n    return ├a + b┤\n")
TOKENIZER = WordTokenizer(ADD.document.text)


def test_the_truth_gets_full_marks() -> None:
    assert measure(ADD, "a + b", TOKENIZER) == dict.fromkeys(METRICS, 1.0)


def test_no_answer_gets_none_but_breaks_nothing() -> None:
    values = measure(ADD, "", TOKENIZER)
    assert values == dict.fromkeys(set(METRICS) - {"parse_rate"}, 0.0)


def test_an_answer_s_length_is_counted_in_tokens_beside_the_truth_s() -> None:
    for answer, off_by in (("b + a", 0), ("a + b + a", 3), ("ab", 2), ("a +", 1), ("", 9)):
        values = measure(ADD, answer, TOKENIZER)
        assert [values[f"within_{most}"] for most in range(3)] == [
            float(off_by <= most) for most in range(3)
        ], answer


def test_an_answer_that_breaks_the_file_does_not_parse() -> None:
    assert measure(ADD, "a + )", TOKENIZER)["parse_rate"] == 0.0
    assert measure(ADD, "b", TOKENIZER)["parse_rate"] == 1.0


def test_a_file_that_is_broken_anyway_says_nothing_of_the_answer() -> None:
    broken = case("def add(a, b:\n    return ├a + b┤\n")
    assert "parse_rate" not in measure(broken, "a", TOKENIZER)


def test_tokens_count_at_their_place() -> None:
    assert token_accuracy([1, 2, 3, 4], [1, 9, 3]) == 0.5
    assert token_accuracy([1, 2], [9, 1, 2]) == 0.0


@pytest.mark.parametrize(
    ("truth", "answer", "share"),
    [("kitten", "sitting", 1 - 3 / 7), ("abc", "abc", 1.0), ("", "", 1.0), ("ab", "xabx", 0.5)],
)
def test_edit_similarity_is_that_of_the_textbook(truth: str, answer: str, share: float) -> None:
    assert edit_similarity(truth, answer) == pytest.approx(share)


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_edit_similarity_equals_the_naive_recursion(truth: str, answer: str) -> None:
    @cache
    def edits(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        replaced = edits(a[1:], b[1:]) + (a[0] != b[0])
        return min(replaced, edits(a[1:], b) + 1, edits(a, b[1:]) + 1)

    longest = max(len(truth), len(answer), 1)
    assert edit_similarity(truth, answer) == pytest.approx(1 - edits(truth, answer) / longest)
