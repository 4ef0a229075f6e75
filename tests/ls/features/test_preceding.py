"""What the engine reads before a span, with what other files say."""

from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.features.preceding import preceded
from tests.engines import StandIn

TEXTS = st.text("ab\r\n", max_size=60)


class Small(StandIn):
    context_tokens = 20


def test_without_context_the_prefix_is_all_there_is() -> None:
    assert preceded("a\nb", Small(), context="") == "a\nb"


def test_the_lines_that_would_push_the_context_from_the_window_are_left_out() -> None:
    assert preceded("1234567\n1234567\nlast = ", Small(), context="# b\n") == (
        "# b\n1234567\nlast = "
    )


def test_half_of_the_window_is_for_the_document_whatever_others_say() -> None:
    assert preceded("1\n123456\nlast", Small(), context="#" * 30) == "#" * 30 + "last"
    assert preceded("1\n1234\nlast", Small(), context="#" * 30) == "#" * 30 + "1234\nlast"


@given(TEXTS, st.text("#\n", min_size=1, max_size=30))
def test_what_is_read_of_the_document_are_its_last_lines(prefix: str, context: str) -> None:
    text = preceded(prefix, Small(), context=context)

    assert text.startswith(context)
    kept = text.removeprefix(context)
    assert prefix.endswith(kept)
    whole_lines = len(kept) == len(prefix) or prefix[: len(prefix) - len(kept)][-1] in "\r\n"
    assert whole_lines or len(kept) <= 6 * 20
    if kept != prefix and kept.count("\n"):
        assert len(kept) <= 20
