"""Which texts of a candidate are tried, and in which order."""

from dgemma_engine.types import Span
from dgemma_ls.postprocess import variants
from dgemma_ls.types import Refusal, RefusalReason, Snapshot


def check(before: str, *expect: str) -> None:
    prefix, _, rest = before.partition("├")
    text, _, suffix = rest.partition("┤")
    snapshot = Snapshot(uri="a", version=1, language_id="python", text=prefix + suffix)
    outcome = variants(text, snapshot, Span(start=len(prefix), end=len(prefix)))

    if not expect:
        assert outcome == Refusal(reason=RefusalReason.REPEATS_SUFFIX)
    else:
        assert not isinstance(outcome, Refusal)
        assert outcome == expect


def test_without_an_overlap_there_is_one_text() -> None:
    check("f(├a┤)\n", "a")


def test_the_uncut_text_is_the_second_choice() -> None:
    check("f(g(├h(k(1))┤))\n", "h(k(1", "h(k(1))")


def test_a_lone_closing_bracket_is_cut_as_second_choice() -> None:
    check("f(├a)┤)\n", "a)", "a")
    check("f(├)┤)\n", ")")
    check("f(├a┤a)\n", "a")


def test_the_overlap_is_looked_for_with_the_documents_line_ends() -> None:
    check("x\r\n├y\nz\n┤z\r\n", "y\r\n", "y\r\nz\r\n")


def test_a_repetition_has_no_text() -> None:
    check("├x = 1\n┤x = 1\n")
