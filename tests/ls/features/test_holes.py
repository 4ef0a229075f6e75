"""Several holes at once. ├ ┤ stand around a hole."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.errors import RequestError
from dgemma_engine.types import (
    CancelToken,
    Candidate,
    InfillResult,
    JointCandidate,
    JointResult,
    Slot,
    SlotKind,
    Span,
    StopReason,
)
from dgemma_ls.features.hole_markers import find_holes
from dgemma_ls.features.holes import Filled, ask, in_order
from dgemma_ls.types import Refusal, RefusalReason, Snapshot
from tests.strategies import python_texts

Texts = tuple[str, ...]


def document(marked: str, language_id: str = "python") -> tuple[Snapshot, list[Span]]:
    text, holes = "", []
    for piece in marked.split("┤"):
        before, bar, old = piece.partition("├")
        text += before
        if bar:
            holes.append(Span(start=len(text), end=len(text) + len(old)))
            text += old
    return Snapshot(uri="a", version=3, language_id=language_id, text=text), holes


class FakeEngine:
    """Puts the same text into each hole; a token is a character."""

    context_tokens = 448

    def __init__(self, *texts: str, max_span_tokens: int = 40) -> None:
        self.texts = texts
        self.max_span_tokens = max_span_tokens
        self.asked: list[tuple[str, Any]] = []
        self.holes: list[str] = []  # what stood in those that are filled together
        self.slot: Slot | None = None
        self.read: list[tuple[str, str]] = []  # context and text of requests for several

    @property
    def tokenizer(self) -> "FakeEngine":
        return self

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def rewrite(self, prefix: str, text: str, suffix: str, **options: Any) -> InfillResult:
        raise AssertionError("holes are not rewritten")

    def infill(
        self, prefix: str, suffix: str, *, cancel: CancelToken | None, **options: Any
    ) -> InfillResult:
        self.asked.append(("infill", options["multiline"]))
        self.slot = options["slot"]
        stopped = cancel is not None and cancel.cancelled
        return InfillResult(
            candidates=()
            if stopped
            else tuple(Candidate(text=t, score=0.0, forwards=1, n_tokens=1) for t in self.texts),
            stop=StopReason.CANCELLED if stopped else StopReason.STABLE,
            forwards=1,
            milliseconds=0.0,
        )

    def infill_jointly(
        self,
        text: str,
        spans: Sequence[Span],
        *,
        accept: Callable[[Texts], bool] | None = None,
        cancel: CancelToken | None = None,
        **options: Any,
    ) -> JointResult:
        self.asked.append(("jointly", len(spans)))
        self.read.append((options["context"], text))
        self.holes += [text[span.start : span.end] for span in spans]
        all_texts = [(one,) * len(spans) for one in self.texts]
        stopped = cancel is not None and cancel.cancelled
        return JointResult(
            candidates=tuple(
                JointCandidate(texts=texts, score=0.0)
                for texts in all_texts
                if not stopped and (accept is None or accept(texts))
            ),
            stop=StopReason.CANCELLED if stopped else StopReason.STABLE,
            forwards=1,
            milliseconds=0.0,
        )


def filled(marked: str, engine: FakeEngine) -> tuple[str, Filled]:
    snapshot, spans = document(marked)
    outcome = ask(engine, snapshot, spans)
    assert isinstance(outcome, Filled)
    text = snapshot.text
    for edit in reversed(outcome.edits):
        text = text[: edit.span.start] + edit.new_text + text[edit.span.end :]
    return text, outcome


@pytest.mark.parametrize(
    ("language_id", "marked"),
    [
        ("python", "x = ├___┤ + f(├___┤)\n"),
        ("python", "def f():\n    ├# TODO: fill┤\n"),
        ("python", "def f():\n    ├# todo: fill┤  \nx = 1\n"),
        ("c", "int f() { ├/* TODO: fill */┤ }\n├// TODO: fill┤"),
        ("html", "<p>├<!-- TODO: fill -->┤</p>\n"),
        ("lua", "├-- TODO: fill┤\r\nx = 1\r\n"),
        ("markdown", "a\n\n___\n\nThe ├___┤ is here.\n"),
        ("python", "x = ____; y_ = __x___; z = 1  # TODO: fill in later\n"),
    ],
)
def test_markers_are_found_and_nothing_else(language_id: str, marked: str) -> None:
    snapshot, spans = document(marked, language_id)
    assert list(find_holes(snapshot)) == spans


def test_holes_near_each_other_are_filled_together() -> None:
    engine = FakeEngine("a")
    text, outcome = filled("x = ├___┤\ny = ├___┤\n", engine)
    assert text == "x = a\ny = a\n"
    assert engine.asked == [("jointly", 2)]
    assert outcome.n_left == 0


def test_holes_too_far_apart_are_filled_one_group_after_the_other() -> None:
    engine = FakeEngine("longer")
    between = "z = 1\n" * 5
    text, _ = filled(f"x = ├___┤\n{between}y = ├___┤\nv = ├┤\n", engine)
    assert text == f"x = longer\n{between}y = longer\nv = longer\n"
    assert engine.asked == [("infill", False), ("jointly", 2)]
    assert engine.holes == ["___", ""]


def test_what_breaks_the_parse_in_one_hole_fills_none_of_its_group() -> None:
    snapshot, spans = document("x = ├___┤\ny = ├___┤\n")
    outcome = ask(FakeEngine("(", ")"), snapshot, spans)
    assert outcome == Refusal(reason=RefusalReason.NO_CANDIDATE)


def test_the_other_groups_are_filled_where_one_is_not() -> None:
    engine = FakeEngine("f(")  # leads only to a bracket that is there already
    between = "z = 1\n" * 5
    text, outcome = filled(f"x = ├___┤1)\n{between}y = ├___┤\n", engine)
    assert text == f"x = f(1)\n{between}y = ___\n"
    assert outcome.n_left == 1


def test_line_ends_are_the_documents_own() -> None:
    text, _ = filled("x = ├___┤\r\ny = ├___┤\r\n", FakeEngine("[\n1]"))
    assert text == "x = [\r\n1]\r\ny = [\r\n1]\r\n"


def test_a_comment_on_its_own_line_may_become_several_lines() -> None:
    engine = FakeEngine("f()")
    filled("def f():\n    ├# TODO: fill┤\n", engine)
    filled("x = ├___┤\n", engine)
    assert engine.asked == [("infill", True), ("infill", False)]


def test_cancelled_means_that_nothing_is_edited() -> None:
    snapshot, spans = document("x = ├___┤\ny = ├___┤\n")
    cancel = CancelToken()
    cancel.cancel()
    outcome = ask(FakeEngine("a"), snapshot, spans, cancel=cancel)
    assert outcome == Refusal(reason=RefusalReason.CANCELLED)


def test_a_hole_longer_than_a_canvas_is_refused_with_the_limit() -> None:
    snapshot, spans = document(f"x = ├{'a' * 41}┤\n")
    with pytest.raises(RequestError, match="41 tokens, one canvas holds 40"):
        ask(FakeEngine("a"), snapshot, spans)


def test_cursors_come_in_any_order_and_one_place_is_one_hole() -> None:
    first, second = Span(start=1, end=1), Span(start=4, end=6)
    assert in_order([second, first, first]) == (first, second)
    with pytest.raises(RequestError, match="overlap"):
        in_order([second, Span(start=5, end=7)])


@given(st.data(), python_texts())
def test_what_lies_outside_the_holes_never_changes(data: st.DataObject, text: str) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=6)))
    pairs = zip(places[::2], places[1::2], strict=False)
    spans = in_order([Span(start=start, end=end) for start, end in pairs])
    new = data.draw(st.sampled_from(["a", "f(1)", "1\n"]))
    snapshot = Snapshot(uri="a", version=1, language_id="python", text=text)

    outcome = ask(FakeEngine(new, max_span_tokens=200), snapshot, spans)

    if isinstance(outcome, Refusal):
        return
    assert {edit.span for edit in outcome.edits} <= set(spans)
    assert len(outcome.edits) + outcome.n_left == len(spans)
    assert all(edit.version == 1 for edit in outcome.edits)


def test_where_a_number_is_selected_a_number_is_asked_for() -> None:
    engine = FakeEngine("7")
    assert filled("a = ├42┤\n", engine)[0] == "a = 7\n"
    assert engine.slot == Slot(kind=SlotKind.NUMBER)
    filled("a = ├f(x)┤\n", engine)
    assert engine.slot is None


def test_cells_above_are_read_as_the_document_and_other_files_are_told_apart() -> None:
    snapshot, spans = document("a = ├___┤\nb = ├old┤\n")
    engine = FakeEngine("1")

    found = ask(engine, snapshot, spans, before="cell = 0\n", context="# other\n")

    assert engine.read == [("# other\n", "cell = 0\n" + snapshot.text)]
    assert engine.holes == ["___", "old"]
    assert isinstance(found, Filled)
    assert [edit.span for edit in found.edits] == spans
