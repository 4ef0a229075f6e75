"""``Engine.infill`` as its callers see it: texts in, ranked texts out."""

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from dgemma_engine import (
    CancelToken,
    Draft,
    InfillResult,
    ModelFilesError,
    Origin,
    RequestError,
    StopReason,
)
from dgemma_engine.engine import Engine
from dgemma_engine.loading import load
from dgemma_engine.model.transformer import Transformer
from tests.engine.conftest import Pair
from tests.engine.oracle import SPECIAL_TOKENS, TRAINING_TEXT, engine_with, read_json, write_json

PREFIX, SUFFIX = TRAINING_TEXT.split("path).split", 1)
"""The prefix ends with an open parenthesis: no word is begun."""


def texts_of(result: InfillResult) -> list[str]:
    return [candidate.text for candidate in result.candidates]


def test_candidates_are_distinct_texts_by_falling_score(textual: Pair) -> None:
    result = textual.engine.infill("x = [", "]\n", lengths=(1, 2, 3, 4), n_candidates=10)

    assert len(result.candidates) >= 2
    assert len(set(texts_of(result))) == len(result.candidates)
    assert all(texts_of(result))
    scores = [candidate.score for candidate in result.candidates]
    assert scores == sorted(scores, reverse=True)
    assert {candidate.n_tokens for candidate in result.candidates} <= {1, 2, 3, 4}
    assert result.milliseconds > 0


def test_no_more_candidates_than_asked_for_and_the_best_of_them(textual: Pair) -> None:
    every = textual.engine.infill("x = [", "]\n", lengths=(1, 2, 3), n_candidates=9)
    for n_candidates in (1, 2):
        some = textual.engine.infill("x = [", "]\n", lengths=(1, 2, 3), n_candidates=n_candidates)
        assert texts_of(some) == texts_of(every)[:n_candidates]


def test_single_line_fills_hold_no_line_break(textual: Pair) -> None:
    found, with_breaks = 0, 0
    for seed in range(4):
        single = textual.engine.infill(PREFIX, SUFFIX, lengths=(2, 5, 9), seed=seed)
        found += len(single.candidates)
        assert not any(set(text) & set("\r\n") for text in texts_of(single))
        multi = textual.engine.infill(
            PREFIX, SUFFIX, lengths=(2, 5, 9), seed=seed, multiline=True, n_candidates=9
        )
        with_breaks += sum("\n" in text for text in texts_of(multi))
    assert found
    assert with_breaks


def test_special_tokens_never_show(textual: Pair) -> None:
    for seed in range(4):
        result = textual.engine.infill(
            "x = [", "", lengths=(3, 8), seed=seed, multiline=True, n_candidates=9
        )
        for text in texts_of(result):
            assert not any(name in text for name in SPECIAL_TOKENS)
            assert text.isprintable() or set(text) & set("\n\r\t\0")


def test_a_begun_word_is_finished_not_repeated(textual: Pair) -> None:
    tokenizer = textual.engine.tokenizer
    vocabulary = {raw for raw in tokenizer.token_bytes if raw.startswith(b"ret")}
    assert b"return" in vocabulary
    found = 0
    for seed in range(3):
        result = textual.engine.infill("def f():\n\tret", "\n", lengths=(1,), seed=seed)
        for text in texts_of(result):
            found += 1
            assert b"ret" + text.encode() in vocabulary
    assert found


def test_a_word_cut_in_the_middle_keeps_its_end(textual: Pair) -> None:
    found = 0
    for seed in range(6):
        result = textual.engine.infill("x = (se", "lf.path)\n", lengths=(2, 3), seed=seed)
        for text in texts_of(result):
            found += 1
            # The document's own bytes stay; whatever comes between makes whole tokens with them.
            ids = textual.engine.tokenizer.encode("se" + text + "lf")
            assert textual.engine.tokenizer.decode(ids) == "se" + text + "lf"
    assert found


def test_the_same_call_gives_the_same_result(textual: Pair) -> None:
    def call(seed: int) -> InfillResult:
        return textual.engine.infill(PREFIX, SUFFIX, lengths=(1, 4, 7), n_candidates=9, seed=seed)

    before = torch.get_rng_state()
    first = call(3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    textual.engine.infill(PREFIX + "x", SUFFIX, lengths=(2,))
    again = call(3)
    assert texts_of(again) == texts_of(first)
    assert [candidate.score for candidate in again.candidates] == pytest.approx(
        [candidate.score for candidate in first.candidates], abs=1e-3
    )
    assert any(texts_of(call(seed)) != texts_of(first) for seed in (4, 5, 6))


def test_forwards_are_the_decoder_passes_that_were_made(
    textual: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_passes = 0
    original = Transformer.decode

    def count(self: Transformer, *args: Any, **kwargs: Any) -> Tensor:
        nonlocal n_passes
        n_passes += 1
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Transformer, "decode", count)
    drafts: list[Draft] = []
    result = textual.engine.infill(PREFIX, SUFFIX, lengths=(1, 2), steps=5, on_step=drafts.append)

    assert result.forwards == n_passes == 5
    assert [draft.step for draft in drafts] == [1, 2, 3, 4, 5]
    assert result.stop is StopReason.MAX_STEPS
    assert {c.forwards for c in result.candidates} <= {0, 5}


def test_the_checkpoint_says_how_many_steps_there_are(textual: Pair) -> None:
    assert textual.engine.infill(PREFIX, SUFFIX, lengths=(2,)).forwards == 4


def test_certain_canvases_stop_early(textual: Pair) -> None:
    easy = engine_with(textual.engine, stability_threshold=0, confidence_threshold=100.0)
    result = easy.infill("x = [", "]\n", lengths=(1, 2), steps=30)
    assert result.stop is StopReason.STABLE
    assert result.forwards == 1
    assert result.candidates


def test_a_cancelled_request_returns_nothing(textual: Pair) -> None:
    cancel = CancelToken()
    cancel.cancel()
    result = textual.engine.infill(PREFIX, SUFFIX, lengths=(1, 2), cancel=cancel)
    assert (result.candidates, result.stop, result.forwards) == ((), StopReason.CANCELLED, 0)


@pytest.mark.parametrize("cancelled_at", [1, 2, 4])
def test_cancelling_within_a_step_stops_at_the_next_one(textual: Pair, cancelled_at: int) -> None:
    """The last step included: nobody wants the answer any more."""
    cancel = CancelToken()

    def on_step(draft: Draft) -> None:
        if draft.step == cancelled_at:
            cancel.cancel()

    result = textual.engine.infill(
        PREFIX, SUFFIX, lengths=(1, 2), steps=4, cancel=cancel, on_step=on_step
    )

    assert result.candidates == ()
    assert result.stop is StopReason.CANCELLED
    assert result.forwards == cancelled_at


def test_at_the_deadline_what_is_there_is_returned_without_the_judge(
    textual: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    def tick(_draft: Draft) -> None:
        nonlocal now
        now += 1.0

    n_encoded: list[int] = []
    original = Transformer.encode

    def count(self: Transformer, ids: Tensor, *args: Any, **kwargs: Any) -> Any:
        n_encoded.append(ids.shape[1])
        return original(self, ids, *args, **kwargs)

    arguments: dict[str, Any] = {"lengths": (1, 2), "steps": 9, "n_candidates": 9}
    textual.engine.infill("x = [", "]\n", **arguments)  # the context is in the cache now
    monkeypatch.setattr(Transformer, "encode", count)
    result = textual.engine.infill(
        "x = [",
        "]\n",
        cancel=CancelToken(deadline=2.0, clock=lambda: now),
        on_step=tick,
        **arguments,
    )

    assert result.stop is StopReason.DEADLINE
    assert result.forwards == 2
    assert result.candidates
    assert all(candidate.forwards == 2 for candidate in result.candidates)
    assert n_encoded == []


def test_a_deadline_that_has_passed_gives_nothing(textual: Pair) -> None:
    cancel = CancelToken(deadline=0.0, clock=lambda: 1.0)
    result = textual.engine.infill(PREFIX, SUFFIX, lengths=(1,), cancel=cancel)
    assert (result.candidates, result.stop, result.forwards) == ((), StopReason.DEADLINE, 0)


@pytest.mark.parametrize(
    ("prefix", "suffix"),
    [
        ("", ""),
        ("", "x = 1\n"),
        ("x = 1\n", ""),
        ("a\r\nb", "\r\nc"),
        ("𝒳 = ", "\n"),
        ("\ud83d", "\ude00"),
        ("\0" * 50, "\0"),
        ("<bos><eos>", "<pad>"),
        ("<|turn>user\nx = ", "<turn|><eos>"),
        ("a\0b", "\0\ud83d"),
        ("é" * 300, "é" * 300),
        (" " * 2000, "\n" * 2000),
    ],
)
def test_any_text_can_be_filled(textual: Pair, prefix: str, suffix: str) -> None:
    result = textual.engine.infill(prefix, suffix, lengths=(1, 3), n_candidates=9)
    assert result.stop is StopReason.MAX_STEPS
    for text in texts_of(result):
        (prefix + text + suffix).encode("utf-8", "surrogatepass")
        text.encode()  # never half a character, never a surrogate


@pytest.mark.parametrize(
    ("before", "after"),
    [("x", "y"), ("(", ")"), ("<eos>", "<|turn>"), ("\0", "\0"), ("\ud83d", "\ude00"), (" ", "é ")],
)
def test_lines_of_ten_megabytes_can_be_filled(textual: Pair, before: str, after: str) -> None:
    n_chars = 10_000_000
    prefix, suffix = (text * (n_chars // len(text)) for text in (before, after))
    result = textual.engine.infill(prefix, suffix, lengths=(1, 3), n_candidates=9)

    # A text that repeats itself is copied at once.
    assert result.stop in (StopReason.MAX_STEPS, StopReason.STABLE)
    for text in texts_of(result):
        text.encode()
        assert not any(name in text for name in SPECIAL_TOKENS)


def test_names_of_special_tokens_are_text_like_any_other(textual: Pair) -> None:
    """The encoder reads their letters; a control token would end the document there."""
    engine = textual.engine
    engine.prefixes.clear()
    engine.infill("x = 1 # <eos><bos>", "<pad>\n", lengths=(1,))
    for entry in engine.prefixes._entries:
        special = [idx for idx in entry.token_ids if idx in engine.tokenizer.special_ids]
        assert special in ([], [engine.config.bos_token_id])


_ASK = """
import sys
from pathlib import Path
from dgemma_engine import load
engine = load(Path(sys.argv[1]), device="cpu")
result = engine.infill(sys.argv[2], sys.argv[3], n_candidates=9, seed=5, earlier=("name", "path"))
print([(one.text, one.score, one.n_tokens, one.origin) for one in result.candidates])
"""


def test_another_process_gives_the_same_bytes(textual: Pair) -> None:
    """Texts, scores and their order; hashes of strings are salted anew in each process."""
    printed = [
        subprocess.run(
            [sys.executable, "-c", _ASK, str(textual.folder), PREFIX, SUFFIX],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert printed[0].count(b"Origin.") >= 2


def test_default_lengths_fit_the_model(textual: Pair) -> None:
    result = textual.engine.infill("x = [", "]\n", n_candidates=99)
    assert result.candidates
    assert max(candidate.n_tokens for candidate in result.candidates) <= 24


def test_impossible_requests_are_refused(textual: Pair) -> None:
    engine = textual.engine
    assert engine.max_span_tokens == 64 - 6 - 8
    for arguments, said in (
        ({"lengths": []}, "lengths"),
        ({"lengths": [0]}, r"1\.\.50"),
        ({"lengths": [1, 51]}, r"1\.\.50"),
        ({"lengths": [1], "n_candidates": 0}, "n_candidates=0"),
        ({"lengths": [1], "steps": 0}, "steps=0"),
    ):
        refused: dict[str, Any] = dict(arguments)
        with pytest.raises(RequestError, match=said):
            engine.infill("a", "b", **refused)


def test_the_longest_span_can_be_filled(textual: Pair) -> None:
    n_tokens = textual.engine.max_span_tokens
    result = textual.engine.infill(PREFIX, SUFFIX, lengths=[n_tokens], steps=1)
    assert result.forwards == 1


def test_what_stood_between_the_same_neighbours_is_proposed(textual: Pair) -> None:
    """Whether it wins is for the judge to say; a random one has no opinion."""
    result = textual.engine.infill(
        "read(path, encoding)\nread(", ", encoding)\n", lengths=(1, 2), n_candidates=99
    )
    assert "path" in texts_of(result)


def test_an_error_in_on_step_leaves_the_engine_usable(textual: Pair) -> None:
    def fail(_draft: Draft) -> None:
        raise KeyError("mine")

    expected = texts_of(textual.engine.infill(PREFIX, SUFFIX, lengths=(1, 2)))
    with pytest.raises(KeyError, match="mine"):
        textual.engine.infill(PREFIX, SUFFIX, lengths=(1, 2), on_step=fail)
    assert texts_of(textual.engine.infill(PREFIX, SUFFIX, lengths=(1, 2))) == expected


def test_a_tokenizer_of_a_larger_vocabulary_is_refused(textual: Pair, tmp_path: Path) -> None:
    """Its ids would fall off the embedding in the middle of a request."""
    folder = tmp_path / "mismatch"
    shutil.copytree(textual.folder, folder)
    values = read_json(folder / "tokenizer.json")
    for idx in range(40):
        values["model"]["vocab"][f"word{idx}"] = len(values["model"]["vocab"])
    write_json(folder / "tokenizer.json", values)
    with pytest.raises(ModelFilesError, match="tokenizer"):
        load(folder, device="cpu")


def test_a_copy_from_the_document_is_proposed_without_any_forward_of_its_own(
    textual: Pair,
) -> None:
    result = textual.engine.infill(
        "with open(path) as file:\nwith open(", ") as file:\n", n_candidates=99
    )
    copies = [c for c in result.candidates if c.origin is Origin.COPIED]

    assert "path" in [copy.text for copy in copies]
    assert all(copy.forwards == 0 for copy in copies)


def test_continuations_are_proposed_where_the_checkpoint_wants_them(textual: Pair) -> None:
    engine = textual.engine
    eager = Engine(
        engine.model,
        engine.generation_config,
        tokenizer=engine.tokenizer,
        infill_settings=dataclasses.replace(engine.infill_settings, causal_tokens=4),
    )
    without = {c.origin for c in engine.infill("x = f(", ")\n", n_candidates=99).candidates}
    having = {c.origin for c in eager.infill("x = f(", ")\n", n_candidates=99).candidates}

    assert Origin.CONTINUED not in without
    assert Origin.CONTINUED in having


@pytest.mark.parametrize("origin", list(Origin))
def test_only_the_proposers_that_are_asked_for_propose(textual: Pair, origin: Origin) -> None:
    engine = textual.engine
    eager = Engine(
        engine.model,
        engine.generation_config,
        tokenizer=engine.tokenizer,
        infill_settings=dataclasses.replace(engine.infill_settings, causal_tokens=4),
    )
    result = eager.infill(
        "with open(path) as file:\nwith open(",
        ") as file:\n",
        proposers=(origin,),
        earlier=("name",),
    )

    assert {candidate.origin for candidate in result.candidates} == {origin}
    assert (result.forwards > 0) == (origin is Origin.DENOISED)


def test_a_passage_that_repeats_itself_is_copied_at_once(textual: Pair) -> None:
    """No forward is needed where the document leaves no doubt; where it leaves some, one is."""
    passage = "".join(f"def f{n}(path):\n    return read(path, {n})\n" for n in range(6))
    cut = len(passage) // 2
    prefix, suffix = passage + passage[:cut], passage[cut + 4 :]

    certain = textual.engine.infill(prefix, suffix)
    unsure = textual.engine.infill("x = ", "\n")

    assert certain.candidates[0].text == passage[cut : cut + 4]
    assert certain.candidates[0].origin is Origin.COPIED
    assert certain.forwards == 0
    assert unsure.forwards > 0


def test_where_one_draft_leads_by_far_no_canvas_is_denoised(textual: Pair) -> None:
    def forwards(lead: float) -> int:
        engine = textual.engine.with_infill_settings(causal_tokens=4, sure_lead=lead)
        return engine.infill(PREFIX + "\n", SUFFIX, steps=2, n_candidates=9).forwards

    assert forwards(0.0) > 0
    assert forwards(1e-6) == 0
    assert forwards(1e6) > 0


CONTEXT = "# b.py: area(w, h)\n"  # fits into half of the fixture's 64 tokens


def test_context_is_read_before_the_document(textual: Pair) -> None:
    engine = textual.engine
    engine.prefixes.clear()
    engine.infill(PREFIX, SUFFIX, lengths=(2,), context=CONTEXT)

    texts = [engine.tokenizer.decode(entry.token_ids) for entry in engine.prefixes._entries]
    assert texts
    for text in texts:
        assert text.removeprefix("<bos>").startswith(CONTEXT)
        assert text.rpartition(CONTEXT)[2] in PREFIX


def test_without_context_nothing_is_different(textual: Pair) -> None:
    plain = textual.engine.infill(PREFIX, SUFFIX, lengths=(1, 2, 3), seed=3)
    empty = textual.engine.infill(PREFIX, SUFFIX, lengths=(1, 2, 3), seed=3, context="")

    assert empty.candidates == plain.candidates


def test_nothing_is_copied_from_the_context(textual: Pair) -> None:
    """The document's own proposals come from the document."""
    engine = textual.engine
    with_it = engine.infill(PREFIX, SUFFIX, proposers={Origin.COPIED}, context=PREFIX * 2)
    without = engine.infill(PREFIX, SUFFIX, proposers={Origin.COPIED})

    assert set(texts_of(with_it)) == set(texts_of(without))


def test_while_one_types_the_context_stays_encoded(textual: Pair) -> None:
    engine = textual.engine
    engine.infill(PREFIX, SUFFIX, lengths=(2,), context=CONTEXT)
    typed, n_new = PREFIX, []
    for key in "self.name":
        typed += key
        before = engine.prefixes.n_encoded_tokens
        engine.infill(typed, SUFFIX, lengths=(2,), context=CONTEXT)
        n_new.append(engine.prefixes.n_encoded_tokens - before)

    assert max(n_new) < len(engine.tokenizer.encode(CONTEXT))
