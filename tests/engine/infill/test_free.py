"""Writing on freely and cutting where the suffix begins."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.infill import infiller
from dgemma_engine.infill.free import FreeDraft, cut_at_suffix, free_draft
from dgemma_engine.infill.parts import Parts
from dgemma_engine.infill.planner import CanvasPlan
from dgemma_engine.types import CancelToken
from tests.engine.conftest import Pair
from tests.engine.infill.test_repair import PREFIX, SUFFIX, parts_of

ids = st.lists(st.integers(3, 9), max_size=20)


@given(before=ids, right=ids, rest=ids)
def test_the_text_before_the_suffix_is_found(
    before: list[int], right: list[int], rest: list[int]
) -> None:
    found = cut_at_suffix([*before, *right, *rest, 1], right, [1])
    everything = (*before, *right, *rest)
    assert found == everything[: len(found)]
    needed = right[:4]
    if right and found:
        assert list(everything[len(found) :][: len(needed)]) == needed
        assert len(found) <= len(before)
    if not right:
        assert found == everything


def test_without_the_suffix_there_is_nothing() -> None:
    assert cut_at_suffix([5, 6, 7, 8], [9, 9]) == ()
    assert cut_at_suffix([9, 9, 5], [9, 9]) == ()
    assert cut_at_suffix([5, 9, 9], [9, 9]) == (5,)
    assert cut_at_suffix([], []) == ()


def test_a_draft_begins_with_what_was_begun_and_is_repeatable(textual: Pair) -> None:
    parts = parts_of(textual)
    plan = parts.plan(PREFIX + " na", SUFFIX, (4,))
    kv = parts.prefixes.encode(plan.context_ids).kv
    drafts = [
        free_draft(parts, kv, plan, single_line=False, n_steps=2, seed=1, cancel=CancelToken())
        for _ in range(2)
    ]
    assert drafts[0] == drafts[1]
    assert drafts[0].forwards == 2
    if drafts[0].ids:
        text = parts.tokenizer.decode_bytes(drafts[0].ids)
        assert text.startswith(plan.head.encode())


def test_a_cancelled_draft_takes_no_step(textual: Pair) -> None:
    parts = parts_of(textual)
    plan = parts.plan(PREFIX, SUFFIX, (4,))
    kv = parts.prefixes.encode(plan.context_ids).kv
    cancel = CancelToken()
    cancel.cancel()
    draft = free_draft(parts, kv, plan, single_line=True, n_steps=2, seed=1, cancel=cancel)
    assert (draft.ids, draft.forwards) == ((), 0)


def test_where_the_prompt_shows_the_suffix_long_spans_start_from_what_was_written(
    textual: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Parts.plan

    def plan(*args: Any, **options: Any) -> CanvasPlan:
        return replace(original(*args, **options), shows_suffix=True)

    ids = tuple(textual.engine.tokenizer.encode("path.name"))
    monkeypatch.setattr(Parts, "plan", plan)
    monkeypatch.setattr(
        infiller, "free_draft", lambda *args, **options: FreeDraft(ids=ids, forwards=7)
    )
    engine = textual.engine.with_infill_settings(refine_radius=0)
    result = engine.infill("x = 1\n", SUFFIX, multiline=True, n_candidates=50, steps=2)
    assert "path.name" in {candidate.text for candidate in result.candidates}
    assert {candidate.n_tokens for candidate in result.candidates} == {len(ids)}
    assert result.forwards == 7 + 2

    one_line = engine.infill("x = 1\n", SUFFIX, n_candidates=50, steps=2)
    assert one_line.forwards < 7
