"""Which edit comes next, of what an engine with known opinions thinks."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.types import CancelToken, Place, Span, TokenReading
from dgemma_ls.edits import difference
from dgemma_ls.features.changed_words import Log, after_change
from dgemma_ls.features.next_edit import NextEdit, goes_on, propose, window_around
from dgemma_ls.types import Refusal, Snapshot

TEXT = "def area(width):\n    total = width * 2\n    print(total + total)\n    return total\n"


class Opinions:
    """Finds some words likelier than others, and everything else alike."""

    max_span_tokens = 200

    def __init__(self, nats: dict[str, float]) -> None:
        self.nats = nats
        self.n_asked = 0

    @property
    def tokenizer(self) -> "Opinions":
        return self

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def read(
        self, text: str, *, window: int | None = None, cancel: CancelToken | None = None
    ) -> list[TokenReading]:
        return [
            TokenReading(span=Span(start=n, end=n + 1), margin=0.0, surprisal=30.0)
            for n in range(len(text))
        ]

    def compare(
        self, text: str, places: Sequence[Place], *, cancel: CancelToken | None = None
    ) -> list[tuple[float, ...]]:
        self.n_asked += 1
        return [tuple(self.nats.get(one, 0.0) for one in place.texts) for place in places]


def edited(before: str, old: str, new: str) -> tuple[Snapshot, Log, int]:
    """Replace the first occurrence of a word."""
    at = before.index(old)
    after = before[:at] + new + before[at + len(old) :]
    change = difference(before, after)
    assert change is not None
    log = after_change((), before, change, after)
    return snapshot(after), log, at + len(new)


def snapshot(text: str) -> Snapshot:
    return Snapshot(uri="file:///a.py", version=1, language_id="python", text=text)


def ask(
    text: Snapshot,
    log: Log,
    cursor: int,
    *,
    nats: dict[str, float] | None = None,
    renames_only: bool = True,
    rejected: Sequence[Span] = (),
    cancel: CancelToken | None = None,
) -> NextEdit | Refusal:
    return propose(
        Opinions(nats or {}),
        text,
        log,
        cursor,
        renames_only=renames_only,
        is_rejected=lambda one: one.edit.span in rejected,
        cancel=cancel or CancelToken(),
    )


def test_a_rename_goes_on_at_the_next_line_with_one_edit_until_it_is_done() -> None:
    now, log, cursor = edited(TEXT, "total", "product")
    for expected in "product + product", "product":
        found = ask(now, log, cursor)
        assert isinstance(found, NextEdit)
        assert found.edit.new_text == expected
        after = found.edit.apply(now)
        change = difference(now.text, after)
        assert change is not None
        log = after_change(log, now.text, change, after)
        now = snapshot(after)
    assert now.text == TEXT.replace("total", "product")
    assert isinstance(ask(now, log, cursor), Refusal)


def test_a_place_that_was_rejected_is_passed_over() -> None:
    now, log, cursor = edited(TEXT, "total", "product")
    first = ask(now, log, cursor)
    assert isinstance(first, NextEdit)
    second = ask(now, log, cursor, rejected=[first.edit.span])
    assert isinstance(second, NextEdit)
    assert second.edit.span.start > first.edit.span.end


def test_places_behind_the_cursor_come_before_nearer_ones_above_it() -> None:
    now, log, _ = edited(TEXT, "total", "product")
    cursor = now.text.index(")\n    return")
    behind = ask(now, log, cursor)
    assert isinstance(behind, NextEdit)
    assert behind.edit.span.start > cursor
    above = ask(now, log, len(now.text))
    assert isinstance(above, NextEdit)
    assert above.edit.span == behind.edit.span  # the last one


def test_the_judge_has_a_veto() -> None:
    now, log, cursor = edited(TEXT, "total", "product")
    assert isinstance(ask(now, log, cursor, nats={"total": 60.0}), Refusal)


def test_a_name_that_is_a_word_of_the_language_goes_nowhere() -> None:
    assert isinstance(ask(*edited(TEXT, "total", "pass")), Refusal)


def test_without_renames_nothing_is_offered_unless_all_is_wanted() -> None:
    nats = {"total": 40.0}
    text = snapshot("total = width\n")
    assert isinstance(ask(text, (), 0, nats=nats), Refusal)
    found = ask(text, (), 0, nats=nats, renames_only=False)
    assert isinstance(found, NextEdit)
    assert (found.old, found.new, found.is_rename) == ("width", "total", False)


def test_what_was_just_written_is_never_doubted() -> None:
    before = "total = wid\n"
    now, log, cursor = edited(before, "wid", "width")
    for place in (cursor, len(now.text)):
        assert isinstance(ask(now, log, place, nats={"total": 40.0}, renames_only=False), Refusal)


def test_nobody_works_for_a_request_that_was_cancelled() -> None:
    cancel = CancelToken()
    cancel.cancel()
    now, log, cursor = edited(TEXT, "total", "product")
    assert isinstance(ask(now, log, cursor, cancel=cancel), Refusal)


def test_an_offer_of_a_rename_that_was_taken_back_does_not_go_on() -> None:
    now, log, cursor = edited(TEXT, "total", "product")
    found = ask(now, log, cursor)
    assert isinstance(found, NextEdit)
    assert goes_on(now, log, found)
    assert not goes_on(now, (), found)


@given(st.text("ab\n ", max_size=600), st.data())
def test_the_window_holds_the_cursors_line_and_fits_the_canvas(
    text: str, data: st.DataObject
) -> None:
    cursor = data.draw(st.integers(0, len(text)))
    window = window_around(Opinions({}), text, cursor)
    line_start = text.rfind("\n", 0, cursor) + 1
    assert window.start <= line_start
    assert cursor <= window.end
    own = text[line_start:].split("\n", 1)[0]
    size = len(text[window.start : window.end])
    assert size <= max(Opinions.max_span_tokens, len(own) + 1)
    rest = len(text) - size
    assert rest == 0 or size + _line_lengths(text, window) > Opinions.max_span_tokens


def _line_lengths(text: str, window: Span) -> int:
    """Give the length of the shorter of the two lines beside a window, all if there is but one."""
    above = text[: window.start].splitlines(keepends=True)[-1:]
    below = text[window.end :].splitlines(keepends=True)[:1]
    return min(len(line) for line in (*above, *below))
