"""Causal continuations, judged by a loop that encodes everything anew for each token."""

import pytest
import torch

from dgemma_engine.infill.causal import propose_continuations
from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.types import CancelToken
from tests.engine.conftest import Pair

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
) -> list[tuple[int, ...]]:
    *before, last = pair.engine.tokenizer.encode(PREFIX)
    found = propose_continuations(
        pair.engine.model,
        pair.engine.encode(before).kv,
        last,
        _rules(pair),
        must_start=must_start,
        single_line=True,
        n_paths=n_paths,
        n_tokens=n_tokens,
        cancel=cancel or CancelToken(),
    )
    return [continuation.ids for continuation in found]


@torch.inference_mode()
def _naive_path(pair: Pair, first: int, n_tokens: int) -> tuple[int, ...]:
    """Greedy tokens after ``first``, up to one that a single line forbids."""
    model, rules = pair.engine.model, _rules(pair)
    ids = pair.engine.tokenizer.encode(PREFIX)
    path = [first]
    while len(path) < n_tokens:
        output, _ = model.encode(torch.tensor([ids + path]), 0, None, want_output=True)
        assert output is not None
        best = int(model.logits(output[0, -1]).argmax())
        if rules.forbidden(single_line=True)[best]:
            break
        path.append(best)
    return tuple(path)


def test_every_path_is_the_greedy_one_from_its_first_token(textual: Pair) -> None:
    found = _propose(textual)

    assert len({ids[0] for ids in found}) == 4
    for ids in found:
        assert ids == _naive_path(textual, ids[0], 6)[: len(ids)]


def test_every_beginning_of_the_likeliest_path_is_proposed(textual: Pair) -> None:
    found = _propose(textual)
    longest = _naive_path(textual, found[0][0], 6)

    assert [longest[: n + 1] for n in range(len(longest))] == found[: len(longest)]


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
