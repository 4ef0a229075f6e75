"""Repair of spans that may not be shown, with checks that know only letters."""

import random
from dataclasses import dataclass, field

import pytest

from dgemma_engine.infill.parts import Parts
from dgemma_engine.infill.planner import CanvasPlan, text_between
from dgemma_engine.infill.repair import Repaired, repair
from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.types import CancelToken, Span
from tests.engine.conftest import Pair
from tests.engine.oracle import TRAINING_TEXT

PREFIX, SUFFIX = TRAINING_TEXT.split("path).split", 1)


@dataclass
class Forbids:
    """Finds every place of some characters at fault; remembers what it was shown."""

    characters: str
    shown: list[str] = field(default_factory=list)

    def bad_spans(self, text: str) -> tuple[Span, ...]:
        self.shown.append(text)
        return tuple(
            Span(start=idx, end=idx + 1) for idx, char in enumerate(text) if char in self.characters
        )


class ForbidsEverything:
    def bad_spans(self, text: str) -> tuple[Span, ...]:
        return (Span(start=0, end=len(text)),)


def parts_of(pair: Pair) -> Parts:
    engine = pair.engine
    rules = TokenRules(engine.tokenizer, engine.config.vocab_size, engine.device)
    return Parts(
        model=engine.model,
        prefixes=engine.prefixes,
        tokenizer=engine.tokenizer,
        rules=rules,
        config=engine.generation_config,
        settings=engine.infill_settings,
    )


def repaired(
    parts: Parts,
    plan: CanvasPlan,
    text: str,
    check: Forbids | ForbidsEverything,
    *,
    around: tuple[str, str] = ("", ""),
    cancel: CancelToken | None = None,
) -> Repaired:
    ids = parts.tokenizer.encode(plan.head + text)
    kv = parts.prefixes.encode(plan.context_ids).kv
    return repair(
        parts,
        kv,
        plan,
        ids,
        check,
        around=around,
        single_line=True,
        seed=0,
        cancel=cancel or CancelToken(),
    )


@pytest.mark.parametrize("prefix", [PREFIX + "\n", PREFIX, PREFIX + " na"])
def test_what_comes_back_passes_the_check_and_goes_on_with_what_was_begun(
    textual: Pair, prefix: str
) -> None:
    parts = parts_of(textual)
    plan = parts.plan(prefix, SUFFIX, (6,))
    check = Forbids("#")
    mended = repaired(parts, plan, "me(#a, b)", check)

    assert mended.ids is not None
    text = text_between(parts.tokenizer.decode_bytes(mended.ids), plan)
    assert text
    assert "#" not in text
    assert check.shown[-1] == text
    assert mended.forwards > 0


def test_tokens_far_from_the_fault_stay_as_they_are(textual: Pair) -> None:
    parts = parts_of(textual)
    plan = parts.plan(PREFIX + "\n", SUFFIX, (9,))
    text = "name, path, name # name, path"
    mended = repaired(parts, plan, text, Forbids("#"))

    assert mended.ids is not None
    result = text_between(parts.tokenizer.decode_bytes(mended.ids), plan)
    assert result is not None
    assert result.startswith("name, path,")
    assert result.endswith(", path")


def test_three_rounds_and_then_no_answer(textual: Pair) -> None:
    parts = parts_of(textual)
    plan = parts.plan(PREFIX + "\n", SUFFIX, (6,))
    mended = repaired(parts, plan, "name, path", ForbidsEverything())

    assert mended.ids is None
    assert 0 < mended.forwards <= 9


def test_a_cancelled_repair_takes_no_step(textual: Pair) -> None:
    parts = parts_of(textual)
    plan = parts.plan(PREFIX + "\n", SUFFIX, (6,))
    cancel = CancelToken()
    cancel.cancel()

    assert repaired(parts, plan, "a # b", Forbids("#"), cancel=cancel).forwards == 0


def test_a_fault_of_brackets_is_mended_by_balancing_them(textual: Pair) -> None:
    """The random weights would hardly ever write a balanced text by themselves."""

    class Balanced:
        def bad_spans(self, text: str) -> tuple[Span, ...]:
            depth = 0
            for idx, char in enumerate(text):
                depth += (char == "(") - (char == ")")
                if depth < -1:  # the one that is due may be closed
                    return (Span(start=idx, end=idx + 1),)
            return () if depth == -1 else (Span(start=0, end=len(text)),)

    parts = parts_of(textual)
    plan = parts.plan("x = [\n]\nprint(", "\ny = 2\n", (5,))
    mended = repaired(parts, plan, "a, ((b", Balanced(), around=("x = [\n]\nprint(", "\ny = 2\n"))
    assert mended.ids is not None
    text = text_between(parts.tokenizer.decode_bytes(mended.ids), plan)
    assert text is not None
    assert text.count(")") == text.count("(") + 1


def test_repairing_twice_gives_the_same(textual: Pair) -> None:
    parts = parts_of(textual)
    plan = parts.plan(PREFIX + "\n", SUFFIX, (6,))
    first = repaired(parts, plan, "a # b", Forbids("#"))
    assert repaired(parts, plan, "a # b", Forbids("#")) == first


def test_the_engine_shows_nothing_that_the_check_refuses(textual: Pair) -> None:
    rng = random.Random(0)
    for characters in ("aeiou", "(", "_", "abcdefghijklmnopqrstuvwxyz"):
        check = Forbids(characters)
        result = textual.engine.infill(
            PREFIX, SUFFIX, lengths=(2, 4), seed=rng.randrange(100), check=check
        )
        for candidate in result.candidates:
            assert not set(candidate.text) & set(characters)
            assert candidate.text in check.shown


def test_where_nothing_may_be_shown_the_refused_are_counted(textual: Pair) -> None:
    result = textual.engine.infill(PREFIX, SUFFIX, lengths=(2,), check=ForbidsEverything())
    assert result.candidates == ()
    assert result.n_refused > 0
