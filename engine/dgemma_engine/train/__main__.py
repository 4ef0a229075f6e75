"""``python -m dgemma_engine.train STEP``: the recipe, step by step.

Every step reads its section of ``recipe.toml`` (or ``--recipe FILE``) and works in one folder::

    python -m dgemma_engine.train corpus    WORK --wheels FOLDER
    python -m dgemma_engine.train tokenizer WORK
    python -m dgemma_engine.train shards    WORK
    python -m dgemma_engine.train run       WORK --minutes 120
    python -m dgemma_engine.train export    WORK OUT

``dgemma-ls eval infill --model OUT`` says how well the result fills.
"""

import argparse
import dataclasses
import signal
import sys
from pathlib import Path

from dgemma_engine.train.corpus import (
    RECIPE_PATH,
    build_corpus,
    load_corpus_recipe,
    read_split,
)
from dgemma_engine.train.shards import load_shard, write_shards
from dgemma_engine.train.tokenizer_training import (
    load_tokenizer,
    load_tokenizer_recipe,
    train_tokenizer,
)


def main(argv: list[str] | None = None) -> int:
    """Run one step; give the exit code."""
    args = _parser().parse_args(argv)
    try:
        args.step(args)
    except (OSError, ValueError) as err:
        print(f"dgemma_engine.train: error: {err}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; what was saved can be resumed", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dgemma_engine.train",
        description="Train a small DiffusionGemma for infilling, from packages or your own code.",
    )
    steps = parser.add_subparsers(required=True, metavar="STEP")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("work", type=Path, metavar="WORK", help="folder of all steps' results")
    shared.add_argument("--recipe", type=Path, default=RECIPE_PATH, help="recipe TOML file")
    parents = [shared]

    corpus = steps.add_parser("corpus", parents=parents, help="collect, filter and split documents")
    corpus.add_argument("--wheels", type=Path, help="folder with wheels of the pinned packages")
    corpus.add_argument(
        "--site", type=Path, action="append", help="site-packages folder to take packages from"
    )
    corpus.set_defaults(step=_corpus)

    tokenizer = steps.add_parser("tokenizer", parents=parents, help="learn the tokenizer")
    tokenizer.set_defaults(step=_tokenizer)

    shards = steps.add_parser("shards", parents=parents, help="turn documents into tokens")
    shards.set_defaults(step=_shards)

    run = steps.add_parser("run", parents=parents, help="train; resumes where WORK/run has weights")
    run.add_argument("--minutes", type=float, default=120.0, help="time to train (default: 120)")
    run.add_argument(
        "--phase", action="append", metavar="NAME", help="phase of the recipe (default: all)"
    )
    run.add_argument("--seed", type=int, help="replaces the recipe's seed; use another each stint")
    run.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    run.add_argument("--bfloat16", action="store_true", help="round matrix products: fast if wired")
    run.add_argument("--compile", action="store_true", help="torch.compile: slow start")
    run.set_defaults(step=_run)

    export = steps.add_parser(
        "export", parents=parents, help="write a checkpoint that the engine loads"
    )
    export.add_argument("out", type=Path, metavar="OUT", help="folder to write")
    export.set_defaults(step=_export)
    return parser


def _corpus(args: argparse.Namespace) -> None:
    build_corpus(
        load_corpus_recipe(args.recipe),
        args.work / "corpus",
        _report,
        wheels=args.wheels,
        site_dirs=args.site,
    )


def _tokenizer(args: argparse.Namespace) -> None:
    texts = (document.text for document in read_split(args.work / "corpus", "train"))
    train_tokenizer(texts, load_tokenizer_recipe(args.recipe), args.work / "tokenizer.json")


def _shards(args: argparse.Namespace) -> None:
    work = args.work
    write_shards(work / "corpus", work / "tokenizer.json", work / "shards", _report)


def _run(args: argparse.Namespace) -> None:
    # torch is imported here only: the other steps do without.
    import torch

    from dgemma_engine.config import parse_model_config
    from dgemma_engine.train.settings import load_model_values, load_training_settings
    from dgemma_engine.train.trainer import WEIGHTS_NAME, Trainer, initial_model
    from dgemma_engine.train.typos import TypoNoise

    if args.device == "cpu":
        # oneDNN has kernels for AVX-512 on every processor, MKL has them for Intel's only. The
        # setting's name promises less precision than it gives: without AMX it stays float32.
        torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    settings = load_training_settings(args.recipe)
    if args.seed is not None:
        settings = dataclasses.replace(settings, seed=args.seed)
    phases = settings.named_phases(args.phase)
    tokenizer = load_tokenizer(args.work / "tokenizer.json")
    values = load_model_values(tokenizer.get_vocab_size(), args.recipe)
    config = parse_model_config(values, args.recipe)
    model = initial_model(config, settings.seed).to(args.device)
    shards = args.work / "shards"
    trainer = Trainer(
        model,
        settings,
        load_shard(shards / "train.bin"),
        load_shard(shards / "selection.bin"),
        typos=TypoNoise(tokenizer),
        bfloat16=args.bfloat16,
    )
    if args.compile:
        trainer.compile()
    folder = args.work / "run"
    if (folder / WEIGHTS_NAME).exists():
        trainer.resume(folder)
        _report(f"resuming after {trainer.progress.tokens} tokens")
    trainer.run(folder, phases, args.minutes, _report)


def _export(args: argparse.Namespace) -> None:
    from dgemma_engine.train.export import export

    export(args.work, args.out, args.recipe)
    _report(f"wrote {args.out}")


def _report(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())
