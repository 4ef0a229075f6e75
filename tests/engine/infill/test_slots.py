"""Gaps that take one kind of text: by example, and the whole path against regular expressions."""

import re
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dgemma_engine import Draft, Origin, RequestError, Slot, SlotKind, Span
from dgemma_engine.infill.causal import Continuation
from dgemma_engine.infill.copy import Copy
from dgemma_engine.infill.proposals import Earlier
from dgemma_engine.infill.slots import OpenSlot, touching
from tests.engine.conftest import Pair
from tests.strategies import texts

IDENTIFIER, NUMBER = Slot(kind=SlotKind.IDENTIFIER), Slot(kind=SlotKind.NUMBER)
STRING = Slot(kind=SlotKind.STRING)
SLOTS = {
    "identifier": IDENTIFIER,
    "identifier with $": Slot(kind=SlotKind.IDENTIFIER, extra="$"),
    "number": NUMBER,
    "string": STRING,
    "string in single quotes": Slot(kind=SlotKind.STRING, quote="'"),
}

_WHOLE_NUMBER = re.compile(
    r"0[xX][\da-fA-F](_?[\da-fA-F])*|0[bB][01](_?[01])*|0[oO][0-7](_?[0-7])*"
    r"|([0-9](_?[0-9])*(\.([0-9](_?[0-9])*)?)?|\.[0-9](_?[0-9])*)([eE][+-]?[0-9](_?[0-9])*)?",
    re.ASCII,
)


def is_whole(slot: Slot, text: str) -> bool:
    match slot.kind:
        case SlotKind.IDENTIFIER:
            for char in slot.extra:
                text = text.replace(char, "_")
            return text.isidentifier()
        case SlotKind.NUMBER:
            return _WHOLE_NUMBER.fullmatch(text) is not None
        case SlotKind.STRING:
            body = rf"([^\\\r\n{slot.quote}]|\\[^\r\n])*"
            return re.fullmatch(body, text, re.DOTALL) is not None


def check(slot: Slot, marked: str, touched: str) -> None:
    """``|`` stands for the gap."""
    prefix, _, suffix = marked.partition("|")
    before, _, after = touched.partition("|")
    assert touching(slot, prefix, suffix) == (before, after)


def test_the_letters_beside_the_gap_belong_to_the_identifier() -> None:
    check(IDENTIFIER, "x = my_na|(y)", "my_na|")
    check(IDENTIFIER, "x = |_b2 + 1", "|_b2")
    check(IDENTIFIER, "x.né|xt", "né|xt")
    check(IDENTIFIER, "x = $na|me$", "na|me")
    check(SLOTS["identifier with $"], "x = $na|me$", "$na|me$")
    check(IDENTIFIER, "def |", "|")


def test_the_digits_beside_the_gap_belong_to_the_number() -> None:
    check(NUMBER, "x = -3.1| * y", "3.1|")
    check(NUMBER, "x = 1e-|", "1e-|")
    check(NUMBER, "x = 1.5E+|7", "1.5E+|7")
    check(NUMBER, "x = |e-5 + y", "|e-5")
    check(NUMBER, "x = |e - y", "|e")
    check(NUMBER, "x = name-|", "|")
    check(NUMBER, "x = size_e-|", "|")
    check(NUMBER, "x = 0x|ff", "0x|ff")
    check(NUMBER, "for i in 0..|", "|")
    check(NUMBER, "for i in 0|..9", "0|")


def test_a_backslash_before_the_gap_waits_for_its_character() -> None:
    check(STRING, '"a\\|b"', "\\|")
    check(STRING, '"a\\\\|b"', "|")
    check(STRING, '"a|b"', "|")


@pytest.mark.parametrize(
    ("slot", "prefix", "suffix", "takes", "refuses"),
    [
        (IDENTIFIER, "x = ", "\n", ("a", "né", "_1"), ("1", "a b", "a.b", "", "a\n")),
        (IDENTIFIER, "x = a", "b\n", ("", "1", "_"), ("-", " ")),
        (IDENTIFIER, "x = ", "1\n", ("a",), ("", "1")),
        (NUMBER, "x = 1", "\n", ("", "2", ".5", "e-7", "_000"), ("a", "_", "e", " ")),
        (NUMBER, "x = 0", "e-3\n", ("", ".5"), ("x1", "e")),
        (STRING, 'x = "', '"\n', ("", "a b", "\\n", "\\\\", "é'"), ('"', "\\", "\n", 'a\\"b"')),
        (STRING, 'x = "\\', '"\n', ("n", '"', "\\"), ("", "n\\")),
    ],
)
def test_a_text_is_taken_together_with_what_it_touches(
    slot: Slot, prefix: str, suffix: str, takes: tuple[str, ...], refuses: tuple[str, ...]
) -> None:
    opened = OpenSlot(slot, prefix, suffix)
    assert [text for text in takes if not opened.takes(text)] == []
    assert [text for text in refuses if opened.takes(text)] == []


some_texts = st.one_of(texts(8), st.text("ab_1.eE+-x\\\"' ", max_size=8))


@pytest.mark.parametrize("name", SLOTS)
@given(prefix=some_texts, suffix=some_texts, text=some_texts)
def test_what_is_taken_makes_one_text_of_the_kind(
    name: str, prefix: str, suffix: str, text: str
) -> None:
    slot = SLOTS[name]
    before, after = touching(slot, prefix, suffix)
    try:
        opened = OpenSlot(slot, prefix, suffix)
    except RequestError:
        assert not is_whole(slot, before + text + after)
        return
    has_surrogate = any("\ud800" <= char <= "\udfff" for char in text)
    assert opened.takes(text) == (is_whole(slot, before + text + after) and not has_surrogate)


def test_where_no_such_text_can_go_on_the_request_is_refused(textual: Pair) -> None:
    for slot, prefix in ((IDENTIFIER, "x = 3"), (NUMBER, "x = name"), (NUMBER, "x = 1_.")):
        with pytest.raises(RequestError, match=f"beginning of one {slot.kind.value}"):
            textual.engine.infill(prefix, "\n", slot=slot)


def test_a_slot_is_described_by_ascii_characters() -> None:
    for options in ({"quote": ""}, {"quote": "«"}, {"quote": '""'}, {"extra": "é"}):
        values: dict[str, Any] = dict(options)
        with pytest.raises(ValueError, match="ASCII"):
            Slot(kind=SlotKind.STRING, **values)


def test_proposals_are_dropped_or_cut() -> None:
    table = (b"", b"foo", b"(", b"bar", b"1", b" ")
    opened = OpenSlot(IDENTIFIER, "x = ", "\n", head=b" ", token_bytes=table)

    def path(*ids: int) -> Continuation:
        return Continuation(ids=ids, log_prob=0.0, log_follow=0.0)

    copy = Copy(ids=(5, 1, 2), n_left=3, n_right=3)
    kept = opened.fitting([path(5, 1), path(5, 1, 2), path(1), path(5, 4), copy])
    assert kept == [path(5, 1)]
    earlier = [Earlier(ids=ids) for ids in ((5, 1, 3, 2, 1), (5, 2), (5, 3, 4))]
    assert opened.fitting(earlier) == [Earlier(ids=(5, 1, 3)), Earlier(ids=(5, 3, 4))]
    assert opened.may_go_on((5,))
    assert not opened.may_go_on((5, 4))


def test_only_what_the_slot_takes_is_shown_to_the_check() -> None:
    shown: list[str] = []

    def bad_spans(text: str) -> tuple[Span, ...]:
        shown.append(text)
        return () if text == "a" else (Span(start=0, end=1),)

    ours = cast(Any, SimpleNamespace(bad_spans=bad_spans))
    checked = OpenSlot(IDENTIFIER, "", "").checked(ours)
    assert [checked.bad_spans(text) != () for text in ("a", "b", "a b")] == [False, True, True]
    assert shown == ["a", "b"]
    assert OpenSlot(IDENTIFIER, "", "").checked(None).bad_spans("b") == ()


beginnings = st.sampled_from(
    [
        "x = ",
        "x = na",
        "x = (",
        "f(a, ",
        "def ",
        "x.",
        "\t",
        "x = 1",
        "x = .",
        "x = 2e-",
        "x = \\",
        "",
    ]
)
ends = st.sampled_from(["\n", "", ")\n", "_b = 1\n", "7\n", "e-5\n", '"\n', "'\n", " + 1\n", ".y"])


@pytest.mark.parametrize("name", SLOTS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    prefix=beginnings,
    suffix=ends,
    earlier=st.lists(st.text("ab_1.()\\\"' ", min_size=1, max_size=5), max_size=2),
    lengths=st.sampled_from([None, (1, 2), (3,)]),
    asks=st.booleans(),
    seed=st.integers(0, 9),
)
def test_all_that_comes_back_makes_one_text_of_the_kind(
    textual: Pair,
    name: str,
    prefix: str,
    suffix: str,
    earlier: list[str],
    lengths: tuple[int, ...] | None,
    asks: bool,
    seed: int,
) -> None:
    """Drafts on the way included; a random model hardly ever writes such a text by itself."""
    slot = SLOTS[name]
    before, after = touching(slot, prefix, suffix)
    steps: list[Draft] = []
    engine = textual.engine.with_infill_settings(causal_tokens=3)

    def bad_spans(text: str) -> tuple[Span, ...]:
        return (Span(start=0, end=len(text)),) if "a" in text else ()

    try:
        result = engine.infill(
            prefix,
            suffix,
            slot=slot,
            lengths=lengths,
            earlier=earlier,
            steps=2,
            seed=seed,
            n_candidates=50,
            check=cast(Any, SimpleNamespace(bad_spans=bad_spans)) if asks else None,
            on_step=steps.append,
        )
    except RequestError:
        assert not any(is_whole(slot, before + text + after) for text in ("a", "1", "n"))
        return
    found = [candidate.text for candidate in result.candidates]
    for text in [*found, *(text for draft in steps for text in draft.texts)]:
        assert text
        assert is_whole(slot, before + text + after)
    assert not (asks and any("a" in text for text in found))


@pytest.mark.parametrize("origin", [Origin.DENOISED, Origin.CONTINUED])
@pytest.mark.parametrize("slot", [IDENTIFIER, NUMBER])
def test_a_proposer_finds_what_it_would_not_have_said(
    textual: Pair, origin: Origin, slot: Slot
) -> None:
    engine = textual.engine.with_infill_settings(causal_tokens=3)
    options: dict[str, Any] = {"n_candidates": 50, "proposers": {origin}}
    free = {c.text for c in engine.infill("x = ", "\n", **options).candidates}
    found = {c.text for c in engine.infill("x = ", "\n", slot=slot, **options).candidates}
    assert found - free
    assert all(is_whole(slot, text) for text in found)


def test_without_a_slot_nothing_is_different(textual: Pair) -> None:
    plain = textual.engine.infill("x = ", "\n", seed=2)
    assert textual.engine.infill("x = ", "\n", seed=2, slot=None).candidates == plain.candidates
