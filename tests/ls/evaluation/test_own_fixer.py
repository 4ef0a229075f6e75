"""Our own fixes of passages."""

from collections.abc import Sequence

from dgemma_engine.types import Place, Span
from dgemma_ls.evaluation.fix_scores import LineEdit, Passage
from dgemma_ls.evaluation.own_fixer import fix_passages, remembered
from dgemma_ls.proofread.types import Tier

PASSAGE = Passage(
    name="a",
    path="a.md",
    group="clean",
    repository="a/b",
    lines=("We recieve the messages that were sent to the the server.",),
    target=None,
    right_line="",
    right_word="",
    residual=(),
)


def test_a_question_is_asked_once() -> None:
    asked: list[Place] = []

    def compare(text: str, places: Sequence[Place]) -> list[tuple[float, ...]]:
        asked.extend(places)
        return [(float(len(text)),) for _ in places]

    ask = remembered(compare)
    one, two = (Place(span=Span(start=at, end=at + 1), texts=("x",)) for at in (0, 1))
    assert ask("abc", [one]) == [(3.0,)]
    assert ask("abc", [two, one]) == [(3.0,), (3.0,)]
    assert ask("abcd", [one]) == [(4.0,)]
    assert asked == [one, two, one]


def test_unlikely_edits_come_on_request_and_change_nothing_else() -> None:
    plain, scored = (fix_passages([PASSAGE], None, with_scored=wanted) for wanted in (False, True))
    assert plain.edits == scored.edits
    assert LineEdit(0, 3, 10, "receive") in plain.edits[Tier.SAFE][0]
    assert plain.scored == [[]]
    assert {edit.edit for edit in scored.scored[0]} >= set(plain.edits[Tier.SUGGEST][0])
