"""Ways to fill a gap without a model: what the weights must beat. Token ids and numpy only.

All are told the span's length in tokens and whether it stays on one line, as the engine is; they
see the document's true tokens, which spares them the cut words.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dgemma_ls.evaluation.cases import Case, CaseTokenizer
from dgemma_ls.evaluation.ngrams import Ids, NgramCounts, WittenBell
from dgemma_ls.evaluation.systems import Answer, System
from dgemma_ls.files import FileError

Mask = npt.NDArray[np.bool_]

SHARD_NAME = "train.bin"

_DOCUMENT_TOKENS = 8000
_MAX_LEFT, _MAX_RIGHT = 16, 8
_DOCUMENT_CONTEXT = 5
_SHARD_CONTEXT = 4  # a 5-gram
_BEAM_WIDTH = 5
_RIGHT_TOKENS = 4


def make_baselines(
    tokenizer: CaseTokenizer, *, shard_counts: Callable[[], NgramCounts] | None
) -> list[System]:
    """Give the baselines; those that need counts of training text only where there are some.

    Args:
        tokenizer: of the cases.
        shard_counts: called when a system first needs them, and not again.
    """
    vocab_size = len(tokenizer.token_bytes)
    line_ends = np.array([b"\n" in raw or b"\r" in raw for raw in tokenizer.token_bytes])
    never = np.array([not raw for raw in tokenizer.token_bytes])

    @cache
    def shards() -> WittenBell:
        assert shard_counts is not None
        return WittenBell(shard_counts(), vocab_size=vocab_size)

    def system(name: str, title: str, propose: Callable[[Case, Mask], Sequence[int]]) -> System:
        def fill(case: Case) -> Answer:
            forbidden = never if case.multiline else never | line_ends
            raw = tokenizer.decode_bytes(propose(case, forbidden))
            return Answer(text=raw.decode("utf-8", "replace"))

        return System(name=name, title=title, is_baseline=True, fill=fill)

    def ppm(case: Case, base: WittenBell | None) -> WittenBell:
        before, after = _around(case)
        streams = [before[-_DOCUMENT_TOKENS:], after[:_DOCUMENT_TOKENS]]
        counts = NgramCounts(streams, n_context=_DOCUMENT_CONTEXT, vocab_size=vocab_size)
        return WittenBell(counts, vocab_size=vocab_size, base=base)

    systems = [
        system("copy", "copy of the best match", _copy),
        system("ppm", "PPM-like", lambda case, mask: _searched(ppm(case, None), case, mask)),
    ]
    if shard_counts is not None:
        systems += [
            system("5-gram", "5-gram", lambda case, mask: _searched(shards(), case, mask)),
            system(
                "ppm+5-gram",
                "PPM-like on the 5-gram",
                lambda case, mask: _searched(ppm(case, shards()), case, mask),
            ),
        ]
    return systems


def check_shards(folder: Path, tokenizer_path: Path) -> None:
    """See that the shards are there and fit the tokenizer, without reading them.

    Raises:
        FileError: there are no shards, or they were made with another tokenizer.
    """
    try:
        made_with = json.loads((folder / "shards.json").read_text("utf-8"))["tokenizer_sha256"]
        (folder / SHARD_NAME).stat()
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise FileError(
            f"{folder} has no readable shards ({err}); make them with"
            " python -m dgemma_engine.train shards"
        ) from err
    if made_with != hashlib.sha256(tokenizer_path.read_bytes()).hexdigest():
        raise FileError(
            f"{folder} was made with another tokenizer than {tokenizer_path}; name the shards of"
            " this model, or leave out --shards"
        )


def count_shards(folder: Path, tokenizer_path: Path, vocab_size: int) -> NgramCounts:
    """Count the n-grams of a folder of token shards; takes a minute.

    Raises:
        FileError: as :func:`check_shards`.
    """
    check_shards(folder, tokenizer_path)
    try:
        ids = np.fromfile(folder / SHARD_NAME, dtype="<u2")
    except OSError as err:
        raise FileError(f"{folder / SHARD_NAME} cannot be read: {err.strerror or err}") from err
    return NgramCounts([ids], n_context=_SHARD_CONTEXT, vocab_size=vocab_size)


def best_match(before: Ids, after: Ids, n_tokens: int, forbidden: Mask) -> tuple[int, ...]:
    """Find the stretch of ``before`` whose neighbours on both sides equal the gap's the longest.

    The last one wins among equals. Empty where no stretch is free of forbidden tokens.
    """
    n_starts = len(before) - n_tokens + 1
    if n_starts < 1:
        return ()
    padded = np.concatenate([np.full(_MAX_LEFT, -1), before, np.full(_MAX_RIGHT, -2)])
    strength = np.zeros(n_starts, dtype=np.int64)
    left = [(_MAX_LEFT - 1 - n, before[-1 - n]) for n in range(min(_MAX_LEFT, len(before)))]
    right = [(_MAX_LEFT + n_tokens + n, after[n]) for n in range(min(_MAX_RIGHT, len(after)))]
    for side in (left, right):
        still = np.ones(n_starts, dtype=bool)
        for shift, wanted in side:
            still &= padded[shift : shift + n_starts] == wanted
            strength += still
    n_forbidden = np.concatenate([[0], np.cumsum(forbidden[before])])
    strength[n_forbidden[n_tokens:] > n_forbidden[:n_starts]] = -1
    start = n_starts - 1 - int(np.argmax(strength[::-1]))
    return () if strength[start] < 0 else tuple(before[start : start + n_tokens].tolist())


def beam_search(
    model: WittenBell, before: Sequence[int], after: Sequence[int], n_tokens: int, forbidden: Mask
) -> tuple[int, ...]:
    """Find likely tokens after ``before``; those that lead to ``after`` best win in the end."""
    context = tuple(before[-model.n_context :])
    beam: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    for _ in range(n_tokens):
        longer = []
        for score, ids in beam:
            log_p = np.log(model.next_token((*context, *ids)))
            log_p[forbidden] = -np.inf
            best = np.argpartition(log_p, -_BEAM_WIDTH)[-_BEAM_WIDTH:]
            longer += [(score + float(log_p[token]), (*ids, int(token))) for token in best]
        beam = sorted(longer, reverse=True)[:_BEAM_WIDTH]
    head = tuple(after[:_RIGHT_TOKENS])
    leading = [(score + _log_p(model, (*context, *ids), head), ids) for score, ids in beam]
    return max(leading)[1]


def _around(case: Case) -> tuple[Ids, Ids]:
    ids = np.asarray(case.token_ids)
    return ids[: case.start], ids[case.end :]


def _copy(case: Case, forbidden: Mask) -> Sequence[int]:
    before, after = _around(case)
    return best_match(before[-_DOCUMENT_TOKENS:], after, case.end - case.start, forbidden)


def _searched(model: WittenBell, case: Case, forbidden: Mask) -> Sequence[int]:
    before, after = case.token_ids[: case.start], case.token_ids[case.end :]
    return beam_search(model, before, after, case.end - case.start, forbidden)


def _log_p(model: WittenBell, before: tuple[int, ...], ids: tuple[int, ...]) -> float:
    total = 0.0
    for idx, token in enumerate(ids):
        total += float(np.log(model.next_token((*before, *ids[:idx]))[token]))
    return total
