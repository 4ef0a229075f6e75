"""What the engine is asked for each way to fill, on an engine that says what it is told."""

from collections.abc import Sequence
from typing import Any, cast

from dgemma_engine.types import Candidate, InfillResult, Origin, StopReason
from dgemma_ls.evaluation.systems import ENGINE_SYSTEMS, System, make_systems
from dgemma_ls.types import Refusal, RefusalReason
from tests.ls.evaluation.fakes import WordTokenizer, case

ASKED = case("def add(first, second):\n    return ├first + second┤\n")


class FakeEngine:
    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.tokenizer = WordTokenizer(ASKED.document.text)
        self.asked: list[dict[str, Any]] = []

    def span_tokens(self, prefix: str, text: str) -> int:
        return 7 if text == ASKED.truth else 1

    def infill(self, prefix: str, suffix: str, **options: Any) -> InfillResult:
        self.asked.append({"prefix": prefix, "suffix": suffix, **options})
        return InfillResult(
            candidates=tuple(
                Candidate(text=text, score=-float(n), forwards=1, n_tokens=1)
                for n, text in enumerate(self.texts)
            ),
            stop=StopReason.STABLE,
            forwards=3,
            milliseconds=1.0,
            token_forwards=96,
        )


def systems(engine: FakeEngine) -> dict[str, System]:
    made = make_systems(cast("Any", engine), n_steps=5)
    return {system.name: system for system in made}


def test_the_shipped_answer_is_told_the_length_or_not() -> None:
    engine = FakeEngine(["a", "b"])
    ways = systems(engine)

    assert ways["shipped"].fill(ASKED).text == "a"
    assert ways["shipped-unknown"].fill(ASKED).text == "a"
    told, untold = engine.asked
    assert told["lengths"] == (7,)
    assert untold["lengths"] is None
    for asked in engine.asked:
        assert (asked["prefix"], asked["suffix"]) == (ASKED.prefix, ASKED.suffix)
        assert (asked["steps"], asked["multiline"]) == (5, False)


def test_the_engine_is_told_of_a_line_break_in_the_span() -> None:
    engine = FakeEngine([])
    several = case("x = [├\n    1,\n┤]\n")
    assert systems(engine)["shipped"].fill(several).text == ""
    assert engine.asked[0]["multiline"] is True


def test_the_gate_sees_the_same_answer_without_asking_again() -> None:
    engine = FakeEngine(["first + )", "first"])
    ways = systems(engine)

    assert ways["shipped-unknown"].fill(ASKED).text == "first + )"
    assert ways["gated"].fill(ASKED).text == "first"
    assert len(engine.asked) == 1


def test_a_suggestion_may_be_repaired_for_the_gate() -> None:
    engine = FakeEngine(["first"])
    assert systems(engine)["suggested"].fill(ASKED).text == "first"
    assert engine.asked[0]["check"].verdict("first + )") == Refusal(
        reason=RefusalReason.BREAKS_PARSE
    )


def test_what_the_gate_refuses_is_no_answer() -> None:
    ways = systems(FakeEngine(["(", ")"]))
    assert ways["gated"].fill(ASKED).text == ""
    assert ways["suggested"].fill(ASKED).text == ""


def test_each_proposer_is_asked_alone() -> None:
    engine = FakeEngine(["a"])
    ways = systems(engine)
    for name in ("denoiser-1", "denoiser", "copier", "causal", "bridges"):
        assert ways[name].fill(ASKED).text == "a"

    assert [asked["proposers"] for asked in engine.asked] == [
        (Origin.DENOISED,),
        (Origin.DENOISED,),
        (Origin.COPIED,),
        (Origin.CONTINUED,),
        (Origin.BRIDGED,),
    ]
    assert [asked["steps"] for asked in engine.asked[:2]] == [1, 5]


def test_every_way_has_the_name_that_the_command_line_knows() -> None:
    assert tuple(systems(FakeEngine([]))) == ENGINE_SYSTEMS


def test_an_answer_comes_with_what_it_took() -> None:
    ways = systems(FakeEngine(["first + )", "first"]))
    for name in ("shipped", "denoiser", "gated", "suggested"):
        answer = ways[name].fill(ASKED)
        assert (answer.forwards, answer.token_forwards) == (3, 96)
