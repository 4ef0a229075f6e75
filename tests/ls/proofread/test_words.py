"""Which pieces of prose are words, and which are code in words' clothing."""

from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.types import Span
from dgemma_ls.proofread.types import Region, RegionKind
from dgemma_ls.proofread.words import TokenKind, tokens_of


def words_of(text: str, *protected: tuple[int, int]) -> list[str]:
    region = Region(
        span=Span(start=0, end=len(text)),
        kind=RegionKind.PROSE,
        protected=tuple(Span(start=start, end=end) for start, end in protected),
    )
    return [token.text for token in tokens_of(text, region) if token.is_word]


def test_words_keep_their_apostrophes_and_lose_what_surrounds_them() -> None:
    assert words_of("It doesn't “work”, (really).") == ["It", "doesn't", "work", "really"]


def test_hyphens_and_single_slashes_part_words() -> None:
    assert words_of("two-sided read/write") == ["two", "sided", "read", "write"]


def test_what_only_code_has_makes_a_token_code() -> None:
    text = "use foo_bar, os.path, x2, camelCase, f(), a@b, --flag=1 and C:\\dir there"
    assert words_of(text) == ["use", "and", "there"]


def test_words_glued_to_protected_text_are_part_of_it() -> None:
    text = "sub`x` and `y`s but `z` too"
    assert words_of(text, (3, 6), (11, 14), (20, 23)) == ["and", "but", "too"]


def test_the_first_word_after_a_full_stop_starts_a_sentence() -> None:
    text = "One two. Three, Four"
    region = Region(span=Span(start=0, end=len(text)), kind=RegionKind.PROSE, protected=())
    starts = [token.text for token in tokens_of(text, region) if token.starts_sentence]
    assert starts == ["One", "Three"]


@given(st.text(alphabet="ab `'é.,-/_\n😀", max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_tokens_are_in_order_within_the_region_and_words_are_its_text(
    text: str, one: int, other: int
) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    protected = (Span(start=start, end=end),) if start < end else ()
    region = Region(span=Span(start=0, end=len(text)), kind=RegionKind.PROSE, protected=protected)
    place = 0
    for token in tokens_of(text, region):
        assert place <= token.span.start or token.kind is TokenKind.BREAK
        assert token.span.end <= len(text)
        place = token.span.end
        if token.is_word:
            assert text[token.span.start : token.span.end] == token.text
            assert not any(
                token.span.start < span.end and span.start < token.span.end for span in protected
            )
