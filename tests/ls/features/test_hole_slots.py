"""Which holes take a number, and nothing else."""

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from dgemma_engine.infill.slots import OpenSlot
from dgemma_engine.types import Slot, SlotKind, Span
from dgemma_ls.features.hole_slots import slot_for
from dgemma_ls.types import Snapshot
from tests.marks import unmarked


def slot_of(language_id: str, marked: str) -> Slot | None:
    text, span = unmarked(marked)
    snapshot = Snapshot(uri="file:///a", version=1, language_id=language_id, text=text)
    return slot_for(snapshot, span)


@pytest.mark.parametrize(
    ("language_id", "marked"),
    [
        ("python", "x = ├42┤\n"),
        ("python", "f(-├0.5e3┤, b)\n"),
        ("json", '{"port": ├8080┤}\n'),
        ("rust", "fn main() { let x = ├1_000┤; }\n"),
        ("go", "package a\nvar x = ├0x1f┤\n"),
        ("javascript", "const x = ├3┤\n"),
        ("java", "class A { int a = ├3┤; double b = 1.5; }\n"),
        ("c", "int a = ├3┤;\n"),
        ("toml", "a = ├3┤\n"),
        ("yaml", "a: ├3┤\n"),
    ],
)
def test_a_number_that_is_selected_is_replaced_by_a_number(language_id: str, marked: str) -> None:
    assert slot_of(language_id, marked) == Slot(kind=SlotKind.NUMBER)


@pytest.mark.parametrize(
    ("language_id", "marked"),
    [
        ("python", "x = ├┤\n"),  # a cursor: anything may come
        ("python", "x = ├name┤\n"),
        ("python", "x = ├4┤2\n"),
        ("python", "x = ├1 + 2┤\n"),
        ("python", "x = '├42┤'\n"),
        ("python", "# ├42┤\n"),
        ("python", "x = ├___┤\n"),
        ("css", "a { width: ├10┤px }\n"),  # the unit belongs to it
        ("css", "a { color: #├123┤ }\n"),
        ("plaintext", "├42┤\n"),
    ],
)
def test_of_anything_else_nothing_is_known(language_id: str, marked: str) -> None:
    assert slot_of(language_id, marked) is None


PIECES = st.lists(
    st.sampled_from(["1", "20", "0x", "e", "e-", ".", "..", "x", "_", "(", ")", " = ", "-", "f"]),
    max_size=6,
).map("".join)


# In five of six such texts no number stands there.
@settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@example(language_id="python", before="0xe-", after="")
@example(language_id="rust", before="fn f() { 0..e-", after="; }")
@example(language_id="python", before="f().e-", after="")
@example(language_id="c", before="1_e-", after="")
@given(language_id=st.sampled_from(["python", "rust", "c"]), before=PIECES, after=PIECES)
def test_what_stands_around_such_a_number_never_refuses_the_request(
    language_id: str, before: str, after: str
) -> None:
    text = f"{before}5{after}"
    span = Span(start=len(before), end=len(before) + 1)
    snapshot = Snapshot(uri="file:///a", version=1, language_id=language_id, text=text)
    slot = slot_for(snapshot, span)
    assume(slot is not None)
    assert slot is not None
    assert OpenSlot(slot, before, after).takes("7")
