"""``eval next-token``: how well the encoder foresees held-out code, token by token."""

import argparse
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from dgemma_ls.commands.arguments import EngineLoader, InputError
from dgemma_ls.commands.evaluate.arguments import (
    add_common,
    add_documents,
    add_model,
    add_shards,
    check_documents,
    check_model,
    check_written,
    count,
    data_name,
)
from dgemma_ls.commands.evaluate.running import exit_code, load_for, show, stopped_note, take
from dgemma_ls.evaluation.baselines import check_shards, count_shards
from dgemma_ls.evaluation.cases import read_documents
from dgemma_ls.evaluation.next_token import (
    METRICS,
    TARGET_TOKENS,
    Predictor,
    Reading,
    Window,
    by_encoder,
    by_ngrams,
    draw_windows,
    sum_up,
)
from dgemma_ls.evaluation.ngrams import WittenBell
from dgemma_ls.evaluation.reading import read
from dgemma_ls.evaluation.summary import Summary, lay_out

if TYPE_CHECKING:
    from dgemma_engine import Engine

_ENCODER, _NGRAMS = "encoder", "5-gram"


def add_parser(tasks: "argparse._SubParsersAction[Any]") -> None:
    """Declare the task."""
    parser = tasks.add_parser(
        "next-token",
        help="foresee the next token of held-out code",
        description="Read held-out code causally and see how well each next token is foreseen.",
        allow_abbrev=False,
    )
    add_model(parser)
    add_documents(parser)
    parser.add_argument(
        "--windows",
        metavar="N",
        type=count,
        default=200,
        help=f"stretches of {TARGET_TOKENS} tokens to foresee (default: 200)",
    )
    parser.add_argument(
        "--context",
        metavar="N",
        type=count,
        default=448,
        help="tokens before each stretch (default: 448, what the embedded model reads at least)",
    )
    add_common(parser, seed_of="the stretches")
    add_shards(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, load: EngineLoader) -> int:
    """Read the windows; print, write, give the exit code."""
    check_documents(args)
    check_model(args)
    check_written(args.json)
    documents = read_documents(args.data)
    engine = load_for(args, load)
    windows = draw_windows(
        documents,
        engine.tokenizer,
        context=args.context,
        n_windows=args.windows,
        seed=args.seed,
        bos_id=engine.config.bos_token_id,
    )
    if not windows:
        raise InputError(
            f"{args.data} has no document of {args.context + TARGET_TOKENS} tokens;"
            " lower --context, or name longer ones"
        )
    predictors = _predictors(args, engine)
    readings = take(_read_all(windows, predictors), len(windows), noun="windows")
    if readings:
        done = windows[: len(readings)]
        by_model = {name: [reading[name] for reading in readings] for name in predictors}
        summary = Summary(
            task="next-token",
            clusters="files",
            settings={
                "model": args.model,
                "data": data_name(args.data),
                "seed": args.seed,
                "context": args.context,
            },
            figures=tuple(sum_up(done, by_model, seed=args.seed)),
            notes=(
                f"a case is a stretch of {TARGET_TOKENS} tokens",
                *stopped_note(len(done), len(windows), "windows"),
            ),
        )
        columns = {name: name for name in predictors}
        show(summary, [lay_out(summary, "next token", columns, METRICS)], args.json)
    return exit_code(len(readings), len(windows))


def _predictors(args: argparse.Namespace, engine: "Engine") -> dict[str, Predictor]:
    predictors = {_ENCODER: by_encoder(partial(read, engine))}
    if args.shards is not None:
        tokenizer = engine.tokenizer
        vocab_size = len(tokenizer.token_bytes)
        check_shards(args.shards, tokenizer.path)
        sys.stderr.write(f"counting n-grams in {args.shards}\n")
        counts = count_shards(args.shards, tokenizer.path, vocab_size)
        predictors[_NGRAMS] = by_ngrams(WittenBell(counts, vocab_size=vocab_size))
    return predictors


def _read_all(
    windows: Sequence[Window], predictors: Mapping[str, Callable[[Window], Reading]]
) -> Generator[dict[str, Reading], None, None]:
    for window in windows:
        yield {name: predict(window) for name, predict in predictors.items()}
