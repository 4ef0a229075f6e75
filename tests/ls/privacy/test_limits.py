import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.privacy import MAX_DOCUMENT_CHARS, ReasonKind
from dgemma_ls.privacy.limits import LONG_LINE_CHARS, why_unfit
from tests.strategies import texts


def kind(text: str) -> ReasonKind | None:
    reason = why_unfit("a.py", text)
    assert reason is None or reason.sentence.startswith("a.py ")
    return None if reason is None else reason.kind


def test_a_large_source_file_is_fine() -> None:
    assert kind("    return value\n" * 100_000) is None
    assert kind("") is None


def test_one_long_literal_in_a_larger_file_is_fine() -> None:
    assert kind("x = 1\n" * 2_000 + "y = '" + "A" * 9_000 + "'\n") is None


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_minified_file_is_not(end: str) -> None:
    bundle = "/* licence */" + end + "var a=1;" * 20_000 + end
    assert kind(bundle) is ReasonKind.LONG_LINES


def test_a_nul_makes_it_binary() -> None:
    assert kind("x = 1\n\0") is ReasonKind.BINARY


def test_what_is_longer_than_the_limit_is_too_large() -> None:
    assert kind("a\n" * (MAX_DOCUMENT_CHARS // 2)) is None
    assert kind("a\n" * (MAX_DOCUMENT_CHARS // 2) + "a") is ReasonKind.TOO_LARGE


@given(
    st.lists(st.integers(0, 3 * LONG_LINE_CHARS), max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    texts(8),
)
def test_leaping_counts_what_splitting_counts(lengths: list[int], end: str, more: str) -> None:
    text = end.join("a" * length for length in lengths) + more.replace("\0", "")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    n_long = sum(len(line) for line in lines if len(line) > LONG_LINE_CHARS)
    assert (kind(text) is ReasonKind.LONG_LINES) == (2 * n_long > len(text))
