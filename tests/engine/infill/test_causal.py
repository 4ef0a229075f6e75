"""Causal continuations, judged by a loop that encodes everything anew for each token."""

import math
from collections.abc import Sequence

import pytest
import torch

from dgemma_engine.infill.causal import Continuation, propose_continuations
from dgemma_engine.infill.document import Blend, DocumentModel
from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.types import CancelToken
from tests.engine.conftest import Pair, branches_after

PREFIX = "def f(self, path):\n    return self."


def _rules(pair: Pair) -> TokenRules:
    engine = pair.engine
    return TokenRules(engine.tokenizer, engine.config.vocab_size, engine.device)


def _propose(
    pair: Pair,
    *,
    must_start: bytes = b"",
    n_paths: int = 4,
    n_tokens: int = 6,
    cancel: CancelToken | None = None,
    blend: Blend | None = None,
    before: Sequence[int] = (),
) -> list[tuple[int, ...]]:
    *known, last = pair.engine.tokenizer.encode(PREFIX)
    found = propose_continuations(
        pair.engine.model,
        branches_after(pair, known),
        last,
        _rules(pair),
        must_start=must_start,
        single_line=True,
        n_paths=n_paths,
        n_tokens=n_tokens,
        cancel=cancel or CancelToken(),
        blend=blend,
        before=before,
    )
    return [continuation.ids for continuation in found]


@torch.inference_mode()
def _naive_search(
    pair: Pair, n_paths: int, n_tokens: int, blend: Blend | None = None
) -> list[tuple[int, ...]]:
    """A beam search that knows no packing, no cache and no tensors of scores."""
    model, rules = pair.engine.model, _rules(pair)
    before = pair.engine.tokenizer.encode(PREFIX)
    forbidden = set(rules.forbidden(single_line=True).nonzero().flatten().tolist())
    beam: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    found = []
    for _ in range(n_tokens):
        longer = []
        for score, path in beam:
            ids = [*before, *path]
            output, _ = model.encode(torch.tensor([ids]), 0, None, want_output=True)
            assert output is not None
            for token, p in enumerate(model.logits(output[0, -1]).softmax(dim=-1).tolist()):
                if token not in forbidden:
                    p = p if blend is None else blend.probability(p, ids, token)
                    longer.append((score + math.log(p), (*path, token)))
        longer.sort(reverse=True)
        beam = [(score, path) for score, path in longer[:n_paths] if score > longer[0][0] - 9]
        found += [path for _, path in beam]
    return found


def test_all_paths_are_those_of_a_plain_beam_search(textual: Pair) -> None:
    assert _propose(textual) == _naive_search(textual, n_paths=4, n_tokens=6)


def test_the_documents_statistics_have_a_say(textual: Pair) -> None:
    before = textual.engine.tokenizer.encode(PREFIX)
    document = DocumentModel([before], vocab_size=textual.engine.config.vocab_size, n_context=2)
    blend = Blend(document=document, weights=(0.0, 0.6, 0.9))

    found = _propose(textual, blend=blend, before=before)

    assert found == _naive_search(textual, n_paths=4, n_tokens=6, blend=blend)
    assert found != _propose(textual)


def test_special_tokens_and_line_breaks_never_come(textual: Pair) -> None:
    rules = _rules(textual)
    ids = {token for path in _propose(textual, n_paths=50) for token in path}

    assert not rules.forbidden(single_line=True)[list(ids)].any()


@pytest.mark.parametrize("n_paths", [1, 50])
def test_a_begun_word_is_gone_on_with(textual: Pair, n_paths: int) -> None:
    """Also where fewer tokens begin so than paths are wanted."""
    table = textual.engine.tokenizer.token_bytes
    found = _propose(textual, must_start=b"se", n_paths=n_paths)

    assert found
    assert all(table[path[0]].startswith(b"se") for path in found)


def test_a_cancelled_request_gets_none(textual: Pair) -> None:
    cancel = CancelToken()
    cancel.cancel()

    assert _propose(textual, cancel=cancel) == []


@torch.inference_mode()
def test_each_path_knows_its_probability_and_that_of_the_suffix_after_it(textual: Pair) -> None:
    """Against whole texts, each encoded by itself."""
    model, rules = textual.engine.model, _rules(textual)
    *known, last = before = textual.engine.tokenizer.encode(PREFIX)
    follow = rules.starting_with(b"(")
    found = propose_continuations(
        model,
        branches_after(textual, known),
        last,
        rules,
        must_start=b"",
        single_line=True,
        n_paths=3,
        n_tokens=3,
        cancel=CancelToken(),
        follow=follow,
    )

    assert {len(path.ids) for path in found} == {1, 2, 3}
    for path in found:
        output, _ = model.encode(torch.tensor([[*before, *path.ids]]), 0, None, want_output=True)
        assert output is not None
        log_probs = model.logits(output[0]).log_softmax(dim=-1)
        rows = range(len(before) - 1, len(before) - 1 + len(path.ids))
        of_path = sum(log_probs[row, token] for row, token in zip(rows, path.ids, strict=True))
        assert path.log_prob == pytest.approx(float(of_path), abs=1e-3)
        assert path.log_follow == pytest.approx(
            math.log(float(log_probs[-1].exp()[follow].sum())), abs=1e-3
        )


@pytest.mark.parametrize("follow", [b"(", b".", b" "])
def test_stopping_early_loses_no_path_that_is_better_than_what_was_found(
    textual: Pair, follow: bytes
) -> None:
    rules = _rules(textual)
    *known, last = textual.engine.tokenizer.encode(PREFIX)

    def search(*, stop_early: bool) -> list[Continuation]:
        return propose_continuations(
            textual.engine.model,
            branches_after(textual, known),
            last,
            rules,
            must_start=b"",
            single_line=True,
            n_paths=3,
            n_tokens=12,
            cancel=CancelToken(),
            follow=rules.starting_with(follow),
            stop_early=stop_early,
        )

    def merit(path: Continuation) -> float:
        return path.log_prob + path.log_follow

    short, long = search(stop_early=True), search(stop_early=False)
    assert {path.ids for path in short} <= {path.ids for path in long}
    assert len(short) < len(long)
    assert max(map(merit, short)) == pytest.approx(max(map(merit, long)))
