"""├ ┤ stand around the candidate, in the document that it is meant for."""

from hypothesis import given

from dgemma_engine.types import Span
from dgemma_ls.postprocess.context import FillContext
from dgemma_ls.postprocess.suffix_overlap import trim_suffix_overlap
from dgemma_ls.types import Refusal, RefusalReason, Snapshot
from tests.strategies import texts


def trimmed(prefix: str, text: str, suffix: str) -> str | Refusal:
    snapshot = Snapshot(uri="a", version=1, language_id="python", text=prefix + suffix)
    span = Span(start=len(prefix), end=len(prefix))
    return trim_suffix_overlap(text, FillContext(snapshot=snapshot, span=span))


def check(before: str, expect: str | RefusalReason) -> None:
    prefix, _, rest = before.partition("├")
    text, _, suffix = rest.partition("┤")
    outcome = trimmed(prefix, text, suffix)
    if isinstance(expect, RefusalReason):
        assert outcome == Refusal(reason=expect)
    else:
        assert f"{prefix}├{outcome}┤{suffix}" == expect


def test_the_closing_line_is_not_doubled() -> None:
    check("f(├a, b)\n┤)\n", "f(├a, b┤)\n")


def test_the_longest_overlap_is_cut() -> None:
    check("├a; a; a; ┤a; a; b", "├a; ┤a; a; b")


def test_a_lone_bracket_stays() -> None:
    check("f(├g(x)┤)", "f(├g(x)┤)")


def test_a_mere_repetition_is_refused() -> None:
    check("├return x\n┤return x\n", RefusalReason.REPEATS_SUFFIX)


def test_what_the_suffix_says_later_stays() -> None:
    check("├ab┤ ab", "├ab┤ ab")


@given(texts(12), texts(12))
def test_what_is_cut_stands_in_the_suffix(text: str, suffix: str) -> None:
    outcome = trimmed("", text, suffix)
    kept = outcome if isinstance(outcome, str) else ""

    assert text.startswith(kept)
    assert suffix.startswith(text[len(kept) :])
